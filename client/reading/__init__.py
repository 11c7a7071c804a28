"""The second reader: takes record batches apart where the client library cannot."""

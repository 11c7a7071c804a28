"""The Kafka service: read, decode, batch, embed, send, commit."""

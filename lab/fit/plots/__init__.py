"""The pictures of the report, one a file; each takes what it draws and returns a figure."""

"""The fitted conditioning in the stream: its file, and where it places embeddings."""

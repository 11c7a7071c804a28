"""The embedding service: frames in, unit-norm embeddings out. The only house that knows torch."""

"""The matcher agent: an embedding becomes an identification or a question."""

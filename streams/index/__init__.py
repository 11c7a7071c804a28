"""Where the gallery is searched: Redis, and an exact in-memory twin for tests."""

"""The gallery agent: the one writer of the gallery, and what it knows of the entries."""

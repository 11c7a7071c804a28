"""Offline studies of labelled images: no broker and no Redis is needed.

What is missing or wrong, or cannot be written, raises ``SetupError``, which names it and says what
would be right; a model that stops giving embeddings raises ``DependencyDown``.
"""

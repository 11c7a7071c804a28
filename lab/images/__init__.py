"""Labelled images: manifests, splits, the variables they come with, their embeddings."""

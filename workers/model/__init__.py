"""The network and its folder: from pixels to embeddings."""

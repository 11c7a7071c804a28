"""Offline studies of labelled images: no broker and no Redis is needed."""

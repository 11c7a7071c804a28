"""The method: distances, thresholds, the open-set decision, clusters and retention.

Pure functions and small frozen dataclasses over numpy arrays. Nothing here does I/O, reads a clock
or imports another package of the project; misuse raises :class:`ValueError`.
"""

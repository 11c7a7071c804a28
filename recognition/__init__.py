"""The method: distances, thresholds, the open-set decision, clusters and retention.

Pure functions and small frozen dataclasses over numpy arrays. Nothing here does I/O, reads a clock
or imports another package of the project. Misuse raises :class:`ValueError`: lengths or shapes
that do not fit, numbers that are not finite or out of their range, a name given twice. A docstring
says so where it is the data that may be to blame.
"""

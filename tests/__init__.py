"""Tests of everything. One thread a process, and so for the children: several of them run at once.

This must be said before numpy and torch are imported; what the environment says already counts.
"""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(name, "1")

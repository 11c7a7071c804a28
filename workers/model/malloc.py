"""Keep freed memory instead of handing it back to the system after each forward pass.

glibc maps every large tensor anew and unmaps it when it is freed, so each pass pays for zeroed
pages again. The environment variables ``MALLOC_MMAP_THRESHOLD_`` and its kin cure that only when
they are set before the process starts; ``mallopt`` does the same from within.
"""

import ctypes
import platform

_M_TRIM_THRESHOLD = -1
_M_TOP_PAD = -2
_M_MMAP_THRESHOLD = -3
_LARGEST = 2**31 - 1  # mallopt takes an int


def keep_freed_memory() -> bool:
    """Tell glibc to serve large blocks from its heap and to keep what is freed.

    Returns:
        Whether it took effect; on other C libraries nothing is done.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    values = ((_M_MMAP_THRESHOLD, 2**30), (_M_TRIM_THRESHOLD, _LARGEST), (_M_TOP_PAD, 64 * 2**20))
    return all(mallopt(option, value) == 1 for option, value in values)


def give_back() -> None:
    """Hand back what is free by now: after something rare and large it would be kept for ever."""
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)

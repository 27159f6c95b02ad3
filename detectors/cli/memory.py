"""How the command's process holds memory: what is freed is kept for reuse, not handed back to the system.

Takes nothing, changes the C library's allocator for this process, so only a command may call it, never the library. A
scan works through many arrays of tens of megabytes; handing each back and touching fresh pages for the next seemed to
cost a fair part of its time on a virtual machine (benchmarks/README.md says how sure that is); the peak was no lower.
"""

import ctypes
import sys
from typing import Final

# Parameters of mallopt(3), glibc's malloc.h.
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8
_KEEP_BYTES: Final = 1 << 30
"""Freed memory at the end of the heap is kept up to a gigabyte."""
_LARGEST_HEAP_BLOCK: Final = 32 << 20
"""The largest value glibc takes: blocks up to 32 MiB come from the heap and are used again."""


def keep_freed_memory() -> bool:
    """Ask glibc to keep freed memory for this process, in one arena for all threads; False where there is no glibc."""
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    wanted = ((_M_ARENA_MAX, 1), (_M_MMAP_THRESHOLD, _LARGEST_HEAP_BLOCK), (_M_TRIM_THRESHOLD, _KEEP_BYTES))
    taken = [bool(mallopt(parameter, value)) for parameter, value in wanted]
    return all(taken)

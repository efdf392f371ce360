"""Gives memory back that only the beginning of a life needed: the rest is the lab's."""

from __future__ import annotations

import ctypes
import gc


def settle() -> None:
    """Once all is loaded that will be: collect, and let the C library return what is free."""
    gc.collect()
    gc.freeze()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc has it, musl does not
    if trim is not None:
        trim(0)

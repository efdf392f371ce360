"""Leaves the lab what memory the agent does not need."""

from __future__ import annotations

import ctypes
import gc
from asyncio import sslproto

_READ_BYTES = 32 * 1024


def read_less() -> None:
    """Of TLS at once: asyncio has 256 KB ready for each connection, filled with zeroes.

    What comes in are keystrokes and pieces of files, in records of at most 16 KB.
    """
    sslproto.SSLProtocol.max_size = _READ_BYTES


def settle() -> None:
    """Once all is loaded that will be: collect, and let the C library return what is free."""
    gc.collect()
    gc.freeze()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc has it, musl does not
    if trim is not None:
        trim(0)

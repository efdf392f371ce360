"""Folders of an ext4 that only a key in the kernel can read; the key goes when it is unmounted.

What is written below such a folder reaches the disk encrypted: contents, names and link targets
(AES-256, the kernel's fscrypt). Sizes, times, owners, modes and extended attributes stay readable.
"""

from __future__ import annotations

import fcntl
import os
import struct
from pathlib import Path

# linux/fscrypt.h: ioctls and the two structures they take
_ADD_KEY, _SET_POLICY = 0xC0506617, 0x800C6613
_KEY_BYTES = 64
_BY_IDENTIFIER = 2
_IDENTIFIER = slice(8, 24)
_VERSION, _AES_256_XTS, _AES_256_CTS, _PAD_32 = 2, 1, 4, 3


def seal(folder: Path) -> None:
    """Encrypt all that will be in an empty folder, with a new key that nobody else ever has.

    Raises OSError where the kernel or the file system cannot.
    """
    at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    key = bytearray(struct.pack("II32xII32x", _BY_IDENTIFIER, 0, _KEY_BYTES, 0))
    key += os.urandom(_KEY_BYTES)
    try:
        fcntl.ioctl(at, _ADD_KEY, key)
        policy = struct.pack(
            "BBBBB3x16s", _VERSION, _AES_256_XTS, _AES_256_CTS, _PAD_32, 0, bytes(key[_IDENTIFIER])
        )
        fcntl.ioctl(at, _SET_POLICY, policy)
    finally:
        key[:] = bytes(len(key))
        os.close(at)

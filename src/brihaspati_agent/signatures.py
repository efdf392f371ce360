"""Ed25519 without asking for a package: `cryptography` where we are installed, else OpenSSL itself.

The archive that runs on rented machines has no compiled parts. Debian's Python has OpenSSL's own
library beside it, for TLS; it is called directly there.
"""

from __future__ import annotations

import ctypes
import functools
import zipimport
from pathlib import Path
from typing import Any, Protocol, Self

_ED25519 = 1087  # NID_ED25519, openssl/obj_mac.h
_RAW_BYTES = 32
_SIGNATURE_BYTES = 64


class Keys(Protocol):
    """What can be done with Ed25519 keys, which are 32 raw bytes each."""

    def verify(self, public: bytes, signature: bytes, message: bytes) -> bool:
        """Whether the signature is this key's."""
        ...

    def public_of(self, private: bytes) -> bytes:
        """The public half."""
        ...

    def sign(self, private: bytes, message: bytes) -> bytes:
        """64 bytes."""
        ...


class _Cryptography:
    """By the package."""

    def __init__(self) -> None:
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
        from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415

        self._wrong = InvalidSignature
        self._ed25519 = ed25519

    def verify(self, public: bytes, signature: bytes, message: bytes) -> bool:
        key = self._ed25519.Ed25519PublicKey.from_public_bytes(public)
        try:
            key.verify(signature, message)
        except self._wrong:
            return False
        return True

    def public_of(self, private: bytes) -> bytes:
        key = self._ed25519.Ed25519PrivateKey.from_private_bytes(private)
        return key.public_key().public_bytes_raw()

    def sign(self, private: bytes, message: bytes) -> bytes:
        return self._ed25519.Ed25519PrivateKey.from_private_bytes(private).sign(message)


class OpenSsl:
    """By OpenSSL's library. Raises OSError when there is none."""

    def __init__(self) -> None:
        self._lib: Any = ctypes.CDLL("libcrypto.so.3")
        for name in ("EVP_PKEY_new_raw_public_key", "EVP_PKEY_new_raw_private_key"):
            make = getattr(self._lib, name)
            make.restype = ctypes.c_void_p
            make.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]
        self._lib.EVP_MD_CTX_new.restype = ctypes.c_void_p
        for name in ("EVP_PKEY_free", "EVP_MD_CTX_free"):
            getattr(self._lib, name).argtypes = [ctypes.c_void_p]

    def verify(self, public: bytes, signature: bytes, message: bytes) -> bool:
        """Whether the signature is this key's."""
        with _Held(self._lib, self._lib.EVP_PKEY_new_raw_public_key, public) as held:
            begun = self._lib.EVP_DigestVerifyInit(held.context, None, None, None, held.key)
            sizes = ctypes.c_size_t(len(signature)), ctypes.c_size_t(len(message))
            good = self._lib.EVP_DigestVerify(held.context, signature, sizes[0], message, sizes[1])
            return bool(begun == 1 and good == 1)

    def public_of(self, private: bytes) -> bytes:
        """The public half."""
        out, size = ctypes.create_string_buffer(_RAW_BYTES), ctypes.c_size_t(_RAW_BYTES)
        with _Held(self._lib, self._lib.EVP_PKEY_new_raw_private_key, private) as held:
            done = self._lib.EVP_PKEY_get_raw_public_key(held.key, out, ctypes.byref(size))
        if done != 1:
            raise OSError("OpenSSL cannot read the key")
        return out.raw

    def sign(self, private: bytes, message: bytes) -> bytes:
        """64 bytes."""
        out, size = ctypes.create_string_buffer(_SIGNATURE_BYTES), ctypes.c_size_t(_SIGNATURE_BYTES)
        with _Held(self._lib, self._lib.EVP_PKEY_new_raw_private_key, private) as held:
            begun = self._lib.EVP_DigestSignInit(held.context, None, None, None, held.key)
            length = ctypes.c_size_t(len(message))
            done = self._lib.EVP_DigestSign(held.context, out, ctypes.byref(size), message, length)
        if begun != 1 or done != 1:
            raise OSError("OpenSSL cannot sign")
        return out.raw


class _Held:
    """A key and a context of OpenSSL, let go at the end."""

    def __init__(self, lib: Any, make: Any, raw: bytes) -> None:
        self._lib = lib
        key = make(_ED25519, None, raw, len(raw)) if len(raw) == _RAW_BYTES else None
        if not key:
            raise ValueError("an Ed25519 key has 32 bytes")
        self.key = ctypes.c_void_p(key)
        self.context = ctypes.c_void_p(lib.EVP_MD_CTX_new())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._lib.EVP_MD_CTX_free(self.context)
        self._lib.EVP_PKEY_free(self.key)


@functools.cache
def keys() -> Keys:
    """What there is here. From an archive OpenSSL itself, which costs no memory of its own."""
    archived = isinstance(getattr(__spec__, "loader", None), zipimport.zipimporter)
    if archived or not Path(__file__).exists():
        return OpenSsl()
    return _Cryptography()

"""Texts that the store must not have in plain: AES-256 in GCM, by the library cryptography."""

from __future__ import annotations

import base64
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12


class Vault:
    """`ports.names.Vault` by one key of 32 bytes."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, text: str, name: str) -> str:
        """Base64 of nonce and ciphertext; `name` is authenticated with it."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, text.encode(), name.encode())
        return base64.b64encode(nonce + sealed).decode()

    def open(self, sealed: str, name: str) -> str:
        """The text again. Raises ValueError."""
        data = base64.b64decode(sealed)
        try:
            text = self._cipher.decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], name.encode())
        except InvalidTag:
            raise ValueError(f"what is kept of {name} was not sealed by us for it") from None
        return text.decode()

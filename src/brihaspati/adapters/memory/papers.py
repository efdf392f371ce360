"""Keys and letters that live as long as the process."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ed25519


class Secrets:
    """Real Ed25519 and HMAC under keys made from a seed: the same again in every run."""

    def __init__(self, seed: bytes = b"test") -> None:
        self._root = hashlib.sha256(b"root" + seed).digest()
        private = hashlib.sha256(b"sign" + seed).digest()
        self._private = ed25519.Ed25519PrivateKey.from_private_bytes(private)

    def sign(self, message: bytes) -> bytes:
        """Ed25519 signature, 64 bytes."""
        return self._private.sign(message)

    def public_key(self) -> bytes:
        """The raw 32-byte public key."""
        return self._private.public_key().public_bytes_raw()

    def mac(self, purpose: str, message: bytes) -> bytes:
        """HMAC-SHA256 under a key of this purpose."""
        key = hmac.digest(self._root, purpose.encode(), "sha256")
        return hmac.digest(key, message, "sha256")


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter sent."""

    to: str
    subject: str
    text: str


class Mail:
    """Letters in a list."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []

    def send(self, to: str, subject: str, text: str) -> None:
        """Keep the letter. Raises ValueError for a line break in `to` or `subject`."""
        if "\n" in to + subject or "\r" in to + subject:
            raise ValueError("an address or subject has no line breaks")
        self.letters.append(Letter(to, subject, text))

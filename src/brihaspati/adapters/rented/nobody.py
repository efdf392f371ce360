"""A public SSH key that nobody has the private half of.

A cloud that gets no key mails a password, or wants one. The key is no secret chosen by us: its 32
bytes are the SHA-256 digest of the sentence below (with the first count at which they are a point
of the curve), so whoever doubts can make it again; to log in one would have to find a discrete
logarithm.
"""

from __future__ import annotations

import base64
import hashlib

SENTENCE = "brihaspati: nobody has the private half of this key"
_P = 2**255 - 19
_D = -121665 * pow(121666, -1, _P) % _P


def public_key() -> str:
    """The key as OpenSSH writes it."""
    point = next(filter(_is_point, (_digest(count) for count in range(256))))
    kind = b"ssh-ed25519"
    blob = b"".join(len(part).to_bytes(4, "big") + part for part in (kind, point))
    return f"ssh-ed25519 {base64.b64encode(blob).decode()}"


def _digest(count: int) -> bytes:
    return hashlib.sha256(f"{SENTENCE} {count}".encode()).digest()


def _is_point(encoded: bytes) -> bool:
    """Whether 32 bytes are a point of Ed25519 (RFC 8032, 5.1.3)."""
    y = int.from_bytes(encoded, "little") & (2**255 - 1)
    if y >= _P:
        return False
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    return pow(square, (_P - 1) // 2, _P) == 1


PUBLIC_KEY = public_key()

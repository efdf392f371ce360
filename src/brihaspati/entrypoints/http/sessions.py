"""Who is asking: a signed session cookie, read without a database.

Cookie text: base64url(JSON {"u": user id, "e": end in milliseconds}) "." base64url(HMAC-SHA256).
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable

Mac = Callable[[bytes], bytes]


def cookie_name(*, secure: bool) -> str:
    """`__Host-` binds the cookie to this host; browsers accept that only over https."""
    return "__Host-bh_session" if secure else "bh_session"


def issue(user: str, expires_at: int, mac: Mac) -> str:
    """The cookie text of a session."""
    payload = json.dumps({"u": user, "e": expires_at}, separators=(",", ":")).encode()
    return f"{_encode(payload)}.{_encode(mac(payload))}"


def read(text: str | None, now: int, mac: Mac) -> str | None:
    """The user id of a valid, unexpired session; None for anything else."""
    if not text:
        return None  # and no key need be fetched for nobody
    try:
        payload_text, _, mac_text = text.partition(".")
        payload = _decode(payload_text)
        if not hmac.compare_digest(mac(payload), _decode(mac_text)):
            return None
        said = json.loads(payload)
        return str(said["u"]) if now < int(said["e"]) else None
    except (ValueError, KeyError, TypeError):
        return None


def set_cookie(name: str, text: str, max_age_seconds: int, *, secure: bool) -> str:
    """The Set-Cookie header; an empty text and age 0 forget the session."""
    parts = [f"{name}={text}", "Path=/", f"Max-Age={max_age_seconds}", "HttpOnly", "SameSite=Lax"]
    return "; ".join([*parts, "Secure"] if secure else parts)


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

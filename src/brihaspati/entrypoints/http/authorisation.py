"""Which machine a request is from: by a boot token, or by the machine's own signature.

`Authorization: Bearer <token>` at the first boot, then `Authorization: Machine label=..., at=...,
signature=...`; docs/reference/ticket-and-terminal-protocol.md says what is signed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from typing import Any

from brihaspati.engine.engine import Engine
from brihaspati.engine.machines import Signed
from brihaspati.engine.problems import Problem
from brihaspati.entrypoints.http.routes import Visitor

PREFIX = b"brihaspati-machine-1\n"
_TOKEN = re.compile(r"Bearer ([A-Za-z0-9_-]{43})")
_MACHINE = re.compile(
    r"Machine label=([a-z0-9-]{1,64}), at=([0-9]{1,15}), signature=([A-Za-z0-9+/]{86}==)"
)

Event = Mapping[str, Any]


def visitor(engine: Engine, event: Event, *, boots: bool) -> Visitor:
    """Who asks; `boots`: only a token will do, else only a signature. Raises Problem."""
    http = event["requestContext"]["http"]
    given = event.get("headers", {}).get("authorization", "")
    if boots:
        token = _TOKEN.fullmatch(given)
        if token is None:
            raise Problem("not_signed_in", "No boot token came.", "Send Authorization: Bearer.")
        return Visitor(str(http["sourceIp"]), token=token[1])
    found = _MACHINE.fullmatch(given)
    if found is None:
        raise Problem("not_signed_in", "No machine signed this.", "Send Authorization: Machine.")
    label, at, encoded = found.groups()
    try:
        signature = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        raise Problem("not_signed_in", "The signature is no base64.") from None
    text = signed_text(http["method"], event["rawPath"], int(at), event.get("body") or "")
    known = engine.machines.identify(Signed(label, int(at), signature, text))
    return Visitor(str(http["sourceIp"]), known=known)


def signed_text(method: str, path: str, at: int, body: str) -> bytes:
    """What a machine signs of a request."""
    digest = hashlib.sha256(body.encode(errors="replace")).hexdigest()
    return PREFIX + f"{method}\n{path}\n{at}\n{digest}\n".encode()

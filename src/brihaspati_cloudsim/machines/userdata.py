"""What user data asks for: cloud-config, a script, or both in one MIME message."""

from __future__ import annotations

import email
from dataclasses import dataclass
from typing import Any

import yaml


@dataclass(frozen=True, slots=True)
class Wanted:
    """`config`: the merged cloud-config; `script`: what starts with `#!`, or ""."""

    config: dict[str, Any]
    script: str
    problem: str = ""


def read(user_data: str) -> Wanted:
    """What a server's user data asks for; a `problem` is for its log, as cloud-init has it."""
    if user_data.startswith(("Content-Type:", "MIME-Version:")):
        return _parts(user_data)
    if user_data.startswith("#cloud-config"):
        try:
            config = yaml.safe_load(user_data)
        except yaml.YAMLError as error:
            return Wanted({}, "", f"failed to load as yaml: {error}")
        if config is None or isinstance(config, dict):
            return Wanted(config or {}, "")
        return Wanted({}, "", "cloud-config is not a mapping")
    if user_data.startswith("#!"):
        return Wanted({}, user_data)
    return Wanted({}, "", "unhandled non-multipart user data" if user_data.strip() else "")


def _parts(user_data: str) -> Wanted:
    config: dict[str, Any] = {}
    script = ""
    for part in email.message_from_string(user_data).walk():
        if part.is_multipart():
            continue
        payload = part.get_payload(decode=True)
        found = read(payload.decode() if isinstance(payload, bytes) else str(payload))
        config |= found.config
        script = script or found.script
    return Wanted(config, script)

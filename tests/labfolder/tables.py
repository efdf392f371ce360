"""Writes the tables of the reference, given its path: `python tests/labfolder/tables.py PAGE`.

They stand between `<!-- table NAME -->` and `<!-- end -->`; NAME is a part of the schema.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from brihaspati.adapters.labfolder import schema

PARTS = ("lab", "machine", "port", "network", "terminal", "step", "check", "question", "option")
_TABLE = re.compile(r"(<!-- table (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def _value(member: Mapping[str, Any]) -> str:
    resolved = schema.resolve(member)
    if "enum" in resolved:
        return ", ".join(f"`{item}`" for item in resolved["enum"])
    if "const" in resolved:
        return f"`{resolved['const']}`"
    if resolved["type"] == "array":
        inner = schema.resolve(resolved["items"])
        of = "groups" if inner["type"] == "object" else _plain(inner)
        return f"list of {resolved.get('minItems', 0)} to {resolved['maxItems']}: {of}"
    if resolved["type"] == "object":
        return "group of `name: value` lines"
    return _plain(resolved)


def _plain(resolved: Mapping[str, Any]) -> str:
    return schema.expected(resolved)


def _default(name: str, member: Mapping[str, Any], part: Mapping[str, Any]) -> str:
    if name in part.get("required", ()):
        return "required"
    default = member.get("default")
    shown = default if isinstance(default, str) else json.dumps(default)
    return "" if default in (None, [], {}) else f"`{shown}`"


def table(name: str) -> str:
    """The table of one part of the schema."""
    part = schema.load() if name == "lab" else schema.load()["$defs"][name]
    rows = [
        f"| `{key}` | {member['description']} | {_value(member)} | {_default(key, member, part)} |"
        for key, member in part["properties"].items()
    ]
    head = "| Key | Meaning | Value | If left out |\n|-----|---------|-------|-------------|\n"
    return head + "\n".join(rows) + "\n"


def filled(page: str) -> str:
    """The page with its tables made anew."""
    return _TABLE.sub(lambda found: f"{found[1]}{table(found[2])}{found[3]}", page)


def names(page: str) -> list[str]:
    """The parts a page has tables of."""
    return [found[2] for found in _TABLE.finditer(page)]


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(filled(path.read_text()))

"""The files socket: what the lab page's editor asks of the machines.

| op | also takes | answers |
|---|---|---|
| list | path (none: the home folder) | path, entries, truncated |
| read | path | size, mode, writable, then data and binary and version, or large |
| write | path, data, version? | version |
| mkdir, remove | path | |
| rename | path, to | |

Bytes travel as base64. A `version` is the SHA-256 of a file's bytes: a write that names one is
refused with the kind "changed" when the file is another by now; `"new"` means there must be none.
All is done as the machine's own user, by small scripts in the machine.
"""

from __future__ import annotations

import base64
import hashlib
import posixpath
import re
import stat
from collections.abc import Callable, Sequence
from typing import Any

from brihaspati_agent import file_scripts, places
from brihaspati_agent.requests import Act, Problem, RequestSocket, absolute_path, given_bytes

FILE_BYTES_MAX = 512 * 1024
ENTRIES_MAX = 2000
_SECONDS = 20
_LISTING_BYTES_MAX = 1024 * 1024
_VERSION = re.compile(r"[0-9a-f]{64}|new|any")
_ENTRY = re.compile(r"(?P<link>L?)(?P<mode>[0-9a-f]+) (?P<size>\d+) \./(?P<name>[^\n]+)")
_KINDS = {stat.S_IFDIR: "folder", stat.S_IFREG: "file"}


def _script(place: places.Place, script: str, *given: str, stdin: bytes = b"") -> bytes:
    """What a script printed. Raises Problem with what its exit status means."""
    return _outcome(place, script, given, stdin, 64 * 1024)


def _outcome(
    place: places.Place, script: str, given: Sequence[str], stdin: bytes, bytes_max: int
) -> bytes:
    outcome = place.run(
        ["/bin/sh", "-c", script, "sh", *given],
        stdin=stdin,
        timeout_seconds=_SECONDS,
        output_bytes_max=bytes_max,
    )
    if outcome.timed_out:
        raise Problem("the machine took too long", "slow")
    if outcome.code == 0:
        return outcome.output
    if outcome.code == file_scripts.WRONG_KIND:
        is_list = script is file_scripts.LIST
        raise Problem("this is not a folder" if is_list else "this is a folder", "wrong_kind")
    if outcome.code in file_scripts.SAID:
        kind, words = file_scripts.SAID[outcome.code]
        raise Problem(words, kind)
    lines = outcome.error.decode(errors="replace").strip().splitlines()
    raise Problem(lines[-1][:200] if lines else "this did not work")


def _list(request: dict[str, Any]) -> Act:
    path = absolute_path(request) if request.get("path") is not None else ""

    def act(place: places.Place) -> dict[str, Any]:
        given = [path, str(ENTRIES_MAX + 1)]
        output = _outcome(place, file_scripts.LIST, given, b"", _LISTING_BYTES_MAX)
        where, _, listing = output.decode(errors="surrogateescape").partition("\n")
        entries = _entries(listing)
        shown = sorted(entries, key=lambda e: (e["kind"] != "folder", e["name"].casefold()))
        many = len(entries) > ENTRIES_MAX
        return {"path": where, "entries": shown[:ENTRIES_MAX], "truncated": many}

    return act


def _entries(listing: str) -> list[dict[str, Any]]:
    """The entries of a listing. Names that are not text, or have line breaks, are left out."""
    found: dict[str, dict[str, Any]] = {}
    for line in listing.split("\n"):
        entry = _ENTRY.fullmatch(line)
        if entry is None or not _is_text(entry["name"]):
            continue
        mode = int(entry["mode"], 16)
        found[entry["name"]] = {
            "name": entry["name"],
            "kind": _KINDS.get(stat.S_IFMT(mode), "other"),
            "link": bool(entry["link"]),
            "size": int(entry["size"]),
            "mode": stat.S_IMODE(mode),
        }
    return list(found.values())


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _read(request: dict[str, Any]) -> Act:
    path = absolute_path(request)

    def act(place: places.Place) -> dict[str, Any]:
        given = [path, str(FILE_BYTES_MAX)]
        output = _outcome(place, file_scripts.READ, given, b"", FILE_BYTES_MAX + 256)
        head, _, data = output.partition(b"\n")
        size, mode, writable = head.decode().split()
        about = {"size": int(size), "mode": int(mode, 8), "writable": writable == "w"}
        if int(size) > FILE_BYTES_MAX or len(data) > FILE_BYTES_MAX:
            return {**about, "large": True}
        return {
            **about,
            "large": False,
            "data": base64.b64encode(data).decode(),
            "binary": _is_binary(data),
            "version": hashlib.sha256(data).hexdigest(),
        }

    return act


def _is_binary(data: bytes) -> bool:
    try:
        return "\0" in data.decode()
    except UnicodeDecodeError:
        return True


def _write(request: dict[str, Any]) -> Act:
    path, data = absolute_path(request), given_bytes(request, "data")
    expected = request.get("version", "any")
    if not isinstance(expected, str) or not _VERSION.fullmatch(expected):
        raise Problem('"version" is what a read answered, or "new"')
    if path.endswith("\n"):
        raise Problem("a name here cannot end with a line break")  # the shell would drop it
    if len(data) > FILE_BYTES_MAX:
        raise Problem(f"a file here has at most {FILE_BYTES_MAX} bytes", "large")

    def act(place: places.Place) -> dict[str, Any]:
        version = hashlib.sha256(data).hexdigest()
        _script(place, file_scripts.WRITE, path, expected, version, stdin=data)
        return {"version": version}

    return act


def _mkdir(request: dict[str, Any]) -> Act:
    return _plain(file_scripts.MKDIR, absolute_path(request))


def _rename(request: dict[str, Any]) -> Act:
    return _plain(file_scripts.RENAME, _not_all(request), absolute_path(request, "to"))


def _remove(request: dict[str, Any]) -> Act:
    return _plain(file_scripts.REMOVE, _not_all(request))


def _plain(script: str, *given: str) -> Act:
    def act(place: places.Place) -> dict[str, Any]:
        _script(place, script, *given)
        return {}

    return act


def _not_all(request: dict[str, Any]) -> str:
    """A path that is not the whole file system."""
    path = absolute_path(request)
    if posixpath.normpath(path).strip("/") == "":
        raise Problem("not the whole file system", "denied")
    return path


_OPERATIONS: dict[str, Callable[[dict[str, Any]], Act]] = {
    "list": _list,
    "read": _read,
    "write": _write,
    "mkdir": _mkdir,
    "rename": _rename,
    "remove": _remove,
}


class FilesSocket(RequestSocket):
    """An editor that works on the files of the machines."""

    permission = "files"
    operations = _OPERATIONS
    by_hand = frozenset(_OPERATIONS) - {"list"}
    alone = frozenset({"write"})

"""Style has numbers and reasons; an exception is listed with its reason."""

from __future__ import annotations

import ast
import functools
import json
import pathlib
import re
from collections.abc import Iterator

import pytest

from tidy import tracked
from tidy.tracked import Breach

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 40
ARGUMENTS_MAX = 6
LINE_LENGTH_MAX = 100
VAGUE_NAMES = {"util", "utils", "helper", "helpers", "common", "manager", "managers", "misc"}
PATCHING = {"unittest.mock", "mock", "pytest_mock"}

# Where somebody's machine or CI keeps its clones. Spelled so that this file is no match itself.
PLACES = re.compile(r"(?<![\w.}@])/(wor[k]|workspac[e]|build[s])/\w")
REGISTRIES = re.compile(r"npm[j]s\.|yarn[p]kg\.|\bpy[p]i\.org|python[h]osted")
# A list of style classes, a drawing's path or an address is one word to its reader.
# So is a remark to a linter at the end of a line, which cannot stand elsewhere.
PRAGMA = re.compile(r"  (# (noqa|type:|pragma:)|// eslint-).*$")
UNBREAKABLE = re.compile(r"""\b(class|d)="[^"]{50,}|https?://\S{50,}""")
CLEAN_LINES = (".py", ".ts", ".vue", ".yaml", ".yml", ".toml", ".css", ".md", "Makefile")


def _python() -> list[str]:
    return [name for name in tracked.code() if name.endswith(".py")]


def _long_files() -> Iterator[Breach]:
    for name in tracked.code():
        lines = tracked.text(name).splitlines()
        if len(lines) > FILE_LINES_MAX:
            yield Breach("file lines", name, "", f"{len(lines)} > {FILE_LINES_MAX}")
        breakable = [PRAGMA.sub("", line) for line in lines if not UNBREAKABLE.search(line)]
        longest = max(map(len, breakable), default=0)
        if longest > LINE_LENGTH_MAX:
            yield Breach("line length", name, "", f"{longest} > {LINE_LENGTH_MAX}")


def _large_functions() -> Iterator[Breach]:
    for name in _python():
        for where, function in tracked.functions(tracked.tree(name)):
            lines = tracked.function_lines(function)
            if lines > FUNCTION_LINES_MAX:
                yield Breach("function lines", name, where, f"{lines} > {FUNCTION_LINES_MAX}")
            arguments = tracked.argument_count(function)
            # A test's arguments are its fixtures, not something a caller has to get right.
            if arguments > ARGUMENTS_MAX and not name.startswith("tests/"):
                yield Breach("arguments", name, where, f"{arguments} > {ARGUMENTS_MAX}")


def _vague_modules() -> Iterator[Breach]:
    for name in tracked.code():
        for part in pathlib.PurePosixPath(name).with_suffix("").parts:
            if part.lower() in VAGUE_NAMES:
                yield Breach("vague name", name, "", f"{part!r} says nothing of what is in it")


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module:
        return [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return []


def _patches() -> Iterator[Breach]:
    for name in _python():
        for node in ast.walk(tracked.tree(name)):
            for module in PATCHING.intersection(_imported(node)):
                yield Breach("patching", name, "", f"{module}: write a fake instead")
            sets = isinstance(node, ast.Attribute) and node.attr == "setattr"
            if sets and ast.unparse(node) == "monkeypatch.setattr":
                yield Breach("patching", name, "", "monkeypatch.setattr: pass a fake in")
    for name in tracked.code():
        if name.endswith((".ts", ".vue")) and re.search(r"\b(vi|jest)\.mock\(", tracked.text(name)):
            yield Breach("patching", name, "", "a mocked module: pass a fake in")


def _name(node: ast.expr) -> str:
    """The last word of what is called, or ""."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _plain_sleeps(node: ast.AST, *, polling: bool = False) -> Iterator[ast.Call]:
    """Calls of time.sleep or asyncio.sleep outside a loop: a guess at how long something takes."""
    for child in ast.iter_child_nodes(node):
        looped = polling or isinstance(child, ast.While | ast.For | ast.AsyncFor)
        if isinstance(child, ast.Call) and not polling and _name(child.func) == "sleep":
            called = ast.unparse(child.func)
            gives_way = child.args and ast.unparse(child.args[0]) == "0"
            if called in {"time.sleep", "asyncio.sleep", "sleep"} and not gives_way:
                yield child
        yield from _plain_sleeps(child, polling=looped)


def _sleeps() -> Iterator[Breach]:
    for name in _python():
        if name.startswith("tests/"):
            for call in _plain_sleeps(tracked.tree(name)):
                what = f"line {call.lineno}: wait for the condition in a loop with a deadline"
                yield Breach("sleep in a test", name, "", what)


RULES = {
    "files": _long_files,
    "functions": _large_functions,
    "names": _vague_modules,
    "patching": _patches,
    "sleeps": _sleeps,
}


@functools.cache
def _breaches(rule: str) -> tuple[Breach, ...]:
    """All of the code is read for it, so once is enough."""
    return tuple(RULES[rule]())


@pytest.mark.parametrize("rule", RULES)
def test_code_keeps_the_measures_of_style(rule: str) -> None:
    allowed = {(e["rule"], e["path"], e.get("where", "")) for e in tracked.exceptions()}
    found = [b for b in _breaches(rule) if (b.rule, b.path, b.where) not in allowed]
    assert not found, "\n" + "\n".join(map(str, found))


def test_every_exception_has_a_reason_and_is_still_needed() -> None:
    needed = {(b.rule, b.path, b.where) for rule in RULES for b in _breaches(rule)}
    for entry in tracked.exceptions():
        assert len(entry.get("reason", "").split()) >= 4, f"say why: {entry}"
        key = (entry["rule"], entry["path"], entry.get("where", ""))
        assert key in needed, f"no longer needed: {key}"


def test_no_file_names_a_place_or_a_package_registry() -> None:
    for name in tracked.files():
        content = tracked.text(name)
        assert not (found := PLACES.search(content)), f"{name}: {found}"
        assert not (found := REGISTRIES.search(content)), f"{name}: {found}"


def test_lock_files_pin_hashes_and_name_no_host() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        content = tracked.text(name)
        assert "://" not in content, name
        pinned = len(re.findall(r"^[a-z0-9].*==", content, re.MULTILINE))
        hashed = len(re.findall(r"^[a-z0-9].*\\\n    --hash=sha256:", content, re.MULTILINE))
        assert pinned == hashed > 10, name


def test_npm_lock_pins_hashes_and_names_no_host() -> None:
    packages = json.loads(tracked.text("web/package-lock.json"))["packages"]
    for name, package in packages.items():
        assert "resolved" not in package, name
        assert not name or "integrity" in package or package.get("link"), name


def test_text_files_are_plain_and_end_with_a_newline() -> None:
    for name in tracked.files():
        content = tracked.text(name)
        if not content:
            continue
        ended = content.endswith("\n") or name.endswith(".json")  # programs write those
        assert ended, f"{name}: no newline at the end"
        assert "\r" not in content, f"{name}: carriage return"
        assert not re.search(r"^(<{7}|>{7}) ", content, re.MULTILINE), f"{name}: merge marker"
        if name.endswith(CLEAN_LINES):
            assert not re.search(r"[ \t]+$", content, re.MULTILINE), f"{name}: trailing space"

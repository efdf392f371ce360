"""Which files the tidy tests look at, and the measures they take."""

from __future__ import annotations

import ast
import pathlib
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parents[2]
CODE_FOLDERS = ("src/", "tests/", "bench/", "web/src/")
CODE_SUFFIXES = (".py", ".vue", ".ts")
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Breach:
    """One rule broken at one place; `where` is a function's dotted name or "" for the file."""

    rule: str
    path: str
    where: str
    measure: str

    def __str__(self) -> str:
        return f"{self.path} {self.where}: {self.rule}: {self.measure}"


def files() -> list[str]:
    """Every file that is, or with the next commit would be, in the repository."""
    # safe.directory: a clone made by another user is fine to read.
    listing = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "-co", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    names = listing.stdout.decode().split("\0")
    return sorted({name for name in names if name and (ROOT / name).is_file()})


def code() -> list[str]:
    """The files that the measures of style apply to."""
    return [
        name for name in files() if name.startswith(CODE_FOLDERS) and name.endswith(CODE_SUFFIXES)
    ]


def text(name: str) -> str:
    """The content of a repository file, or "" for one that is not text."""
    try:
        return (ROOT / name).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def tree(name: str) -> ast.Module:
    """A Python file, parsed."""
    return ast.parse(text(name), filename=name)


def functions(node: ast.AST, inside: str = "") -> Iterator[tuple[str, Function]]:
    """Every function under a node with its dotted name."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{inside}{child.name}", child
            yield from functions(child, f"{inside}{child.name}.")
        elif isinstance(child, ast.ClassDef):
            yield from functions(child, f"{inside}{child.name}.")
        else:
            yield from functions(child, inside)


def function_lines(function: Function) -> int:
    """Lines from `def` to the end, without the docstring."""
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    if ast.get_docstring(function, clean=False) is not None:
        doc = function.body[0]
        lines -= (doc.end_lineno or doc.lineno) - doc.lineno + 1
    return lines


def argument_count(function: Function) -> int:
    """Arguments a caller gives; self and cls do not count."""
    given = function.args
    named = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    return len([argument for argument in named if argument.arg not in {"self", "cls"}])


def exceptions() -> list[dict[str, str]]:
    """The listed exceptions: rule, path, where (optional) and the reason for each."""
    listed = tomllib.loads(text("tests/tidy/exceptions.toml"))
    return list(listed.get("exception", []))

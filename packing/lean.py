"""Others' modules without what only people and type checkers read: an eighth of a cold start.

What goes are docstrings of modules and functions (classes keep theirs: dataclasses would write one
instead), the keys of typed dictionaries that nobody asks for, and types that no field of ours has.
Every line stays where it was, so that tracebacks tell the lines of the published sources.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

# Modules whose typed dictionaries are there for type checkers alone; each is a hundredth of theirs.
PLAIN = ("pydantic_core/core_schema.py",)
# Types that pydantic has a form for, and that no field of ours is of. A test compares our API.
UNSAID: Mapping[str, tuple[str, ...]] = {
    "pydantic/_internal/_generate_schema.py": ("fractions", "zoneinfo"),
    "pydantic/_internal/_validators.py": ("fractions", "zoneinfo"),
    "pydantic_core/core_schema.py": ("fractions",),
}
_DOCUMENTED = ast.Module | ast.FunctionDef | ast.AsyncFunctionDef
_TYPED = "TypedDict"


def rewrite(folder: Path) -> None:
    """Rewrite every module in a folder of sources."""
    for path in sorted(folder.rglob("*.py")):
        name = str(path.relative_to(folder))
        text = path.read_bytes()
        if name in PLAIN:
            text = plain(text)
        text = unsaid(text, UNSAID.get(name, ()))
        path.write_bytes(silent(text))


def silent(source: bytes) -> bytes:
    """The source of a module, its docstring and those of its functions empty."""
    return _replaced(source, dict.fromkeys(_docstrings(ast.parse(source)), "''"))


def _docstrings(tree: ast.Module) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            said = node.body[0]
            assert isinstance(said, ast.Expr)
            yield said.value


def plain(source: bytes) -> bytes:
    """The source of a module, its typed dictionaries plain ones."""
    forms, changes = {_TYPED}, dict[ast.AST, str]()
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef) and any(
            isinstance(base, ast.Name) and base.id in forms for base in node.bases
        ):
            forms.add(node.name)
            changes[node] = f"{node.name} = dict"
    return _replaced(source, changes)


def unsaid(source: bytes, modules: tuple[str, ...]) -> bytes:
    """The source of a module, with types that nothing is of instead of those of some modules."""
    changes: dict[ast.AST, str] = {
        node: "; ".join(
            f"{one.asname or one.name} = type({one.name!r}, (Exception,), {{}})"
            for one in node.names
        )
        for node in ast.parse(source).body
        if isinstance(node, ast.ImportFrom) and node.module in modules
    }
    return _replaced(source, changes)


def _replaced(source: bytes, changes: Mapping[ast.AST, str]) -> bytes:
    """The source with other text in the places of nodes, and with as many lines."""
    lines = source.splitlines(keepends=True)
    for node, text in sorted(changes.items(), key=lambda one: _place(one[0]), reverse=True):
        (first, begin), (last, end) = _place(node), _end(node)
        line = lines[first][:begin] + text.encode() + lines[last][end:]
        lines[first : last + 1] = [line, *[b"\n"] * (last - first)]
    return b"".join(lines)


def _place(node: ast.AST) -> tuple[int, int]:
    assert isinstance(node, ast.expr | ast.stmt)
    return node.lineno - 1, node.col_offset


def _end(node: ast.AST) -> tuple[int, int]:
    assert isinstance(node, ast.expr | ast.stmt)
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    return node.end_lineno - 1, node.end_col_offset

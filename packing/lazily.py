"""Packages that import all they have when any of it is wanted, made to import what is asked for.

`aws_lambda_powertools.event_handler` has routers of six kinds, with asyncio for one of them; we use
one. Names are the same and are found in the same places, only later.
"""

from __future__ import annotations

import ast
from pathlib import Path

# Packages whose names are looked up at their first use.
LAZY = (
    "aws_lambda_powertools",
    "aws_lambda_powertools/event_handler",
    "aws_lambda_powertools/utilities/data_classes",
)
# Functions that are called at most once, and what they come from is large.
LATE = {
    "pydantic/plugin/_loader.py": ("importlib.metadata", "entry_points"),
    "aws_lambda_powertools/package_logger.py": (
        "aws_lambda_powertools.logging.logger",
        "set_package_logger",
    ),
}
_FIND = """
def __getattr__(name):
    import importlib
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, inside = _PLACES[name]
    found = globals()[name] = getattr(importlib.import_module(module), inside)
    return found
"""


def rewrite(folder: Path) -> None:
    """Rewrite these packages in a folder of sources; those that are not there are left out."""
    for package in LAZY:
        path = folder / package / "__init__.py"
        if path.exists():
            path.write_text(lazy(path.read_text(), package.replace("/", ".")))
    for name, (module, function) in LATE.items():
        path = folder / name
        if path.exists():
            path.write_text(late(path.read_text(), module, function))


def late(source: str, module: str, function: str) -> str:
    """The source of a module that imports this function when it calls it."""
    line = f"from {module} import {function}"
    inside = f"    {line} as found\n    return found(*given, **named)"
    return source.replace(f"\n{line}\n", f"\ndef {function}(*given, **named):\n{inside}\n", 1)


def lazy(source: str, package: str) -> str:
    """The source of a package with what it imports from its own modules found when it is wanted.

    What its own top level uses is imported as before, and so is a name that is also a module's:
    who imports that module would find it instead.
    """
    tree = ast.parse(source)
    kept, places = list[ast.stmt](), dict[str, tuple[str, str]]()
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    for statement in tree.body:
        module = _own(statement, package)
        if module is None:
            kept.append(statement)
            continue
        assert isinstance(statement, ast.ImportFrom)
        now = []
        for one in statement.names:
            name = one.asname or one.name
            if name in used or name == module.rpartition(".")[2]:
                now.append(one)
            else:
                places[name] = (module, one.name)
        if now:
            kept.append(ast.ImportFrom(statement.module, now, statement.level))
    text = ast.unparse(ast.fix_missing_locations(ast.Module(kept, [])))
    return f"{text}\n_PLACES = {places!r}\n{_FIND}"


def _own(statement: ast.stmt, package: str) -> str | None:
    """The whole name of the module of the package that a statement imports from, if it does."""
    if not isinstance(statement, ast.ImportFrom) or statement.names[0].name == "*":
        return None
    if statement.level == 1 and statement.module:
        return f"{package}.{statement.module}"
    own = (statement.module or "").startswith(f"{package}.")
    return statement.module if own and not statement.level else None

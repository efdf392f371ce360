"""Which functions there are, and what each can ever import: only that goes into its zip."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "src"
OURS = ("brihaspati", "brihaspati_agent")
HANDLERS = "brihaspati.wiring.functions"
# What a handler hands to Lambda is called so, in every module that is one.
HANDLER = "handler"
# Packages that import nothing when they are imported: what their functions import is of the
# command line, which no function has.
COMMANDS = ("brihaspati.wiring",)


class NoFunctions(Exception):  # noqa: N818 - said to a person, in one line
    """There is nothing to pack."""


@dataclass(frozen=True, slots=True)
class Function:
    """One function: our modules it may import, and the top-level names of others'."""

    name: str
    module: str
    ours: frozenset[str]
    others: frozenset[str]

    def files(self) -> list[Path]:
        """Our files of the function, with the data that lies beside its packages."""
        found: set[Path] = set()
        for module in self.ours:
            path = SOURCES.joinpath(*module.split("."))
            if path.is_dir():
                found |= {path / "__init__.py", *path.glob("*.json"), *path.glob("*.txt")}
            else:
                found.add(path.with_suffix(".py"))
        return sorted(found)


def functions(handlers: Mapping[str, str] | None = None) -> list[Function]:
    """Every function, by the modules that define a handler. Raises NoFunctions."""
    modules = handlers if handlers is not None else _handlers()
    if not modules:
        raise NoFunctions(f"no module of {HANDLERS} defines `{HANDLER}`")
    graph = grimp.build_graph(
        *OURS, include_external_packages=True, exclude_type_checking_imports=True
    )
    for command in COMMANDS:
        for imported in graph.find_modules_directly_imported_by(command):
            graph.remove_import(importer=command, imported=imported)
    return [_function(graph, name, module) for name, module in sorted(modules.items())]


def _function(graph: grimp.ImportGraph, name: str, module: str) -> Function:
    reached = graph.find_upstream_modules(module) | {module}
    ours = _of_ours(reached)
    # Importing a module imports the packages it lies in, and what those import.
    while True:
        parents = {parent for one in ours for parent in _parents(one)} - ours
        if not parents:
            break
        for one in {one for parent in parents for one in _at_once(graph, parent)}:
            reached |= graph.find_upstream_modules(one) | {one}
        ours |= parents | _of_ours(reached)
    others = {one.partition(".")[0] for one in reached - ours}
    return Function(name, module, frozenset(ours), frozenset(others))


def _of_ours(modules: Iterable[str]) -> set[str]:
    return {one for one in modules if one.partition(".")[0] in OURS}


def _at_once(graph: grimp.ImportGraph, package: str) -> set[str]:
    """What a package imports when it is imported, without what its functions import when called."""
    body = ast.parse(SOURCES.joinpath(*package.split("."), "__init__.py").read_text()).body
    lines = {node.lineno for node in body if isinstance(node, ast.Import | ast.ImportFrom)}
    return {
        imported
        for imported in graph.find_modules_directly_imported_by(package)
        for said in graph.get_import_details(importer=package, imported=imported)
        if said["line_number"] in lines
    }


def _parents(module: str) -> Iterable[str]:
    parts = module.split(".")
    return (".".join(parts[:count]) for count in range(1, len(parts)))


def _handlers() -> dict[str, str]:
    folder = SOURCES.joinpath(*HANDLERS.split("."))
    return {
        path.stem: f"{HANDLERS}.{path.stem}"
        for path in sorted(folder.glob("*.py"))
        if _defines(path, HANDLER)
    }


def _defines(path: Path, name: str) -> bool:
    """Whether a module has this name at its top level."""
    for node in ast.parse(path.read_text()).body:
        match node:
            case ast.FunctionDef():
                names = [node.name]
            case ast.Assign():
                names = [target.id for target in node.targets if isinstance(target, ast.Name)]
            case ast.AnnAssign(target=ast.Name() as target):
                names = [target.id]
            case _:
                names = []
        if name in names:
            return True
    return False

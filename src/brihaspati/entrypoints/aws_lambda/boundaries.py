"""Which function answers which route: by who may ask, so that each needs few rights.

Modules of routes are named here and not imported: a function imports its own, and no others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from types import ModuleType

from brihaspati.entrypoints.http import gate

# Every module of routes is in exactly one; a test says so.
BOUNDARIES: Mapping[str, tuple[str, ...]] = {
    "auth": ("public",),
    "api_student": ("student", "guide"),
    "api_trainer": ("trainer",),
    "machines": ("machines",),
}
DOCUMENT = "GET /v1/openapi.json"


def modules(function: str) -> tuple[ModuleType, ...]:
    """The modules of a function's routes."""
    return tuple(import_module(f"brihaspati.entrypoints.http.{m}") for m in BOUNDARIES[function])


def check(function: str, given: Iterable[ModuleType]) -> None:
    """Raises ValueError when a function was given other routes than are within its boundary."""
    names = tuple(module.__name__.rpartition(".")[2] for module in given)
    if names != BOUNDARIES[function]:
        raise ValueError(f"{function} answers {BOUNDARIES[function]}, not {names}")


def addresses(function: str) -> Sequence[str]:
    """Routes of a function as an HTTP API has them: "GET /v1/classes/{class_id}"."""
    table = gate.routes_of(modules(function))
    found = [f"{r.method} {r.rule.replace('<', '{').replace('>', '}')}" for r in table]
    return [*found, DOCUMENT] if function == "auth" else found

"""Which function answers which route: by who may ask, so that each needs few rights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import ModuleType

from brihaspati.entrypoints.http import api, guide, machines, public, student, trainer

# Every module of routes is in exactly one; a test says so.
BOUNDARIES: Mapping[str, tuple[ModuleType, ...]] = {
    "auth": (public,),
    "api_student": (student, guide),
    "api_trainer": (trainer,),
    "machines": (machines,),
}
DOCUMENT = "GET /v1/openapi.json"


def addresses(function: str) -> Sequence[str]:
    """Routes of a function as an HTTP API has them: "GET /v1/classes/{class_id}"."""
    table = api.routes_of(BOUNDARIES[function])
    found = [f"{r.method} {r.rule.replace('<', '{').replace('>', '}')}" for r in table]
    return [*found, DOCUMENT] if function == "auth" else found

"""The whole HTTP API: the gate with every route there is. Functions have some of them each."""

from __future__ import annotations

import json
from collections.abc import Iterable
from types import ModuleType
from typing import Any

from brihaspati import __version__
from brihaspati.engine.engine import Engine
from brihaspati.entrypoints.http import gate, guide, machines, public, routes, student, trainer
from brihaspati.entrypoints.http.addresses import Addresses

# Importing the modules is what fills the table.
MODULES = (public, student, guide, trainer, machines)


class Api(gate.Gate):
    """The gate with every route, or with those of some modules."""

    def __init__(
        self,
        engine: Engine,
        addresses: Addresses,
        archive: routes.Archive | None = None,
        *,
        modules: Iterable[ModuleType] = MODULES,
    ) -> None:
        super().__init__(engine, addresses, archive, modules=modules)


def openapi() -> dict[str, Any]:
    """The OpenAPI 3.1 document of the API."""
    text = gate.resolver(routes.TABLE).get_openapi_json_schema(
        title="Brihaspati",
        version=__version__,
        description="Errors are RFC 9457 problems; moments are milliseconds since the epoch.",
    )
    document: dict[str, Any] = json.loads(text)
    return document

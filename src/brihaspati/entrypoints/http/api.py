"""The whole HTTP API: the gate with every route there is. Functions have some of them each."""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType

from brihaspati.engine.engine import Engine
from brihaspati.entrypoints.http import document, gate, routes
from brihaspati.entrypoints.http.addresses import Addresses


class Api(gate.Gate):
    """The gate with every route, or with those of some modules."""

    def __init__(
        self,
        engine: Engine,
        addresses: Addresses,
        archive: routes.Archive | None = None,
        *,
        modules: Iterable[ModuleType] = document.MODULES,
    ) -> None:
        super().__init__(engine, addresses, archive, modules=modules)

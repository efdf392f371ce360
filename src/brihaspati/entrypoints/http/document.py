"""The OpenAPI document: every route there is, whichever of them a process answers."""

from __future__ import annotations

import json
from typing import Any

from brihaspati import __version__
from brihaspati.entrypoints.http import (
    guide,
    machines,
    public,
    resolving,
    routes,
    student,
    trainer,
)

# Importing the modules is what fills the table.
MODULES = (public, student, guide, trainer, machines)


def openapi() -> dict[str, Any]:
    """The OpenAPI 3.1 document of the API."""
    text = resolving.resolver(routes.TABLE).get_openapi_json_schema(
        title="Brihaspati",
        version=__version__,
        description="Errors are RFC 9457 problems; moments are milliseconds since the epoch.",
    )
    built: dict[str, Any] = json.loads(text)
    return built

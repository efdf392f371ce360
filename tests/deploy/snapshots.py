"""The template without what differs from day to day, to see in a change what it does to it."""

from __future__ import annotations

import json
import re
from typing import Any

# osls puts a digest of the zip into the name of a version, and the hour into the zip's place.
VOLATILE = (
    (re.compile(r"(LambdaVersion)[A-Za-z0-9]{20,}"), r"\1"),
    (re.compile(r"(serverless/brihaspati/prod)/[^/]+/"), r"\1/then/"),
)
ROUTE = "AWS::ApiGatewayV2::Route"


def normal(template: dict[str, Any]) -> str:
    """As JSON, and without its routes: those are in deploy/routes.json already."""
    text = json.dumps(template)
    for volatile, instead in VOLATILE:
        text = volatile.sub(instead, text)
    found: dict[str, Any] = json.loads(text, object_pairs_hook=_without_digests)
    found["Resources"] = {
        name: one for name, one in found["Resources"].items() if one["Type"] != ROUTE
    }
    return json.dumps(found, indent=1, sort_keys=True) + "\n"


def _without_digests(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return {name: value for name, value in pairs if name != "CodeSha256"}

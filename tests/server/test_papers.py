"""What a server tells anybody, beside its pages and its API."""

from __future__ import annotations

import json
import urllib.request

from brihaspati.adapters import labfolder
from brihaspati.entrypoints.cli.fresh import FreshServer


def test_editors_read_the_schema_of_lab_yaml_from_any_server(server: FreshServer) -> None:
    with urllib.request.urlopen(f"{server.address}/lab.schema.json") as answer:
        assert answer.headers["Content-Type"].startswith("application/schema+json")
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert json.loads(answer.read()) == labfolder.json_schema()

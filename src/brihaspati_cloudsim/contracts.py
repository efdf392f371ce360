"""The providers' own documents: which operations there are, and what a request may say.

The documents are data beside this file, trimmed. Their known defects are mended when they are
read, one by one, so that what is vendored stays as published (see data/README.md).
"""

from __future__ import annotations

import functools
import importlib.resources
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jsonschema
import referencing
import referencing.jsonschema

Json = dict[str, Any]
METHODS = ("get", "post", "put", "patch", "delete")
URN = "urn:contract"


@dataclass(frozen=True)
class Operation:
    """One operation of a document. `segments` holds None where the path has a parameter."""

    id: str
    method: str
    path: str
    segments: tuple[str | None, ...]
    names: tuple[str, ...]
    body: jsonschema.Draft4Validator | None
    query: Mapping[str, jsonschema.Draft4Validator]
    answers: Mapping[int, jsonschema.Draft4Validator]

    def fault(self, body: Any, query: Mapping[str, str]) -> tuple[str, str] | None:
        """What is wrong with a request: the field ("" for the whole) and why."""
        for name, validator in self.query.items():
            if name not in query or not _first(validator, query[name]):
                continue
            if why := _first(validator, _typed(query[name])):
                return name, why[1]
        return _first(self.body, body) if self.body is not None else None


def _data(name: str) -> Json:
    where = importlib.resources.files("brihaspati_cloudsim") / "data" / name
    found: Json = json.loads(where.read_text(encoding="utf-8"))
    return found


def _typed(text: str) -> int | bool | str:
    """What the text of a query may mean besides text."""
    if text in ("true", "false"):
        return text == "true"
    return int(text) if text.lstrip("-").isdigit() else text


def _first(validator: jsonschema.Draft4Validator, value: Any) -> tuple[str, str] | None:
    errors = [*validator.iter_errors(value)]
    if not errors:
        return None
    error = jsonschema.exceptions.best_match(errors)
    return ".".join(str(part) for part in error.absolute_path), error.message


class Contract:
    """One provider's document."""

    def __init__(self, provider: str) -> None:
        published = _data(f"{provider}.openapi.json")
        for path, item in _data("additions.json")[provider].items():
            published["paths"].setdefault(path, {}).update(item)
        self.document: Json = _mended(published)
        specification = referencing.jsonschema.DRAFT4
        resource = specification.create_resource(self.document)
        self._registry = referencing.Registry().with_resource(URN, resource)
        self.operations = [
            self._operation(path, method)
            for path, item in self.document["paths"].items()
            for method in METHODS
            if method in item
        ]

    def find(self, method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
        """The operation of a request and the parameters of its path; fixed segments win."""
        given = path.strip("/").split("/")
        best: tuple[int, Operation] | None = None
        for operation in self.operations:
            parts = operation.segments
            if operation.method != method or len(parts) != len(given):
                continue
            if all(part in (None, seen) for part, seen in zip(parts, given, strict=True)):
                fixed = sum(part is not None for part in parts)
                if best is None or fixed > best[0]:
                    best = fixed, operation
        if best is None:
            return None
        found = best[1]
        values = [seen for part, seen in zip(found.segments, given, strict=True) if part is None]
        return found, dict(zip(found.names, values, strict=True))

    def _operation(self, path: str, method: str) -> Operation:
        item = self.document["paths"][path][method]
        parts = path.strip("/").split("/")
        content = self._content(item.get("requestBody", {}))
        return Operation(
            id=item["operationId"],
            method=method.upper(),
            path=path,
            segments=tuple(None if part[0] == "{" else part for part in parts),
            names=tuple(part.strip("{}") for part in parts if part[0] == "{"),
            body=self._validator(content) if content else None,
            query=self._query(item.get("parameters", [])),
            answers={
                int(status): self._validator(schema)
                for status, answer in item["responses"].items()
                if (schema := self._content(answer))
            },
        )

    def _content(self, holder: Json) -> Json | None:
        content = self._resolved(holder).get("content", {}).get("application/json", {})
        schema: Json | None = content.get("schema")
        return schema

    def _resolved(self, value: Json) -> Json:
        while "$ref" in value:
            target: Any = self.document
            for part in value["$ref"].removeprefix("#/").split("/"):
                target = target[part.replace("~1", "/")]
            value = target
        return value

    def _query(self, parameters: list[Json]) -> dict[str, jsonschema.Draft4Validator]:
        resolved = [self._resolved(parameter) for parameter in parameters]
        return {
            parameter["name"]: self._validator(parameter["schema"])
            for parameter in resolved
            if parameter["in"] == "query" and "schema" in parameter
        }

    def _validator(self, schema: Json) -> jsonschema.Draft4Validator:
        return jsonschema.Draft4Validator(_absolute(schema), registry=self._registry)


def _absolute(value: Any) -> Any:
    """A schema whose references name the document it came from."""
    if isinstance(value, dict):
        return {
            key: URN + part if key == "$ref" and part.startswith("#") else _absolute(part)
            for key, part in value.items()
        }
    return [_absolute(part) for part in value] if isinstance(value, list) else value


def _mended(value: Any) -> Any:
    """OpenAPI 3.0 as JSON Schema: null where it is allowed, and no closed objects.

    A closed member of an `allOf` (Linode 4.189.0 has many) would refuse what its siblings name.
    """
    if isinstance(value, list):
        return [_mended(part) for part in value]
    if not isinstance(value, dict):
        return value
    closed = value.get("additionalProperties") is False
    mended = {
        key: _mended(part)
        for key, part in value.items()
        if not (closed and key == "additionalProperties")
    }
    if mended.pop("nullable", False) is True:
        return {"anyOf": [mended, {"type": "null"}]}
    return mended


@functools.cache
def contract(provider: str) -> Contract:
    """The document of `digitalocean` or `linode`, read once."""
    return Contract(provider)

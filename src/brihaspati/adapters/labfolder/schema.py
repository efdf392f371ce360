"""Checks a tree against lab.schema.json: the part of JSON Schema 2020-12 the file uses.

The published schema is the only statement of what lab.yaml may hold, so an editor that knows it
and this reader cannot disagree. On top of the standard's answer come the line, a sentence and what
to do. One annotation helps: `patternErrorMessage` says a pattern in words (editors show it too).
"""

from __future__ import annotations

import difflib
import functools
import importlib.resources
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from brihaspati.adapters.labfolder import marked
from brihaspati.adapters.labfolder.problems import Report

Schema = Mapping[str, Any]

ANNOTATIONS = {"$schema", "$defs", "title", "description", "patternErrorMessage"}
ASSERTIONS = {
    "$ref", "type", "const", "enum", "properties", "required", "additionalProperties",
    "propertyNames", "maxProperties", "items", "minItems", "maxItems", "minLength", "maxLength",
    "pattern", "minimum", "maximum", "default",
}  # fmt: skip

_KINDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list (lines starting with `- `)",
    "object": "a group of `name: value` lines",
}


@functools.cache
def load() -> Schema:
    """The published schema of lab.yaml."""
    text = importlib.resources.files(__package__).joinpath("lab.schema.json").read_text("utf-8")
    loaded: Schema = json.loads(text)
    return loaded


def resolve(schema: Schema) -> Schema:
    """A schema with its `$ref` into `$defs` replaced by what it names; siblings are kept."""
    if "$ref" not in schema:
        return schema
    name = str(schema["$ref"]).removeprefix("#/$defs/")
    return {**load()["$defs"][name], **{key: schema[key] for key in schema if key != "$ref"}}


def expected(schema: Schema) -> str:
    """What a value must be, in words: "a whole number from 1 to 600"."""
    if "const" in schema:
        return f"{schema['const']}"
    if "enum" in schema:
        return "one of " + ", ".join(str(item) for item in schema["enum"])
    kind = schema["type"]
    words = str(schema.get("patternErrorMessage", _KINDS[kind]))
    if "minimum" in schema and "maximum" in schema:
        words += f" from {schema['minimum']} to {schema['maximum']}"
    if kind == "string" and "maxLength" in schema:
        words += f", at most {schema['maxLength']} characters"
    return words


_NAMES = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array"}


def _kind_of(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, float) and value.is_integer():
        return "integer"
    return _NAMES.get(type(value), "object")


def _near(key: str, known: Iterable[str]) -> str | None:
    return next(iter(difflib.get_close_matches(key, sorted(known), 1)), None)


class Checker:
    """Walks one file's tree beside the schema."""

    def __init__(self, file: str, report: Report) -> None:
        self.file = file
        self.report = report

    def check(self, tree: marked.Tree, schema: Schema, name: str) -> marked.Tree | None:
        """The valid part of the tree with defaults filled in; None when nothing of it is valid."""
        schema = resolve(schema)
        unknown = set(schema) - ANNOTATIONS - ASSERTIONS
        assert not unknown, f"the schema uses {sorted(unknown)}, which this reader does not know"
        if "const" in schema or "enum" in schema:
            return self._choice(tree, schema, name)
        wanted, found = schema["type"], _kind_of(tree.value)
        if not (found == wanted or (wanted, found) == ("number", "integer")):
            self._wrong_kind(tree, schema, name, found)
            return None
        if isinstance(tree.value, dict):
            return self._mapping(tree, schema, name)
        if isinstance(tree.value, list):
            return self._list(tree, schema, name)
        return self._scalar(tree, schema, name)

    def _add(self, line: int, message: str, fix: str) -> None:
        self.report.add(self.file, line, message, fix)

    def _wrong_kind(self, tree: marked.Tree, schema: Schema, name: str, found: str) -> None:
        words = expected(schema)
        if found == "null":
            self._add(tree.line, f"`{name}` has no value.", f"Give it {words}, or leave it out.")
        elif schema["type"] == "string" and found in {"boolean", "integer", "number"}:
            self._add(
                tree.line,
                f"`{name}` must be text, and YAML reads this as a {found}.",
                "Put it in quotes.",
            )
        else:
            kind = _KINDS.get(found, found)
            self._add(tree.line, f"`{name}` must not be {kind}.", f"Give it {words}.")

    def _choice(self, tree: marked.Tree, schema: Schema, name: str) -> marked.Tree | None:
        choices = [schema["const"]] if "const" in schema else schema["enum"]
        value = tree.value
        # `schema: true` equals 1 in Python, not in JSON.
        if not isinstance(value, bool) and value in choices:
            return tree
        shown = value if isinstance(value, str | int | float) else _KINDS.get(_kind_of(value), "")
        fix = f"Write {expected(schema)}."
        self._add(tree.line, f"`{name}` is {shown or 'empty'}, which it cannot be.", fix)
        return None

    def _scalar(self, tree: marked.Tree, schema: Schema, name: str) -> marked.Tree | None:
        fix = f"Give it {expected(schema)}."
        value = tree.value
        if isinstance(value, bool):
            fault = None
        elif isinstance(value, str):
            fault = self._text_fault(value, schema)
        else:
            assert isinstance(value, int | float)
            # Written so that .nan, which compares false with everything, is refused.
            inside = schema["minimum"] <= value <= schema["maximum"]
            fault = None if inside else f"is {value}"
        if fault:
            self._add(tree.line, f"`{name}` {fault}.", fix)
            return None
        whole = schema["type"] == "integer" and isinstance(value, float)
        return marked.Tree(int(value), tree.line) if whole else tree

    @staticmethod
    def _text_fault(value: str, schema: Schema) -> str | None:
        if len(value) < schema.get("minLength", 0) or (not value and "pattern" in schema):
            return "is empty"
        if len(value) > schema.get("maxLength", len(value)):
            return f"is {len(value)} characters long"
        if "pattern" in schema and not re.fullmatch(schema["pattern"], value):
            return f"is {value!r}, which does not fit"
        return None

    def _list(self, tree: marked.Tree, schema: Schema, name: str) -> marked.Tree | None:
        items = list(tree)
        least, most = schema.get("minItems", 0), schema["maxItems"]
        if not least <= len(items) <= most:
            fix = f"Give it {least} to {most}."
            self._add(tree.line, f"`{name}` has {len(items)} entries.", fix)
        kept = [self.check(item, schema["items"], f"{name}[{at}]") for at, item in enumerate(items)]
        return marked.Tree([item for item in kept if item is not None], tree.line)

    def _mapping(self, tree: marked.Tree, schema: Schema, name: str) -> marked.Tree:
        known: Mapping[str, Schema] = schema.get("properties", {})
        prefix = f"{name}." if name else ""
        # A name typed wrongly is one fault, not also the lack of the right one.
        meant = {_near(key, known) for key in tree.members if key not in known}
        for missing in schema.get("required", ()):
            if missing in tree.members or missing in meant:
                continue
            words = expected(resolve(known[missing]))
            fix = f"Add a line `{missing}:` with {words}."
            self._add(tree.line, f"`{prefix}{missing}` is missing.", fix)
        if len(tree.members) > schema.get("maxProperties", len(tree.members)):
            fix = f"Keep at most {schema['maxProperties']}."
            self._add(tree.line, f"`{name}` has {len(tree.members)} entries.", fix)
        kept: dict[str, marked.Tree] = {}
        for key, value in tree.members.items():
            inner = known.get(key) or self._free_member(key, tree, schema, prefix)
            checked = self.check(value, inner, prefix + key) if inner else None
            if checked is not None:
                kept[key] = checked
        for key, inner in known.items():
            # An invalid member also gets its default: its fault is already in the report.
            if key not in kept and "default" in inner:
                kept[key] = self._default(inner, tree.line)
        return marked.Tree(kept, tree.line, tree.key_lines)

    def _default(self, schema: Schema, line: int) -> marked.Tree:
        filled = self.check(plant(schema["default"], line), schema, "default")
        assert filled is not None
        return filled

    def _free_member(
        self, key: str, tree: marked.Tree, schema: Schema, prefix: str
    ) -> Schema | None:
        line = tree.key_lines[key]
        extra = schema.get("additionalProperties", False)
        if extra is not False:
            free: Schema = extra
            names = schema["propertyNames"]
            if self._text_fault(key, names) is None:
                return free
            words = f"{names['patternErrorMessage']}, at most {names['maxLength']} characters"
            self._add(line, f"`{key}` cannot be a name here.", f"Use {words}.")
            return None
        known = schema["properties"]
        near = _near(key, known)
        fix = f"Did you mean `{near}`?" if near else f"Known here: {', '.join(sorted(known))}."
        self._add(line, f"`{prefix}{key}` is not known.", fix)
        return None


def plant(value: Any, line: int) -> marked.Tree:
    """A JSON value as a tree, every part of it on one line."""
    if isinstance(value, dict):
        return marked.Tree(
            {key: plant(item, line) for key, item in value.items()},
            line,
            dict.fromkeys(value, line),
        )
    if isinstance(value, list):
        return marked.Tree([plant(item, line) for item in value], line)
    return marked.Tree(value, line)

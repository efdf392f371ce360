"""The published schema, judged by an implementation of the standard that is not ours."""

from __future__ import annotations

import copy
import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brihaspati.adapters import labfolder
from brihaspati.adapters.labfolder import schema
from brihaspati.adapters.labfolder.problems import Report
from brihaspati.domain import labs

SCHEMA = labfolder.json_schema()


def _ecma(_: Any, pattern: str, value: Any, __: Any) -> Iterator[jsonschema.ValidationError]:
    # The standard's patterns are ECMAScript's, where `$` does not match before a last line end.
    if isinstance(value, str) and not re.search(pattern.replace("$", r"\Z"), value):
        yield jsonschema.ValidationError(f"{value!r} does not match")


_ECMA = {"pattern": _ecma}
JUDGE = jsonschema.validators.extend(jsonschema.Draft202012Validator, _ECMA)(SCHEMA)  # type: ignore[no-untyped-call]

GOOD: dict[str, Any] = {
    "schema": 1,
    "name": "demo",
    "title": "A demo",
    "summary": "What it is for.",
    "minutes": 30,
    "lifetime_minutes": 60,
    "extend_minutes": 15,
    "extensions_max": 0,
    "idle_minutes": 20,
    "hue": 0,
    "motif": "gear",
    "machines": [
        {
            "name": "box",
            "image": "docker.io/library/alpine:3",
            "memory_mb": 64,
            "cpus": 0.5,
            "pids": 32,
            "disk_mb": 32,
            "user": "student",
            "requires": ["curl", "g++"],
            "files": "files/box",
            "setup": "setup.sh",
            "setup_seconds_max": 5,
            "environment": {"A_B": "c"},
            "ports": [{"port": 80, "title": "Site"}],
        },
        {"name": "db"},
    ],
    "network": {"egress": "allow", "allow": ["192.0.2.0/24:443"]},
    "terminals": [{"name": "main", "machine": "box", "command": ["bash", "-l"]}],
    "steps": [
        {"file": "steps/01.md", "title": "One", "minutes": 3, "machine": "db"},
        {"file": "steps/02.md", "check": "checks/02.sh", "watch": True, "solve": "solve/02.sh"},
        {
            "file": "steps/03.md",
            "checks": [
                {"file": "checks/03.sh", "title": "Done"},
                {
                    "file": "checks/03-b.sh",
                    "title": "Done too",
                    "machine": "db",
                    "watch": False,
                    "seconds_max": 5,
                },
            ],
            "hints": ["Look **there**."],
            "quiz": [
                {
                    "question": "Which?",
                    "options": [{"text": "A", "right": True}, {"text": "B", "why": "No."}],
                    "many": True,
                    "why": "So.",
                },
                {"question": "How many?", "answers": ["7", "seven"]},
            ],
        },
    ],
}
ODD: list[Any] = [
    None, True, False, 0, 1, -1, 5, 16, 59, 360, 1.0, 0.5, 2.5, 10**6, 65536, "", " ", "x", "X",
    "a-b", "a--b", "a" * 21, "a" * 33, "a" * 81, "a" * 301, "two\nlines", "end\n", "no", "5", "é",
    "root", "host", "full", "globe", "../x", "/x", "a/b.md", "a//b", ".x", "a/.x", "1.2.3.4:80",
    "1.2.3.4", "1.2.3.4/33:80", "256.1.1.1:80", "1.2.3.4/8:0", "[::1]:80", [], ["x"], [1], [[]],
    {}, {"x": 1}, {"name": "box"}, {"A": "b"}, {"A": 1}, {"1A": "b"}, {"A": "b\n"}, [{}],
    [{"name": "a", "machine": "b"}], [{"file": "a.md"}], [{"port": 1, "title": "x"}],
    [{"file": "a", "title": "x"}], [{"question": "x"}], [{"text": "x"}], [{"text": "x"}] * 2, [""],
]  # fmt: skip


def accepted(document: Any) -> bool:
    """Whether our reader takes the document, as far as the schema goes."""
    report = Report(Path("demo"))
    tree = schema.plant(document, 1)
    schema.Checker("lab.yaml", report).check(tree, schema.load(), "")
    return not report.problems


def places(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value inside a document."""
    keys = range(len(document)) if isinstance(document, list) else document
    for key in keys if isinstance(document, list | dict) else ():
        yield (*path, key)
        yield from places(document[key], (*path, key))


PLACES = list(places(GOOD))


def edited(path: tuple[Any, ...], change: Any) -> Any:
    """The good document with `change` done to the holder of the last part of the path."""
    document = copy.deepcopy(GOOD)
    holder = document
    for key in path[:-1]:
        holder = holder[key]
    change(holder, path[-1])
    return document


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_both_accept_the_good_document() -> None:
    assert JUDGE.is_valid(GOOD)
    assert accepted(GOOD)


@pytest.mark.parametrize("path", PLACES, ids=str)
def test_reader_and_standard_agree_on_every_odd_value_in_every_place(path: tuple[Any, ...]) -> None:
    for value in ODD:
        document = edited(path, lambda holder, key, value=value: holder.__setitem__(key, value))
        assert accepted(document) == JUDGE.is_valid(document), (path, value)


@pytest.mark.parametrize("path", PLACES, ids=str)
def test_reader_and_standard_agree_on_what_is_missing_or_unknown(path: tuple[Any, ...]) -> None:
    documents = [edited(path, lambda holder, key: holder.pop(key))]
    if isinstance(path[-1], str):
        documents.append(edited(path, lambda holder, _: holder.__setitem__("unknown", 1)))
        documents.append(edited(path, lambda holder, key: holder.__setitem__(f"{key}s", 1)))
    for document in documents:
        assert accepted(document) == JUDGE.is_valid(document), (path, document)


@settings(max_examples=200)
@given(st.lists(st.tuples(st.sampled_from(PLACES), st.sampled_from(ODD)), max_size=3))
def test_reader_and_standard_agree_on_several_changes(edits: list[tuple[Any, Any]]) -> None:
    document = copy.deepcopy(GOOD)
    for path, value in edits:
        holder = document
        try:
            for key in path[:-1]:
                holder = holder[key]
            holder[path[-1]] = copy.deepcopy(value)
        except (TypeError, KeyError, IndexError):
            continue  # an earlier change took this place away
    assert accepted(document) == JUDGE.is_valid(document)


def _schemas(node: Any) -> Iterator[dict[str, Any]]:
    """Every schema inside the schema."""
    yield node
    for name in ("items", "additionalProperties", "propertyNames"):
        if isinstance(node.get(name), dict):
            yield from _schemas(node[name])
    for name in ("properties", "$defs"):
        for inner in node.get(name, {}).values():
            yield from _schemas(inner)


def test_the_schema_uses_only_words_the_reader_knows() -> None:
    for part in _schemas(SCHEMA):
        assert set(part) <= schema.ANNOTATIONS | schema.ASSERTIONS, part


def test_patterns_are_anchored_and_said_in_words() -> None:
    # Unanchored, the standard's search and the reader's full match would differ.
    for part in _schemas(SCHEMA):
        if "pattern" in part:
            assert re.fullmatch(r"\^.*\$", part["pattern"])
            assert part["patternErrorMessage"]


def test_every_member_is_described() -> None:
    for part in _schemas(SCHEMA):
        for name, member in part.get("properties", {}).items():
            assert member.get("description", "").endswith("."), name


def _same_default(member: dict[str, Any], field: dataclasses.Field[Any]) -> bool:
    wanted = member["default"]
    return field.default == (tuple(wanted) if isinstance(wanted, list | dict) else wanted)


@pytest.mark.parametrize(
    ("where", "kind"),
    [
        (SCHEMA, labs.Lab),
        (SCHEMA["$defs"]["machine"], labs.MachineSpec),
        (SCHEMA["$defs"]["machine"], labs.Resources),
        (SCHEMA["$defs"]["step"], labs.Step),
        (SCHEMA["$defs"]["check"], labs.Check),
    ],
)
def test_defaults_are_those_of_the_domain(where: dict[str, Any], kind: type) -> None:
    compared = [
        (name, _same_default(where["properties"][name], field))
        for name, field in {field.name: field for field in dataclasses.fields(kind)}.items()
        if field.default is not dataclasses.MISSING
        and "default" in where["properties"].get(name, {})
        and name not in {"files", "setup"}
    ]
    assert compared
    assert all(same for _, same in compared), compared


def test_choices_are_those_of_the_domain() -> None:
    network = SCHEMA["$defs"]["network"]["properties"]
    assert set(network["egress"]["enum"]) == set(get_args(labs.EgressPolicy))
    assert set(SCHEMA["$defs"]["machine"]["properties"]["user"]["enum"]) == set(get_args(labs.User))

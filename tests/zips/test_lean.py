"""Modules that are packed without what only people read do what they did, on the same lines."""

from __future__ import annotations

import ast
from typing import Any

import pytest
from packing import lean

SOURCE = b'''"""What this is.

At length."""
from __future__ import annotations
from fractions import Fraction as Part, other
from typing import TypedDict, Union


class Said:
    """Stays: a dataclass would write one."""

    def twice(self, number: int) -> int:
        """Say it.

        \xc3\xa4 is two bytes."""; number += 0
        return number * 2

    def nothing(self) -> None:
        """Only this."""


class Form(TypedDict, total=False):
    """Keys."""

    one: int


class More(Form):
    two: int


Either = Union[Form, More]


def fails() -> None:
    """Where?"""
    raise ValueError("here")
'''


def _run(source: bytes) -> dict[str, Any]:
    space: dict[str, Any] = {"__name__": "said"}
    exec(compile(source, "said", "exec"), space)
    return space


def _line(space: dict[str, Any]) -> int:
    with pytest.raises(ValueError, match="here") as caught:
        space["fails"]()
    return caught.traceback[-1].lineno


def test_functions_do_the_same_on_the_same_lines_without_their_docstrings() -> None:
    source = SOURCE.replace(b"Part, other", b"Part")
    before, after = _run(source), _run(lean.silent(source))
    assert not after["__doc__"]
    assert not after["Said"].twice.__doc__
    assert after["Said"].__doc__ == before["Said"].__doc__
    assert after["Said"]().twice(4) == 8
    assert after["Said"]().nothing() is None
    assert _line(after) == _line(before)


def test_typed_dictionaries_are_plain_ones_and_so_are_those_made_of_them() -> None:
    source = lean.plain(SOURCE.replace(b"Part, other", b"Part"))
    after = _run(source)
    assert after["Form"] is after["More"] is after["Either"] is dict
    assert after["Form"](one=1) == {"one": 1}
    assert _line(after) == _line(_run(SOURCE.replace(b"Part, other", b"Part")))


def test_nothing_is_of_a_type_that_is_not_imported() -> None:
    after = _run(lean.unsaid(SOURCE, ("fractions",)))
    assert after["Part"] is not after["other"]
    assert not isinstance(1, after["Part"])
    assert not any(
        isinstance(node, ast.ImportFrom) and node.module == "fractions"
        for node in ast.parse(lean.unsaid(SOURCE, ("fractions",))).body
    )

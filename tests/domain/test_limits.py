"""What the contract tests of stores and queues do not reach: bodies no adapter makes itself."""

from __future__ import annotations

import enum
import json
from types import MappingProxyType

import pytest

from brihaspati.domain import limits


class Kind(enum.StrEnum):
    """Text of a type of its own."""

    WARM = "warm"


def test_a_body_that_only_looks_like_a_dict_is_refused_by_its_kind() -> None:
    with pytest.raises(limits.Unacceptable, match="a body is a dict, not mappingproxy"):
        limits.check_message("sandbox", MappingProxyType({"slot": "x"}))


@pytest.mark.parametrize("value", [1.5, -0.0, Kind.WARM, [Kind.WARM, 1e300]])
def test_what_json_has_is_encoded_as_it_is(value: object) -> None:
    assert json.loads(limits.check_message("sandbox", {"slot": value})) == {"slot": value}


@pytest.mark.parametrize("value", [float("inf"), [float("nan")], {1, 2}, {"a": object()}])
def test_what_json_has_not_is_refused_wherever_it_is(value: object) -> None:
    with pytest.raises(limits.Unacceptable, match="the body is not JSON: it has no "):
        limits.check_message("sandbox", {"slot": value})


def test_what_an_encoder_has_just_made_is_measured_and_not_looked_at() -> None:
    body = limits.Plain(sandbox={"id": "x" * 100})
    assert json.loads(limits.check_message("sandbox", body)) == body
    with pytest.raises(limits.Unacceptable, match="the message has"):
        limits.check_message("sandbox", limits.Plain(text="x" * limits.MESSAGE_BYTES_MAX))

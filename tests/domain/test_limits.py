"""What the contract tests of stores and queues do not reach: bodies no adapter makes itself."""

from __future__ import annotations

from types import MappingProxyType

import pytest

from brihaspati.domain import limits


def test_a_body_that_only_looks_like_a_dict_is_refused_by_its_kind() -> None:
    with pytest.raises(limits.Unacceptable, match="a body is a dict, not mappingproxy"):
        limits.check_message("sandbox", MappingProxyType({"slot": "x"}))

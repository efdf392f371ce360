"""Lists of who is expected, and who came."""

from __future__ import annotations

import pytest

from brihaspati.domain.classrooms import BadField
from brihaspati.domain.rosters import PEOPLE_MAX, Attending, Expected, Seated, list_of, together


def test_a_list_is_tidied_line_by_line() -> None:
    found = list_of([("  Asha  Rao ", " ASHA@Example.org "), ("Ravi", None), ("Zoë", "")])
    assert found == (Expected("Asha Rao", "asha@example.org"), Expected("Ravi"), Expected("Zoë"))
    assert list_of([]) == ()


@pytest.mark.parametrize(
    ("people", "words"),
    [
        ([("Asha", None), (" ", None)], "Line 2: The name is empty"),
        ([("Asha", "nowhere")], "Line 1: That is no email address"),
        ([("Asha", None), ("Ravi", None), ("ASHA", None)], "ASHA is on lines 1 and 3"),
        ([(f"P{n}", None) for n in range(PEOPLE_MAX + 1)], f"{PEOPLE_MAX + 1} people"),
    ],
)
def test_what_cannot_be_on_a_list_says_which_line(
    people: list[tuple[str, str | None]], words: str
) -> None:
    with pytest.raises(BadField, match=words) as bad:
        list_of(people)
    assert bad.value.field == "people"
    assert bad.value.fix


def test_everybody_expected_or_here_is_there_once_by_name() -> None:
    asha = Seated("u1", "asha rao", None, 5)
    ravi = Seated("u2", "Ravi", "r@example.org", 6)
    found = together(
        [Expected("Zoë"), Expected("Asha Rao", "asha@example.org")],
        [ravi, asha],
    )
    assert found == (
        Attending("asha rao", "asha@example.org", expected=True, seat=asha),
        Attending("Ravi", "r@example.org", expected=False, seat=ravi),
        Attending("Zoë", None, expected=True),
    )
    assert together([Expected("Ravi")], [ravi])[0].email == "r@example.org"

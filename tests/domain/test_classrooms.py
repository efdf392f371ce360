"""Codes, names and addresses as people type them, and the hours of a class."""

from __future__ import annotations

from typing import Any

import pytest

from brihaspati.domain import classrooms
from brihaspati.domain.classrooms import BadField, Classroom, ClassState


@pytest.mark.parametrize(
    ("now", "state"), [(9, "upcoming"), (10, "open"), (19, "open"), (20, "closed")]
)
def test_a_class_is_open_from_its_first_moment_to_the_one_before_its_last(
    now: int, state: ClassState
) -> None:
    room = Classroom("c", "C", "I", "MARIGOLD", 10, 20, 1, (("hello", "v1"),), "memory")
    assert room.state(now) == state


@pytest.mark.parametrize("typed", ["MARIGOLD", "mari-gold", " Mari Gold ", "m.a.r.i_gold"])
def test_a_code_is_read_however_it_is_typed(typed: str) -> None:
    assert classrooms.code_of(typed) == "MARIGOLD"
    assert classrooms.shown("MARIGOLD") == "MARI-GOLD"


@pytest.mark.parametrize("typed", ["", "MARIGOL", "MARIGOLDS", "MARIG0LD", "\u041cARIGOLD"])
def test_what_is_no_code_is_refused_with_the_field_and_the_fix(typed: str) -> None:
    with pytest.raises(BadField) as bad:
        classrooms.code_of(typed)
    assert (bad.value.field, "MARI-GOLD" in bad.value.fix) == ("code", True)


@pytest.mark.parametrize(
    "name",
    [
        "Asha",
        "José",
        "Nguyễn Thị Ánh",
        "O'Brien-Müller",
        "ශ්\u200dරීමාල්",  # Sinhala: a joiner after the sign that takes the vowel away
        "র\u200d্যাব",  # Bengali: before it
        "علی\u200cرض\u0627",  # Persian: between two letters that are not joined
        "മോഹൻ",
        "李小龍",
    ],
)
def test_names_are_taken_as_their_people_write_them(name: str) -> None:
    assert classrooms.name_of(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "As\u200dha",
        "\u200dश्री",
        "श्री\u200d",
        "श्री\u200d\u200dराम",
        "श्री\u200d राम",
        "As\u200bha",
        "a\u202eb",
        "a\x07b",
        "a\ud800b",
        "a\ue000b",
    ],
)
def test_letters_that_nobody_sees_are_refused(name: str) -> None:
    with pytest.raises(BadField, match="invisible"):
        classrooms.name_of(name)


def test_spaces_around_and_within_a_name_are_tidied() -> None:
    assert classrooms.name_of("  Asha \u00a0 R ") == "Asha R"


@pytest.mark.parametrize("name", ["", " \u3000 ", "x" * 61])
def test_a_name_has_between_one_and_sixty_characters(name: str) -> None:
    with pytest.raises(BadField) as bad:
        classrooms.name_of(name)
    assert bad.value.field == "name"
    assert classrooms.name_of("x" * 60) == "x" * 60


@pytest.mark.parametrize(
    ("one", "other"),
    [("Asha", "ASHA"), ("\uff21sha", "asha"), ("Straße", "STRASSE"), ("ශ්\u200dරී", "ශ්රී")],
)
def test_names_that_look_the_same_are_the_same(one: str, other: str) -> None:
    assert classrooms.same_name(one) == classrooms.same_name(other)


def test_an_address_is_kept_in_lower_case_without_the_spaces_around_it() -> None:
    assert classrooms.email_of(" Asha@Example.ORG ", required=True) == "asha@example.org"


@pytest.mark.parametrize("text", [None, "", "  "])
def test_no_address_is_fine_where_none_is_asked_for(text: str | None) -> None:
    assert classrooms.email_of(text, required=False) is None
    with pytest.raises(BadField, match="asks for an email"):
        classrooms.email_of(text, required=True)


@pytest.mark.parametrize(
    "text", ["asha", "a@b", "a b@c.de", "@c.de", "a@@c.de", "a\u202e@c.de", "a\x00@c.de", "a@c.d."]
)
def test_what_is_no_address_is_refused_whether_one_is_asked_for_or_not(text: str) -> None:
    with pytest.raises(BadField, match="no email address"):
        classrooms.email_of(text, required=False)


# --- as a trainer sets it up --------------------------------------------------------------------
def a_room(**more: Any) -> Classroom:
    fields: dict[str, Any] = {
        "id": "demo",
        "title": "Linux basics",
        "instructor": "Prof. Iyer",
        "code": "MARIGOLD",
        "opens_at": 1000,
        "closes_at": 2000,
        "seats": 30,
        "labs": (("hello", "v1"),),
        "provider": "memory",
    }
    return Classroom(**{**fields, **more})


def test_a_class_that_can_be_is_tidied() -> None:
    room = a_room(title="  Linux\n basics\x07 ", welcome=" Hi. \n\n\tSit\u200bdown. ")
    found = classrooms.checked(room)
    assert (found.title, found.welcome) == ("Linux basics", "Hi.\nSitdown.")
    assert classrooms.checked(found) == found
    many = tuple((f"lab{n}", "v1") for n in range(classrooms.LABS_MAX))
    assert classrooms.checked(a_room(labs=many)).labs == many


@pytest.mark.parametrize(
    ("field", "more"),
    [
        ("title", {"title": " \n "}),
        ("title", {"title": "x" * (classrooms.TITLE_LENGTH_MAX + 1)}),
        ("closes_at", {"closes_at": 1000}),
        ("closes_at", {"closes_at": classrooms.LAST_MOMENT + 1}),
        ("labs", {"labs": ()}),
        ("labs", {"labs": tuple((f"lab{n}", "v1") for n in range(classrooms.LABS_MAX + 1))}),
        ("labs", {"labs": (("hello", "v1"), ("hello", "v2"))}),
    ],
)
def test_a_class_that_cannot_be_names_the_field_and_the_fix(
    field: str, more: dict[str, Any]
) -> None:
    with pytest.raises(BadField) as bad:
        classrooms.checked(a_room(**more))
    assert bad.value.field == field
    assert bad.value.fix


def test_lines_keep_the_joiners_that_shape_letters_and_pictures() -> None:
    shaped = "\u0645\u06cc\u200c\u062e \U0001f469\u200d\U0001f4bb"
    assert classrooms.lines_of(shaped) == shaped

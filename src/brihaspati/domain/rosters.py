"""Who is expected in a class, and who came."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from brihaspati.domain.classrooms import BadField, email_of, name_of, same_name

PEOPLE_MAX = 1000


@dataclass(frozen=True, slots=True)
class Expected:
    """Somebody on the trainer's list."""

    name: str
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Seated:
    """Somebody who has joined."""

    user: str
    name: str
    email: str | None
    joined_at: int


@dataclass(frozen=True, slots=True)
class Attending:
    """Somebody expected, or who came, or both."""

    name: str
    email: str | None
    expected: bool
    seat: Seated | None = None


def list_of(people: Sequence[tuple[str, str | None]]) -> tuple[Expected, ...]:
    """A list as stored, from names and addresses. Raises BadField that says which line."""
    if len(people) > PEOPLE_MAX:
        raise BadField(
            "people", f"The list has {len(people)} people.", f"List at most {PEOPLE_MAX}."
        )
    found: list[Expected] = []
    lines: dict[str, int] = {}
    for line, (name, email) in enumerate(people, 1):
        try:
            person = Expected(name_of(name), email_of(email, required=False))
        except BadField as bad:
            raise BadField("people", f"Line {line}: {bad.problem}", bad.fix) from None
        before = lines.setdefault(same_name(person.name), line)
        if before != line:
            raise BadField(
                "people",
                f"{person.name} is on lines {before} and {line}.",
                "Remove one of the two, or add a last name.",
            )
        found.append(person)
    return tuple(found)


def together(expected: Iterable[Expected], seats: Iterable[Seated]) -> tuple[Attending, ...]:
    """Everybody expected or here, by name. Who joined is known by the name they gave."""
    here = {same_name(seat.name): seat for seat in seats}
    found = []
    for person in expected:
        seat = here.pop(same_name(person.name), None)
        if seat is None:
            found.append(Attending(person.name, person.email, expected=True))
        else:
            found.append(Attending(seat.name, person.email or seat.email, expected=True, seat=seat))
    found += [Attending(seat.name, seat.email, expected=False, seat=seat) for seat in here.values()]
    return tuple(sorted(found, key=lambda person: (same_name(person.name), person.name)))

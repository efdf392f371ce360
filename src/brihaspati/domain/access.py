"""Who may do what: one table of role x action x relation. The browser gets its own row of it.

The relation says how near the person is to the thing: `own` (my seat, my sandbox), `member` (a
class I am enrolled in), `taught` (a class I instruct), `any` (whatever, and things of no class).
"""

from __future__ import annotations

from typing import Literal

Role = Literal["nobody", "student", "instructor", "admin", "machine"]
Relation = Literal["own", "member", "taught", "any"]
Action = Literal[
    "look_around",
    "join",
    "see_class",
    "see_lab",
    "play",
    "stop",
    "extend",
    "open",
    "learn",
    "raise_hand",
    "watch",
    "see_board",
    "create_class",
    "manage",
    "link_device",
    "operate",
    "boot",
    "report",
]

_STUDENT: dict[Action, frozenset[Relation]] = {
    "look_around": frozenset({"any"}),
    "join": frozenset({"any"}),
    "see_class": frozenset({"member"}),
    "see_lab": frozenset({"member"}),
    "play": frozenset({"own"}),
    "stop": frozenset({"own"}),
    "extend": frozenset({"own"}),
    "open": frozenset({"own"}),
    "learn": frozenset({"own"}),
    "raise_hand": frozenset({"own"}),
    "link_device": frozenset({"own"}),
}
_INSTRUCTOR: dict[Action, frozenset[Relation]] = {
    "look_around": frozenset({"any"}),
    "join": frozenset({"any"}),
    "see_class": frozenset({"member", "taught"}),
    "see_lab": frozenset({"member", "taught"}),
    "play": frozenset({"own"}),
    "stop": frozenset({"own", "taught"}),
    "extend": frozenset({"own", "taught"}),
    "open": frozenset({"own"}),
    "learn": frozenset({"own"}),
    "raise_hand": frozenset({"own", "taught"}),
    "watch": frozenset({"taught"}),
    "see_board": frozenset({"taught"}),
    "create_class": frozenset({"any"}),
    "manage": frozenset({"taught"}),
    "link_device": frozenset({"own"}),
}
_EVERY_RELATION: frozenset[Relation] = frozenset({"own", "member", "taught", "any"})
_ADMIN: dict[Action, frozenset[Relation]] = {
    **dict.fromkeys((*_INSTRUCTOR, "operate"), _EVERY_RELATION),
    "play": frozenset({"own"}),
    "open": frozenset({"own"}),
    "learn": frozenset({"own"}),
    "link_device": frozenset({"own"}),
}
TABLE: dict[Role, dict[Action, frozenset[Relation]]] = {
    "nobody": {"look_around": frozenset({"any"}), "join": frozenset({"any"})},
    "student": _STUDENT,
    "instructor": _INSTRUCTOR,
    "admin": _ADMIN,
    # A rented machine, about itself and no other: it is no person, and no person is one.
    "machine": {"boot": frozenset({"own"}), "report": frozenset({"own"})},
}


def allowed(role: Role, action: Action, relations: frozenset[Relation]) -> bool:
    """Whether a person of this role, standing in these relations to the thing, may do it."""
    return bool(TABLE[role].get(action, frozenset()) & (relations | {"any"}))


def actions(role: Role) -> tuple[Action, ...]:
    """What a person of this role may do at all, for the browser to show or hide."""
    return tuple(sorted(TABLE[role]))

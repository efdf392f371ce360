"""A class: one scheduled delivery of labs to a roster, with a join code, hours, seats, a budget."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Literal

ClassState = Literal["upcoming", "open", "closed"]

# Letters that are not mistaken for one another when read from a projector or said aloud.
CODE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
CODE_LENGTH = 8
NAME_LENGTH_MAX = 60
TITLE_LENGTH_MAX = 120
LABS_MAX = 50
# The end of 2099; what is far beyond is no date that a browser can show.
LAST_MOMENT = 4_102_444_800_000
# They have no shape of their own and give the letters around them theirs, as Bengali, Kannada,
# Malayalam, Sinhala and Persian are written.
JOINERS = "\u200c\u200d"
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,255}\.[^@\s.]{2,}")


class BadField(ValueError):  # noqa: N818 - what it is, not that it is an error
    """A person's input that cannot be taken: which field, what is wrong, how to mend it."""

    def __init__(self, field: str, problem: str, fix: str) -> None:
        super().__init__(problem)
        self.field = field
        self.problem = problem
        self.fix = fix


@dataclass(frozen=True, slots=True)
class Spill:
    """Where else a class's machines may be, when its provider is sold out, full or slow.

    `share_percent`: at most that part of its sandboxes; `micros_per_hour_max`: at most that price.
    """

    provider: str
    share_percent: int = 100
    micros_per_hour_max: int | None = None


@dataclass(frozen=True, slots=True)
class Classroom:
    """A class. `labs` pins each lab's version; `pool` is the number of warm sandboxes per lab.

    `roster_only`: only who is expected may join. `spill`: in this order.
    """

    id: str
    title: str
    instructor: str
    code: str
    opens_at: int
    closes_at: int
    seats: int
    labs: tuple[tuple[str, str], ...]
    provider: str
    instructor_id: str | None = None
    welcome: str = ""
    email_required: bool = False
    budget_micros: int | None = None
    sandboxes_per_student_max: int = 2
    pool: int = 0
    roster_only: bool = False
    spill: tuple[Spill, ...] = ()

    def state(self, now: int) -> ClassState:
        """Whether students may enter and play now."""
        if now < self.opens_at:
            return "upcoming"
        return "open" if now < self.closes_at else "closed"

    def version_of(self, lab: str) -> str | None:
        """The version of a lab this class delivers, or None when the class does not have it."""
        return dict(self.labs).get(lab)


def checked(room: Classroom) -> Classroom:
    """A class as a trainer set it up, its words tidied. Raises BadField."""
    title = " ".join(lines_of(room.title).split())
    if not title:
        raise BadField("title", "The title is empty.", "Type what the class is about.")
    if len(title) > TITLE_LENGTH_MAX:
        raise BadField(
            "title",
            f"The title has {len(title)} characters; the most is {TITLE_LENGTH_MAX}.",
            "Say it shorter; there is room for more in the welcome.",
        )
    if room.closes_at <= room.opens_at:
        raise BadField(
            "closes_at",
            "The class closes before it opens.",
            "Choose an end that is later than the beginning.",
        )
    if room.closes_at > LAST_MOMENT:
        raise BadField(
            "closes_at", "The class closes after the year 2099.", "Choose an earlier end."
        )
    names = [name for name, _ in room.labs]
    if not 1 <= len(names) <= LABS_MAX:
        raise BadField(
            "labs",
            f"The class has {len(names)} labs; it can have 1 to {LABS_MAX}.",
            "Choose the labs it is about.",
        )
    if len(set(names)) < len(names):
        raise BadField("labs", "The class has a lab twice.", "Choose each lab once.")
    return replace(room, title=title, welcome=lines_of(room.welcome))


def checked_spill(spill: Sequence[Spill], usual: str, others: Collection[str]) -> tuple[Spill, ...]:
    """Where else a class may have machines, in order; `others` are there. Raises BadField."""
    seen: set[str] = set()
    for at, one in enumerate(spill):
        fix = f"Choose from {', '.join(sorted(others)) or 'none: no other provider is set up'}."
        if one.provider == usual:
            text = f"{usual} is where the class has its machines anyway."
            raise BadField(f"spill.{at}.provider", text, fix)
        if one.provider not in others:
            text = f"There is no provider {one.provider!r} to go to."
            raise BadField(f"spill.{at}.provider", text, fix)
        if one.provider in seen:
            text = f"{one.provider} is there twice."
            raise BadField(f"spill.{at}.provider", text, "Name each provider once.")
        if not 1 <= one.share_percent <= 100:
            text = f"A share of {one.share_percent} percent cannot be."
            raise BadField(f"spill.{at}.share_percent", text, "Choose from 1 to 100.")
        cap = one.micros_per_hour_max
        if cap is not None and cap < 1:
            text = "For that price there is no machine."
            fix = "Choose a price above 0, or none for any price."
            raise BadField(f"spill.{at}.micros_per_hour_max", text, fix)
        seen.add(one.provider)
    return tuple(spill)


def code_of(letters: str) -> str:
    """A join code as stored: eight capital letters. Raises BadField for anything else."""
    code = re.sub(r"[\s\-_.]", "", letters).upper()
    if len(code) != CODE_LENGTH or not code.isascii() or not code.isalpha():
        raise BadField(
            "code",
            f"A class code has {CODE_LENGTH} letters.",
            "Type the code as your trainer shows it, for example MARI-GOLD.",
        )
    return code


def shown(code: str) -> str:
    """A join code as people read it: two groups of four."""
    return f"{code[:4]}-{code[4:]}"


def name_of(text: str) -> str:
    """A person's name as stored. Raises BadField when it is empty, too long or not printable."""
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not name:
        raise BadField("name", "The name is empty.", "Type the name your trainer knows you by.")
    if len(name) > NAME_LENGTH_MAX:
        raise BadField(
            "name",
            f"The name has {len(name)} characters; the most is {NAME_LENGTH_MAX}.",
            "Use a shorter form of your name.",
        )
    if any(_is_invisible(name, place) for place in range(len(name))):
        raise BadField(
            "name", "The name has invisible characters.", "Type it again instead of pasting it."
        )
    return name


def _is_invisible(name: str, place: int) -> bool:
    if name[place] not in JOINERS:
        return unicodedata.category(name[place]) in ("Cc", "Cf", "Co", "Cs", "Cn")
    around = (name[place - 1 : place], name[place + 1 : place + 2])
    return any(c.isascii() or unicodedata.category(c)[0] not in "LM" for c in around)


def lines_of(text: str) -> str:
    """Text as stored: its lines without empty ones, and without letters no page can show."""
    composed = unicodedata.normalize("NFC", text)
    rows = ("".join(filter(_is_shown, row)).split() for row in composed.splitlines())
    return "\n".join(" ".join(row) for row in rows if row)


def _is_shown(letter: str) -> bool:
    if letter.isspace() or letter in JOINERS:
        return True
    return unicodedata.category(letter) not in ("Cc", "Cf", "Co", "Cs", "Cn")


def same_name(name: str) -> str:
    """What two names have in common when people would call them the same."""
    shapeless = name.translate(dict.fromkeys(map(ord, JOINERS)))
    return unicodedata.normalize("NFKC", shapeless).casefold()


def email_of(text: str | None, *, required: bool) -> str | None:
    """An email address as stored, or None where none is asked for. Raises BadField."""
    email = (text or "").strip()
    if not email and not required:
        return None
    if not _EMAIL.fullmatch(email) or not email.isprintable():
        raise BadField(
            "email",
            "This class asks for an email address." if not email else "That is no email address.",
            "Type your address, for example asha@example.org.",
        )
    return email.lower()

"""What a trainer says to a class, or to some of its students. Values and pure functions."""

from __future__ import annotations

from dataclasses import dataclass

from brihaspati.domain.classrooms import BadField, lines_of

TEXT_MAX = 500
LIFE_MS = 24 * 3_600_000
# How many a student sees.
SHOWN_MAX = 5


@dataclass(frozen=True, slots=True)
class Message:
    """A word to the class (`students` None), or to these students."""

    id: str
    text: str
    sender: str
    at: int
    students: tuple[str, ...] | None = None

    def is_for(self, user: str) -> bool:
        """Whether a person of the class is meant."""
        return self.students is None or user in self.students


def text_of(text: str) -> str:
    """What is said, as stored. Raises BadField when it is empty or too long."""
    said = lines_of(text)
    if not said:
        raise BadField("text", "The message is empty.", "Type what to say.")
    if len(said) > TEXT_MAX:
        raise BadField(
            "text",
            f"The message has {len(said)} characters; the most is {TEXT_MAX}.",
            "Say it shorter, or in two messages.",
        )
    return said

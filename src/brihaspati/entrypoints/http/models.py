"""What travels over the wire, in and out. Moments are milliseconds since the epoch, UTC."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from brihaspati.domain import access, classrooms
from brihaspati.engine.reading import LabCard


class Wire(BaseModel):
    """Anything on the wire; its form is worked out when the first one passes."""

    model_config = ConfigDict(defer_build=True)


class Strict(BaseModel):
    """A request body: unknown fields are an error, so that a typing mistake is seen."""

    model_config = ConfigDict(extra="forbid", defer_build=True)


class Nothing(Strict):
    """An empty JSON object."""


class JoinBody(Strict):
    """A student joins with a code and a name (and an email where the class asks for one).

    `key` is a secret of one press, made by the browser: the same press sent again, because its
    answer was lost, gives the same seat.
    """

    code: Annotated[str, Field(max_length=40)]
    name: Annotated[str, Field(max_length=400)]
    email: Annotated[str | None, Field(max_length=400)] = None
    key: Annotated[str | None, Field(min_length=20, max_length=100)] = None


class SignInBody(Strict):
    """The token of a one-time link."""

    token: Annotated[str, Field(min_length=8, max_length=200)]


class ExtendBody(Strict):
    """How many extensions the page showed: repeating the request extends once."""

    extensions_left: Annotated[int, Field(ge=0, le=1000)]


class TicketBody(Strict):
    """What to open. `port` and `machine` go with a preview."""

    for_: Annotated[Literal["terminal", "watch", "files", "preview"], Field(alias="for")]
    port: Annotated[int | None, Field(ge=1, le=65535)] = None
    machine: Annotated[str | None, Field(max_length=63)] = None


class Health(Wire):
    """The service answers."""

    status: Literal["ok"]
    version: str


class User(Wire):
    """A person as the page shows them."""

    id: str
    name: str
    role: access.Role


class ClassRef(Wire):
    """A class in a list. `join_code` only for those who teach it."""

    id: str
    title: str
    state: classrooms.ClassState
    join_code: str | None = None


class Joined(Wire):
    """The seat a student got."""

    class_id: str
    user: User


class Session(Wire):
    """Who is signed in (None: nobody), their classes, and what they may do at all."""

    user: User | None
    classes: list[ClassRef]
    allowed: list[access.Action]


class ClassList(Wire):
    """The classes of the person asking; an admin's are all of them."""

    classes: list[ClassRef]


class DeviceLink(Wire):
    """A one-time address to go on with another device."""

    url: str
    expires_at: int


class ClassPreview(Wire):
    """What somebody with the code sees before joining."""

    title: str
    instructor: str
    state: classrooms.ClassState
    opens_at: int
    closes_at: int
    seats: int
    seats_taken: int
    email_required: bool


class MessageView(Wire):
    """A word of the trainer to the class, or to one student (`to_me`)."""

    id: str
    text: str
    sender: str
    at: int
    to_me: bool


class ClassPage(Wire):
    """All the class page shows. `here`: students who have joined.

    `look_ms`: how soon it is worth looking again.
    """

    id: str
    title: str
    instructor: str
    welcome: str
    state: classrooms.ClassState
    opens_at: int
    closes_at: int
    now: int
    here: int
    teaches: bool
    me: User
    allowed: list[access.Action]
    messages: list[MessageView]
    labs: list[LabCard]
    look_ms: int


class TicketAnswer(Wire):
    """A ticket and where to use it. It works once, within its time.

    `relay`: where else, should a rented machine not be reached directly, with a ticket of its own.
    """

    ticket: str
    expires_at: int
    url: str
    relay: str | None = None

"""How stored bodies become our types and back, worked out when the first one comes.

Working it out takes tens of milliseconds for each type, which a function that starts has not got.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar, cast, get_args

if TYPE_CHECKING:
    from pydantic import TypeAdapter

_T = TypeVar("_T")
# Of a class of hundreds each sandbox, and of a server's classes those that are read all the time.
KEPT_MAX = 2_000


class Forms(Generic[_T]):
    """The form of one type. `every` are all there are, for who has time ahead of the work.

    `tag`: of a tuple, the field by which each of its members says what it is; without it pydantic
    has to try one kind after the other.
    """

    every: list[Forms[Any]] = []  # noqa: RUF012 - one list for all, on purpose

    def __init__(self, kind: type[_T], tag: str = "") -> None:
        self._kind = kind
        self._tag = tag
        self.every.append(self)

    @functools.cached_property
    def known(self) -> TypeAdapter[_T]:
        """Pydantic's adapter of the type."""
        from pydantic import Field, TypeAdapter  # noqa: PLC0415 - a good part of a start

        if not self._tag:
            return TypeAdapter(self._kind)
        member, _ = get_args(self._kind)
        tagged: Any = Annotated[member, Field(discriminator=self._tag)]
        return TypeAdapter(cast("Any", tuple[tagged, ...]))

    # The adapter's own methods would first settle a dozen options that nobody here sets.
    @functools.cached_property
    def read(self) -> Callable[[Any], _T]:
        """From plain values. Raises pydantic's ValidationError."""
        return self.known.validator.validate_python

    @functools.cached_property
    def plain(self) -> Callable[[_T], Any]:
        """To the plain values that JSON has."""
        return functools.partial(self.known.serializer.to_python, mode="json")

    @functools.cached_property
    def kept(self) -> Kept[_T]:
        """Those that were read or written here last."""
        return Kept(self.read)


class Kept(Generic[_T]):
    """What stored bodies were read as, by where they are stored: most are read again unchanged.

    To compare plain values takes a fraction of the time that checking each of them does. What is
    kept is shared, so it must be frozen, and nobody may change a body that was read or written.
    """

    def __init__(self, read: Callable[[Any], _T], most: int = KEPT_MAX) -> None:
        self._read = read
        self._most = most
        self._known: dict[object, tuple[Any, _T]] = {}

    def of(self, place: object, plain: Any) -> _T:
        """The value of plain values. Raises pydantic's ValidationError."""
        known = self._known.get(place)
        if known is not None and (known[0] is plain or known[0] == plain):
            return known[1]
        value = self._read(plain)
        self.keep(place, plain, value)
        return value

    def keep(self, place: object, plain: Any, value: _T) -> None:
        """Remember what was written, for who reads it next."""
        if len(self._known) >= self._most:
            self._known.clear()
        self._known[place] = (plain, value)

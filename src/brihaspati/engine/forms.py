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

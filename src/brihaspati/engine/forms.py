"""How stored bodies become our types and back, worked out when the first one comes.

Working it out takes tens of milliseconds for each type, which a function that starts has not got.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from pydantic import TypeAdapter

_T = TypeVar("_T")


class Forms(Generic[_T]):
    """The form of one type. `every` are all there are, for who has time ahead of the work."""

    every: list[Forms[Any]] = []  # noqa: RUF012 - one list for all, on purpose

    def __init__(self, kind: type[_T]) -> None:
        self._kind = kind
        self.every.append(self)

    @functools.cached_property
    def known(self) -> TypeAdapter[_T]:
        """Pydantic's adapter of the type."""
        from pydantic import TypeAdapter  # noqa: PLC0415 - a good part of a start

        return TypeAdapter(self._kind)

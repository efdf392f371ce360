"""One list of our machines, shared by everybody who looks: never a request per machine."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from brihaspati.adapters.rented.shapes import Machine, Trouble

AGE_SECONDS_MAX = 5.0


@dataclass(frozen=True, slots=True)
class _Listed:
    began: float
    machines: tuple[Machine, ...]


class Lists:
    """The list as it was at most five seconds ago, and newer than what was done to its machines.

    A list that began before a create or a delete says nothing about that machine. While there is
    time a new one is fetched then; when we are busy (`hurried`), whoever asks has to come again.
    """

    def __init__(
        self,
        fetch: Callable[[], list[Machine]],
        now: Callable[[], float],
        hurried: Callable[[], bool],
    ) -> None:
        self._fetch = fetch
        self._now = now
        self._hurried = hurried
        self._touched: dict[str, float] = {}
        self._touched_last = float("-inf")
        self._listed: _Listed | None = None
        self._lock = threading.Lock()
        self._fetching = threading.Lock()

    def touch(self, label: str) -> None:
        """Something is being done to the machine of this label."""
        with self._lock:
            self._touched[label] = self._touched_last = self._now()
            old = self._now() - 600
            if len(self._touched) > 5_000:
                self._touched = {k: at for k, at in self._touched.items() if at > old}

    def of(self, label: str) -> list[Machine]:
        """The machines of a label (a cloud may let two have the same). Raises Trouble."""
        listed = self._newer_than(lambda: self._touched.get(label, float("-inf")))
        return [machine for machine in listed.machines if machine.label == label]

    def all(self) -> list[Machine]:
        """Every machine of ours. Raises Trouble."""
        return list(self._newer_than(lambda: self._touched_last).machines)

    def last(self) -> tuple[Machine, ...]:
        """What the last list showed, however old; nothing is asked."""
        return self._listed.machines if self._listed is not None else ()

    def _newer_than(self, since: Callable[[], float]) -> _Listed:
        listed = self._listed
        if listed is not None and self._is_young(listed):
            if listed.began > since():
                return listed
            if self._hurried():
                raise Trouble("rate", "lists are shared while there is much to do")
        with self._fetching:
            again = self._listed  # somebody else may have fetched while we waited
            if again is not None and again is not listed and again.began > since():
                return again
            began = self._now()
            fetched = _Listed(began, tuple(self._fetch()))
            self._listed = fetched
        return fetched

    def _is_young(self, listed: _Listed) -> bool:
        return self._now() - listed.began < AGE_SECONDS_MAX

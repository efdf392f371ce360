"""One list of our machines, shared by everybody who looks: never a request per machine."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from brihaspati import ports
from brihaspati.adapters.rented.noticeboard import Noticeboard
from brihaspati.adapters.rented.shapes import Machine, Trouble

AGE_SECONDS_MAX = 5.0
# Of a list that somebody else fetched: their clock may be ahead of ours by so much.
SKEW_MS = 1_000
SHARED_MS_MAX = 10_000


@dataclass(frozen=True, slots=True)
class _Listed:
    began: float
    machines: tuple[Machine, ...]


class Lists:
    """The list as it was at most five seconds ago, and newer than what was done to its machines.

    A list that began before a create or a delete says nothing about that machine. While there is
    time a new one is fetched then; when we are busy (`hurried`), whoever asks has to come again.

    With a `board`, on which other processes put their lists, one of them is taken first, and at
    most one process fetches at a time. `all` then takes what there is, up to ten seconds old: it
    may still show a machine that is gone, and lack one that is young.
    """

    def __init__(
        self,
        fetch: Callable[[], list[Machine]],
        now: Callable[[], float],
        hurried: Callable[[], bool],
    ) -> None:
        self.board: Noticeboard | None = None
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
            self._touched[label] = self._touched_last = self._time()
            if len(self._touched) > 5_000:
                old = self._time() - (600_000 if self.board is not None else 600)
                self._touched = {k: at for k, at in self._touched.items() if at > old}

    def _time(self) -> float:
        """By the clock that lists are dated with: everybody's in milliseconds, or our own."""
        return self.board.now() if self.board is not None else self._now()

    def of(self, label: str) -> list[Machine]:
        """The machines of a label (a cloud may let two have the same). Raises Trouble."""

        def since() -> float:
            return self._touched.get(label, float("-inf"))

        listed = self._shared(self.board, since()) if self.board else self._newer_than(since)
        return [machine for machine in listed.machines if machine.label == label]

    def all(self) -> list[Machine]:
        """Every machine of ours. Raises Trouble."""
        if self.board is not None:
            return list(self._shared(self.board, float("-inf")).machines)
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

    # --- with other processes --------------------------------------------------------------------
    def _shared(self, board: Noticeboard, since: float) -> _Listed:
        """Our own list, else the one on the board, else a new one if nobody else fetches."""
        try:
            listed = self._listed
            if not self._will_do(board, listed, since):
                notice = board.read()
                listed = _Listed(notice.began, notice.machines) if notice is not None else None
            if not self._will_do(board, listed, since):
                listed = self._fetched(board, len(listed.machines) if listed is not None else 0)
        except ports.Busy as busy:
            raise Trouble("rate", f"the shared list cannot be read: {busy}") from busy
        if listed is None:
            raise Trouble("rate", "somebody else fetches the list", retry_after_seconds=2)
        self._listed = listed
        return listed

    def _will_do(self, board: Noticeboard, listed: _Listed | None, since: float) -> bool:
        if listed is None or board.now() - listed.began > SHARED_MS_MAX:
            return False
        return listed.began > since + SKEW_MS

    def _fetched(self, board: Noticeboard, known: int) -> _Listed | None:
        if not board.may_fetch(known):
            return None
        began = board.now()
        machines = tuple(self._fetch())
        board.write(began, machines)
        return _Listed(began, machines)

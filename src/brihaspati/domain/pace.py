"""How fast a provider may be asked, and when whoever asks next may have a turn.

A provider counts requests in sliding windows: 250 in any 60 s, say. A `Ledger` holds the turns
already given, some of them for moments still to come, so that everybody knows at once when theirs
is; nobody has to ask again. Turns are given in the order they are asked for. Moments are
milliseconds since the epoch, UTC; turns are kept by the tick.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

TICK_MS = 100
# Turns older than this are kept by the 10 s, at the end of which they count: few numbers, no error
# to the wrong side.
FINE_TICKS = 1_200
COARSE_TICKS = 100


@dataclass(frozen=True, slots=True)
class Window:
    """At most `count` creates in any stretch of `seconds`."""

    count: int
    seconds: int

    @property
    def ticks(self) -> int:
        """Its length, and a tick more: turns are kept by the tick they begin in."""
        return self.seconds * 1000 // TICK_MS + 1


@dataclass(frozen=True, slots=True)
class Pace:
    """How to treat a provider. Nothing given: our own host, which may be asked at any time.

    `windows`: limits on creates, what deletes and lists need already taken off. `poll_ms`: time
    between looks at a machine that boots. `lookup_grace_ms`, `start_seconds_max`: as in `Terms`;
    None for what the deployment has. `boot_seconds`: from a create to a usable machine, for an
    estimate.
    """

    windows: tuple[Window, ...] = ()
    poll_ms: int = 1_000
    lookup_grace_ms: int | None = None
    start_seconds_max: int | None = None
    boot_seconds: int = 0


UNHURRIED = Pace()
# Clouds list a machine up to seconds late, and boot one in a minute or so; after five, give it up.
RENTED = Pace(poll_ms=5_000, lookup_grace_ms=8_000, start_seconds_max=300, boot_seconds=75)
# Where many processes ask by one token, each has to ask less.
RENTED_BY_MANY = replace(RENTED, poll_ms=10_000)


# A machine whose address is known tells us itself that it is ready; looks are for one that died.
SELDOM = 6


def look_ms(poll_ms: int, *, addressed: bool) -> int:
    """From one look at a machine that boots to the next."""
    return poll_ms * (SELDOM if addressed else 1)


def end_ms(poll_ms: int, tries: int) -> int:
    """From a try to delete to the next: who is looked at seldom takes its time to end, too."""
    return 2 * poll_ms * max(1, tries - 1)


@dataclass(frozen=True, slots=True)
class Ledger:
    """Turns given: (tick, how many), ascending. None is given before `closed_until`."""

    turns: tuple[tuple[int, int], ...] = ()
    closed_until: int = 0

    def closed(self, until: int) -> Ledger:
        """The provider said: not before then."""
        return replace(self, closed_until=max(self.closed_until, until))

    def ahead(self, at: int, now: int) -> int:
        """How many turns are still to come before the one at `at`."""
        first, last = now // TICK_MS, at // TICK_MS
        return sum(count for tick, count in self.turns if first < tick < last)


def give(ledger: Ledger, windows: tuple[Window, ...], now: int) -> tuple[Ledger, int]:
    """The next turn and the ledger with it. A turn at `now` or before may be taken at once."""
    longest = max((window.ticks for window in windows), default=0)
    start = max(now, ledger.closed_until)
    tick = -(-start // TICK_MS) if ledger.closed_until > now else start // TICK_MS
    kept = _thinned([turn for turn in ledger.turns if turn[0] > now // TICK_MS - longest], now)
    if kept:
        tick = max(tick, kept[-1][0])  # in order: nobody overtakes
    moved = True
    while moved:
        free = max((_free_from(kept, window, tick) for window in windows), default=tick)
        moved, tick = free > tick, free
    if kept and kept[-1][0] == tick:
        kept[-1] = (tick, kept[-1][1] + 1)
    else:
        kept.append((tick, 1))
    return replace(ledger, turns=tuple(kept)), tick * TICK_MS


def _free_from(turns: list[tuple[int, int]], window: Window, tick: int) -> int:
    """The first tick, from this one, at which a window has room for one more."""
    left = window.count - 1
    for at, count in reversed(turns):
        if at <= tick - window.ticks:
            break
        left -= count
        if left < 0:
            return at + window.ticks
    return tick


def _thinned(turns: list[tuple[int, int]], now: int) -> list[tuple[int, int]]:
    """The same turns, those of long ago put together."""
    fine_from = (now // TICK_MS - FINE_TICKS) // COARSE_TICKS * COARSE_TICKS
    found: list[tuple[int, int]] = []
    for tick, count in turns:
        put = tick if tick >= fine_from else -(-tick // COARSE_TICKS) * COARSE_TICKS
        if found and found[-1][0] == put:
            found[-1] = (put, found[-1][1] + count)
        else:
            found.append((put, count))
    return found

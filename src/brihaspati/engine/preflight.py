"""Looks at a class days before it begins, at every provider that it may have machines of."""

from __future__ import annotations

import datetime as dt
import logging
import threading
from dataclasses import dataclass, replace
from typing import Literal

from brihaspati.domain import preflight
from brihaspati.domain.classrooms import Classroom
from brihaspati.domain.labs import Lab
from brihaspati.domain.preflight import Figures, Finding, Standing, Wanted
from brihaspati.engine.classes import Classes
from brihaspati.engine.names import Names
from brihaspati.engine.world import World

log = logging.getLogger(__name__)

# What was seen is shown for so long; then whoever comes next has it looked at anew.
FRESH_MS = 10 * 60_000
# Pressing Look again faster than this shows what was just seen.
AGAIN_MS = 5_000
DAY_MS = 24 * 3_600_000

# own: machines of our own host, nothing to ask; elsewhere: others have the tokens.
State = Literal["own", "elsewhere", "looking", "looked", "failed"]


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found about one lab at one provider. `size`: the machine it would be."""

    provider: str
    lab: str
    region: str
    size: str | None
    findings: tuple[Finding, ...]
    figures: Figures | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """How far a look is, and what the last one found; `at` None: there was none yet."""

    state: State
    at: int | None = None
    looks: tuple[Looked, ...] = ()


@dataclass(frozen=True, slots=True)
class _Kept:
    """A look at a class as it was then."""

    room: Classroom
    seen: Seen


class Preflight:
    """Asks providers what they have, and says what a class lacks."""

    def __init__(self, world: World, classes: Classes, names: Names | None = None) -> None:
        self.world = world
        self.classes = classes
        self.names = names
        self._kept: dict[str, _Kept] = {}
        self._lock = threading.Lock()

    def look(self, room: Classroom) -> tuple[Looked, ...]:
        """Each lab of a class at each of its providers; nothing for labs on our own host."""
        return tuple(
            self._looked(name, room, lab)
            for name in self._providers(room)
            if name in self.world.standings
            for lab in (self.classes.lab(*pinned) for pinned in room.labs)
        )

    def seen(self, room: Classroom, *, again: bool = False) -> Seen:
        """What is known by now; a look at the clouds is begun aside where that is too old.

        Args:
            room: the class.
            again: somebody wants it anew.
        """
        rented = [name for name in self._providers(room) if self._is_rented(name)]
        if not rented:
            return Seen("own")
        if not any(name in self.world.standings for name in rented):
            return Seen("elsewhere")
        with self._lock:
            kept = self._kept.get(room.id)
            same = kept is not None and kept.room == room
            if kept is not None and same and not self._is_old(kept.seen, again=again):
                return kept.seen
            begun = replace(kept.seen, state="looking") if kept and same else Seen("looking")
            self._kept[room.id] = _Kept(room, begun)
        self.world.aside(lambda: self._look_aside(room))
        return self._kept[room.id].seen

    def _is_old(self, seen: Seen, *, again: bool) -> bool:
        if seen.state == "looking":
            return False
        age_ms = self.world.clock.now() - (seen.at or 0)
        return age_ms >= (AGAIN_MS if again else FRESH_MS)

    def _look_aside(self, room: Classroom) -> None:
        seen = Seen("failed", self.world.clock.now())
        try:
            seen = Seen("looked", self.world.clock.now(), self.look(room))
        except Exception:
            log.exception("a class could not be looked at", extra={"class": room.id})
        finally:
            with self._lock:
                if self._kept[room.id].room == room:
                    self._kept[room.id] = _Kept(room, seen)

    def _providers(self, room: Classroom) -> list[str]:
        return list(dict.fromkeys((room.provider, *(spill.provider for spill in room.spill))))

    def _is_rented(self, name: str) -> bool:
        provider = self.world.providers.get(name)
        return name in self.world.standings or (provider is not None and provider.rented)

    def _looked(self, name: str, room: Classroom, lab: Lab) -> Looked:
        standing = self._standing(name, lab)
        wanted = self._wanted(room, lab)
        found, told = preflight.look(standing, wanted), preflight.figures(standing, wanted)
        return Looked(name, lab.name, standing.region, standing.size, found, told)

    def _standing(self, provider: str, lab: Lab) -> Standing:
        standing = self.world.standings[provider](lab)
        if self.names is None:
            return standing
        return replace(standing, names=self.names.stock().ready)

    def _wanted(self, room: Classroom, lab: Lab) -> Wanted:
        opens = dt.datetime.fromtimestamp(room.opens_at / 1000, tz=dt.UTC)
        at_once = min(room.sandboxes_per_student_max, len(room.labs))
        return Wanted(
            title=room.title,
            lab=lab.name,
            students=room.seats,
            at_once=at_once,
            hours=round(lab.lifetime_minutes / 60, 2),
            opens_on=f"{opens:%d %B %Y, %H:%M} UTC",
            budget_micros=room.budget_micros,
            rounds=-(-len(room.labs) // at_once),
            days=(room.opens_at - self.world.clock.now()) / DAY_MS,
        )

"""What is promised, checked against what the provider bills, after every write and at rest."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from brihaspati import ports
from brihaspati.domain import money
from brihaspati.domain.sandboxes import Slot
from brihaspati.engine import records
from brihaspati.engine.working import OVER_BUDGET
from brihaspati.simulation import purse
from brihaspati.simulation.agenda import Agenda
from brihaspati.simulation.cloud import MINUTE, PRICE_MICROS_PER_HOUR, SECOND, Box, Cloud
from brihaspati.simulation.purse import ALIVE
from brihaspati.simulation.vices import SLOWING

SKEW_MS_MAX = 2 * SECOND
# How many sweeps that come to their end and read the inventory may pass until a machine is gone
# that outlived its sandbox, or a start that took too long is ready or failed. Each look-up of the
# machine that has no answer, and each delete of it that is not done, is one more.
LATE_SWEEPS_MAX = 10
# How long after its time a lab ends, and after its machines are usable it is ready, where only the
# repetition of messages (2 + 4 + 8 + 16 s) delays it. A sweep would often take longer.
PROMPT_MS_MAX = 45 * SECOND
CENT_MICROS = 10_000
# Processes read a class at most this late.
CACHE_MS = 12 * SECOND


@dataclass(slots=True)
class Seen:
    """A sandbox as it was last written."""

    body: Mapping[str, Any]
    phase: str
    over_at: int | None = None


def _left(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [machine for machine in body["machines"] if machine["state"] != "gone"]


def _current(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [machine for machine in body["machines"] if machine["attempt"] == body["attempt"]]


def _overlap(window: tuple[int, int], since: int, until: int) -> int:
    return max(0, min(window[1], until) - max(window[0], since))


def _because(body: Mapping[str, Any]) -> str:
    return f": {body['reason']}" if body["reason"] else ""


@dataclass
class Promises:
    """Hears of every write and every delete, and keeps a list of what was broken."""

    agenda: Agenda
    cloud: Cloud
    broken: list[str] = field(default_factory=list)
    stops_asked: set[str] = field(default_factory=set)
    extends_asked: dict[str, set[int]] = field(default_factory=dict)
    given_ms: dict[str, int] = field(default_factory=dict)
    slots: dict[ports.Key, str] = field(default_factory=dict)
    sandboxes: dict[str, Seen] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    of_label: dict[str, str] = field(default_factory=dict)
    spent: purse.Spent = field(default_factory=purse.Spent)
    proven: dict[str, int] = field(default_factory=dict)
    room: Callable[[], Mapping[str, Any] | None] = lambda: None
    budget_changed_at: int = 0
    outage: tuple[int, int] = (0, 0)
    asleep: tuple[int, int] = (0, 0)
    rhythm_ms: int = MINUTE
    sweeps_failed: list[int] = field(default_factory=list)
    ready: int = 0
    faultless: bool = False
    messages_given_up: Callable[[], int] = lambda: 0
    typed_at: Callable[[str], int | None] = lambda _: None
    under_way: list[int] = field(default_factory=list)

    @functools.cached_property
    def _promptly(self) -> bool:
        rules = self.cloud.weather.rules
        return not any(map(rules, SLOWING))

    def break_(self, what: str) -> None:
        """Note a broken promise, with the time."""
        self.agenda.tell(f"BROKEN: {what}")
        self.broken.append(f"{self.agenda.clock_face()} {what}")

    # --- on every write --------------------------------------------------------------------------
    def committed(self, writes: Sequence[ports.Write]) -> None:
        """Hear of a write that was really done."""
        for write in writes:
            if not isinstance(write, ports.Put):
                continue
            if "sandbox" in write.body and "effects" in write.body:
                self._found_again(write)
                self._saved(write.key, write.body["sandbox"])
            elif write.key.sort.startswith("x#"):
                self._proven(write.body)

    def _found_again(self, write: ports.Put) -> None:
        """Whatever is not at rest is in the index in which sweeps look."""
        body = write.body["sandbox"]
        rest = body["phase"] in ("gone", "failed") and not _left(body)
        if "due" not in write.indexes and not (rest and not write.body["effects"]):
            self.break_(f"{body['id']} is {body['phase']}, and no sweep looks for it")

    def looked(self, slot: str, begun: int) -> None:
        """A look at a sandbox came to its end: no time that was over at its beginning is."""
        seen = self.sandboxes.get(self.slots.get(records.sandbox_key(Slot.parse(slot)), ""))
        if seen is None or records.slot_text(seen.body["slot"]) != slot:
            return  # it was claimed since, and has another slot
        body, over_at = seen.body, begun
        if seen.phase in ("queued", "starting"):
            over_at = body["asked_at"] + body["terms"]["start_seconds_max"] * 1000
        elif seen.phase == "ready":
            over_at = body["deadline_at"]
        if over_at + 2 * SKEW_MS_MAX < begun:
            late = (begun - over_at) // 1000
            self.break_(f"{body['id']} was looked at {late} s late, and is {seen.phase} still")

    def _proven(self, body: Mapping[str, Any]) -> None:
        self.spent.add(self.agenda.now, int(body["cost_micros"]))
        machine_id = body["end"]["machine_id"]
        if machine_id is None:
            return
        self.proven[machine_id] = int(body["end"]["gone_at"])
        box = self.cloud.boxes[machine_id]
        if box.ended_at is None and self._shows(box):
            self.break_(f"{box.label} has a proof of its end, and runs")

    def _saved(self, key: ports.Key, body: Mapping[str, Any]) -> None:
        sandbox_id, user = str(body["id"]), body["slot"]["user"]
        before = self.sandboxes.get(sandbox_id)
        self._one_at_a_time(key, sandbox_id)
        if user is not None:
            self._one_owner(body, user)
        if before is None or before.phase != body["phase"]:
            whose = f"{body['slot']['user'] or 'nobody'}'s {body['slot']['lab']}"
            self.agenda.tell(f"{sandbox_id} ({whose}) is {body['phase']}{_because(body)}")
        if before is not None and before.phase != body["phase"]:
            self._turned(before.body, body)
        self._not_too_long(body)
        if user is not None:
            self._within_limits(before, body, user)
        over_at = before.over_at if before else None
        if body["phase"] in ALIVE:
            over_at = None
        elif over_at is None:
            over_at = self.agenda.now
        self.sandboxes[sandbox_id] = Seen(body, body["phase"], over_at)
        for machine in body["machines"]:
            self.of_label[machine["label"]] = sandbox_id
            if machine["machine_id"] is not None:
                self.cloud.boxes[machine["machine_id"]].told = True

    def _within_number(self, body: Mapping[str, Any], user: str) -> None:
        """A new sandbox is within the labs at a time."""
        room = self.room()
        mine = [s for s in self.sandboxes.values() if self._counts(s, user)]
        if room is not None and len(mine) >= room["sandboxes_per_student_max"]:
            self.break_(f"{body['id']} is lab {len(mine) + 1} of {user} at a time")

    def _within_limits(self, before: Seen | None, body: Mapping[str, Any], user: str) -> None:
        if before is None:
            self._within_number(body, user)
            self._within_budget(body, "begins")
        elif (before.phase, body["phase"]) == ("failed", "queued"):
            self._within_budget(body, "begins again")
        elif (body["deadline_at"] or 0) > purse.deadline_before(before.body, body):
            self._within_budget(body, "goes on")
        elif (before.phase, body["phase"]) == ("queued", "starting"):
            room = self.room()
            if room is not None and purse.must_be_looked_at(room["budget_micros"], body):
                self._within_budget(body, "starts", 0)

    def _within_budget(self, body: Mapping[str, Any], what: str, stale_ms: int = CACHE_MS) -> None:
        """A sandbox begins, or goes on for longer, only within the budget to its end.

        What others promised is counted as it is now, for their notes exclude each other. What was
        proven to be spent since whoever writes began is counted for the next: of an attempt whose
        machine was lost nobody knows before what it costs.
        """
        begun = self._begun_at()
        beyond = self._beyond_micros(body, self.spent.before(begun), begun - SKEW_MS_MAX)
        if beyond > 0 and begun >= self.budget_changed_at + stale_ms:
            self.break_(f"{body['id']} {what} {beyond} micros beyond its class's budget")

    def _beyond_micros(self, body: Mapping[str, Any], spent_micros: int, now: int) -> int:
        """By how much a sandbox, with what is spent and promised, is beyond its class's budget."""
        room = self.room()
        if room is None or room["budget_micros"] is None:
            return 0
        others = [s.body for s in self.sandboxes.values() if s.body["id"] != body["id"]]
        promised = purse.promised_micros((*others, body), now)
        return spent_micros + promised - int(room["budget_micros"])

    def _begun_at(self) -> int:
        """When whoever writes now began with what it does: what it read may be as old."""
        return self.under_way[-1] if self.under_way else self.agenda.now

    def _counts(self, seen: Seen, user: str) -> bool:
        body = seen.body
        if body["slot"]["user"] != user or (seen.phase in ("gone", "failed") and not _left(body)):
            return False
        return self._is_stored(seen)

    def _not_too_long(self, body: Mapping[str, Any]) -> None:
        """A deadline is what was agreed, with every extension and what the trainer gave."""
        if body["phase"] != "ready" or body["deadline_at"] is None:
            return
        terms, now = body["terms"], body["ready_at"]
        used = terms["extensions_max"] - body["extensions_left"]
        if used > len(self.extends_asked.get(body["id"], ())):
            self.break_(f"{body['id']} was extended {used} times, which nobody asked for")
        agreed = terms["lifetime_seconds"] + terms["extensions_max"] * terms["extend_seconds"]
        latest = now + agreed * 1000 + self.given_ms.get(body["id"], 0)
        if terms["closes_at"] is not None and body["deadline_at"] > terms["closes_at"]:
            self.break_(f"{body['id']} may go on after its class")
        if body["deadline_at"] > latest:
            self.break_(f"{body['id']} may go on {(body['deadline_at'] - latest) // 1000} s longer")

    def _one_at_a_time(self, key: ports.Key, sandbox_id: str) -> None:
        other = self.slots.get(key)
        replaced = other is not None and other != sandbox_id and key.partition.startswith("u#")
        if replaced and _left(self.sandboxes[str(other)].body):
            self.break_(f"{sandbox_id} took the place of {other}, which still had machines")
        self.slots[key] = sandbox_id

    def _one_owner(self, body: Mapping[str, Any], user: str) -> None:
        for machine in body["machines"]:
            owner = self.owners.setdefault(machine["label"], user)
            if owner != user:
                self.break_(f"{machine['label']} was {owner}'s and is {user}'s now")

    def _turned(self, before: Mapping[str, Any], body: Mapping[str, Any]) -> None:
        now, phase = self.agenda.now, body["phase"]
        if phase == "ready":
            self.ready += 1
            self._really_ready(body)
        if phase == "stopping" and before["phase"] in ALIVE:
            self._ended_in_time(before, body, now)
        if phase == "failed" and before["phase"] == "ready":
            self._really_lost(body)
        over_budget = body["reason"] == OVER_BUDGET
        if over_budget:
            over_budget = self._beyond_micros(before, self.spent.micros, now) > 0
        if phase == "failed" and self.faultless and not over_budget:
            self.break_(f"{body['id']} failed, and nothing had gone wrong: {body['reason']}")
        if before["phase"] in ("queued", "starting") and phase in ("ready", "failed"):
            limit = body["terms"]["start_seconds_max"] * 1000
            over_at = before["asked_at"] + limit
            if self._late_ms(over_at, now) > LATE_SWEEPS_MAX * self.rhythm_ms:
                self.break_(f"{body['id']} took {(now - before['asked_at']) // 1000} s to {phase}")

    def _really_ready(self, body: Mapping[str, Any]) -> None:
        for machine in _current(body):
            box = self.cloud.boxes.get(machine["machine_id"] or "")
            if box is None or box.label != machine["label"]:
                self.break_(f"{body['id']} is ready without {machine['label']}")
            elif box.usable_at > self.agenda.now:
                self.break_(f"{body['id']} is ready before {box.label} is usable")
            elif box.ended_at is not None and box.by_us:
                self.break_(f"{body['id']} is ready with {box.label}, which we deleted")
        found = (self.cloud.boxes.get(m["machine_id"] or "") for m in _current(body))
        boxes = [box for box in found if box is not None]
        usable_at = max((box.usable_at for box in boxes), default=0)
        # It is looked at so often, and after a look that has no answer not before its grace.
        denied = sum(at >= usable_at for box in boxes for at in box.denied_at)
        terms = body["terms"]
        looks_ms = terms["poll_ms"] + denied * terms["lookup_grace_ms"]
        self._prompt(usable_at + looks_ms, body, "ready")

    def _prompt(self, at: int, body: Mapping[str, Any], what: str) -> None:
        """Where nothing is lost or slow, nobody waits until a sweep comes by."""
        late = self.agenda.now - at
        if late > PROMPT_MS_MAX and self._promptly and not self.messages_given_up():
            self.break_(f"{body['id']} is {what} {late // 1000} s after its time")

    def _ended_in_time(self, before: Mapping[str, Any], body: Mapping[str, Any], now: int) -> None:
        end, early = body["end"], now + 2 * SKEW_MS_MAX
        if end == "expired" and early < (before["deadline_at"] or now * 2):
            self.break_(f"{body['id']} expired before its deadline")
        if end == "expired":
            self._prompt(before["deadline_at"], body, "over")
        if end == "stopped" and body["id"] not in self.stops_asked:
            self.break_(f"{body['id']} was stopped, and nobody had asked")
        if end == "class_closed" and early < (body["terms"]["closes_at"] or 0):
            self.break_(f"{body['id']} ended before the class")
        if end == "idle":
            typed_at = self.typed_at(body["id"]) or 0
            heard_at = typed_at if typed_at < self._begun_at() else before["last_input_at"] or 0
            since = max(before["ready_at"] or 0, heard_at)
            if early < since + body["terms"]["idle_seconds"] * 1000:
                self.break_(f"{body['id']} ended as idle, and was not")

    def _really_lost(self, body: Mapping[str, Any]) -> None:
        """Who is told that the machine is lost has lost it, unless look-ups hid it."""
        boxes = [self.cloud.boxes.get(m["machine_id"] or "") for m in _current(body)]
        if all(box is not None and box.ended_at is None and self._shows(box) for box in boxes):
            self.break_(f"{body['id']} lost a machine that is there")

    def _shows(self, box: Box) -> bool:
        """Whether look-ups, which may lag, have shown the machine for a while."""
        lag_ms = self.cloud.lag_ms + 2 * SKEW_MS_MAX
        hidden = box.hidden_ms > 0 and box.hidden_until + lag_ms > self.agenda.now
        return not hidden and box.created_at + lag_ms < self.agenda.now

    # --- on every delete -------------------------------------------------------------------------
    def deleted(self, box: Box) -> None:
        """Hear of a delete that was asked for."""
        if box.stranger:
            self.break_(f"{box.label} is a stranger's machine, and was deleted")
        seen = self.sandboxes.get(self.of_label.get(box.label, ""))
        if seen is None or seen.phase != "ready":
            return
        for machine in _current(seen.body):
            if machine["machine_id"] == box.id and machine["state"] in ("running", "usable"):
                self.break_(f"{box.label} was deleted while {seen.body['id']} was ready")

    def stray_deleted(self, machine_id: str) -> None:
        """Hear of a sweep's delete: of a machine that the sweep before has seen as well."""
        box = self.cloud.boxes.get(machine_id)
        first = box.listed_at if box is not None else None
        if box is not None and (first is None or self.agenda.now - first < self.rhythm_ms // 2):
            self.break_(f"{box.label} was deleted as a stray at first sight")
        seen = self.sandboxes.get(self.of_label.get(box.label, "")) if box is not None else None
        if box is None or seen is None or seen.phase not in ALIVE or not self._is_stored(seen):
            return
        if any(m["label"] == box.label and m["state"] != "gone" for m in _current(seen.body)):
            self.break_(f"{box.label} was deleted as a stray, and {seen.body['id']} wants it")

    # --- at rest ---------------------------------------------------------------------------------
    def at_rest(self) -> None:
        """All is quiet, all lifetimes are over: nothing may be left, and the books must agree."""
        for box in self.cloud.running():
            self.break_(f"{box.label} runs, and nobody wants it")
        for seen in self.sandboxes.values():
            if seen.phase not in ("gone", "failed") and self._is_stored(seen):
                self.break_(f"{seen.body['id']} is {seen.phase} for ever")
        for label, count in self.cloud.creates.items():
            if count > 1:
                self.break_(f"{label} was created {count} times")
        self._books()
        self._overtime()

    def is_anyone_alive(self) -> bool:
        """Whether some sandbox has not come to its end."""
        phases = ("queued", "starting", "ready", "stopping")
        return any(s.phase in phases and self._is_stored(s) for s in self.sandboxes.values())

    def _is_stored(self, seen: Seen) -> bool:
        return seen.body["id"] in self.slots.values()

    def _books(self) -> None:
        """What we say it cost is what it cost, and what passed before we saw an end."""
        seen_late = 0
        for box in self.cloud.boxes.values():
            if box.stranger or (not box.told and box.ended_at is not None):
                continue  # what nobody was ever told of, nobody can prove
            proven_at = self.proven.get(box.id)
            if proven_at is None:
                self.break_(f"{box.label} has no proof of its end")
            elif box.ended_at is not None:
                seen_late += money.cost_micros(PRICE_MICROS_PER_HOUR, box.ended_at, proven_at)
        billed = self.cloud.bill_micros()
        booked = self.spent.micros
        if not billed - CENT_MICROS <= booked <= billed + seen_late + CENT_MICROS:
            self.break_(f"the books say {booked} micros, the provider bills {billed}")

    def _late_ms(self, since: int, until: int) -> int:
        """For how long something was late while sweeps came to their end."""
        failed = sum(since <= at <= until for at in self.sweeps_failed)
        return until - since - failed * self.rhythm_ms - _overlap(self.asleep, since, until)

    def _overtime(self) -> None:
        for box in self.cloud.boxes.values():
            seen = self.sandboxes.get(self.of_label.get(box.label, ""))
            if box.stranger or seen is None or seen.over_at is None:
                continue
            ended = box.ended_at if box.ended_at is not None else self.agenda.now
            over_at = max(seen.over_at, box.created_at)
            denied = sum(over_at <= at <= ended for at in box.denied_at)
            late = self._late_ms(over_at, ended) - _overlap(self.outage, over_at, ended)
            late -= denied * self.rhythm_ms + box.hidden_ms
            if late > LATE_SWEEPS_MAX * self.rhythm_ms:
                self.break_(f"{box.label} outlived its sandbox by {late // 1000} s")

"""What a student and a trainer do with a sandbox: play, stop, extend, open."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from brihaspati import ports
from brihaspati.domain import events, lifecycle, sandboxes, tickets
from brihaspati.domain.classrooms import Classroom
from brihaspati.domain.events import Event
from brihaspati.domain.labs import Lab, MachineSpec
from brihaspati.domain.sandboxes import EndKind, Offer, Sandbox, Slot, Terms
from brihaspati.engine import membership
from brihaspati.engine.budgets import Tally
from brihaspati.engine.membership import Membership
from brihaspati.engine.problems import Problem
from brihaspati.engine.records import Person, Record, record_of, sandbox_key
from brihaspati.engine.working import Worker
from brihaspati.engine.world import World

PLAY_TRIES_MAX = 5
LENGTHEN_TRIES_MAX = 20
# How many warm sandboxes a claim chooses from: few are quick to read, and every time that somebody
# was faster more of them make it less likely that it happens again.
CLAIM_CHOICES = (4, 20, 100, 100, 100)
Guards = tuple[ports.Write, ...]
# A class presses Play within seconds. What can wait is done after that, not while people wait.
AFTER_RUSH_SECONDS = 2
# For so long a claim tries what the one before it left over, before it looks itself.
LEFT_MS = 10_000


@dataclass(frozen=True, slots=True)
class Opening:
    """What a ticket is asked for."""

    permission: tickets.Permission
    port: int | None = None
    machine: str | None = None


class Playing:
    """The commands of the people. Each is safe to repeat."""

    def __init__(self, world: World, worker: Worker) -> None:
        self.world = world
        self.worker = worker
        self.budgets = worker.budgets
        # By pool: warm sandboxes that the last claim here had to choose from, and when.
        self._warm_left: dict[tuple[str, str], tuple[int, list[Record]]] = {}
        self._refilled_at: dict[tuple[str, str], int] = {}

    # --- play ----------------------------------------------------------------------------------
    def play(self, room: Classroom, lab: Lab, member: Membership) -> tuple[Record, bool]:
        """The student's sandbox of this lab, asked for if there is none; and whether it is new.

        Raises Problem when the class is not open or a limit is met.
        """
        now = self.world.clock.now()
        terms = self.terms(room, lab, now)
        slot, again = Slot(room.id, lab.name, user=member.person.id), False
        for _ in range(PLAY_TRIES_MAX):
            existing = member.sandbox(room.id, lab.name)
            if existing is None or (existing.sandbox.at_rest and not existing.unfinished):
                version = existing.version if existing is not None else 0
                _check_hours(room, member, now)
                _check_number(room, lab, member)
                guards = (*self.budgets.note(room, slot, terms), _one_play(room, member))
                try:
                    claimed = self._claim(room, lab, slot, version, guards)
                    begun = claimed or self._queue(slot, terms, version, guards)
                except ports.Conflict:
                    pass  # a double click, the other device, or the last of the budget
                else:
                    self._measure(warm=claimed is not None)
                    return begun, True
            elif _goes_on(existing.sandbox):
                return existing, again
            elif existing.sandbox.at_rest:
                self.worker.work(slot)  # what its end still needs must not be lost
            else:
                _check_hours(room, member, now)
                guards = self.budgets.note(room, slot, terms)
                # Not before its note: what is to be seen of it takes the place of that.
                then = self.world.clock.now()
                pressed = lifecycle.decide(existing.sandbox, events.Played(), then)
                asked = existing.follow(pressed)
                with contextlib.suppress(ports.Conflict):  # news of its machines, or of the budget
                    self.worker.pass_on(self.worker.save(asked, *guards))
                    again = True
            member = membership.read(self.world.store, member.person.id)
        raise Problem("busy", "Your lab is changing right now.", "Press Play again.")

    def _measure(self, *, warm: bool) -> None:
        self.world.metrics.count("plays")
        if warm:
            self.world.metrics.count("warm_plays")

    def _queue(self, slot: Slot, terms: Terms, version: int, guards: Guards) -> Record:
        """A new sandbox takes its turn. Raises Conflict."""
        now = self.world.clock.now()
        sandbox = sandboxes.new(self.world.chance.name(12), slot, terms, now)
        empty = Record(sandbox, (), version)
        asked = empty.follow(lifecycle.decide(sandbox, events.Played(), now))
        saved = self.worker.save(asked, *guards, self.worker.home(asked))
        self.worker.pass_on(saved)
        return saved

    def _claim(
        self, room: Classroom, lab: Lab, slot: Slot, version: int, guards: Guards
    ) -> Record | None:
        """A warm sandbox becomes the student's in one transaction, without a call to it.

        None when there is none. Raises Conflict when the student's own place was written.
        """
        if room.pool <= 0:
            return None
        left = self._left(room, lab)
        for choices in (0, *CLAIM_CHOICES) if left else CLAIM_CHOICES:
            warm, more = (left, True) if not choices else self._warm(room, lab, choices)
            if not warm and not more:
                return None
            if not warm:
                continue
            chosen = warm.pop(self.world.chance.pick(len(warm)))
            self._warm_left[room.id, lab.name] = (self.world.clock.now(), warm)
            pooled = chosen.sandbox.slot
            now = self.world.clock.now()
            owned = chosen.follow(lifecycle.decide(chosen.sandbox, events.Claimed(slot), now))
            taken = Record(owned.sandbox, owned.unfinished, version, owned.fresh)
            try:
                saved = self.worker.save(
                    taken,
                    ports.Delete(sandbox_key(pooled), expect=chosen.version),
                    *guards,
                    self.worker.home(taken, "claimed"),
                )
            except ports.Conflict as conflict:
                # Who was faster took it away, and wrote where it went: the last of the writes.
                if not set(conflict.found) <= {1, 2 + len(guards)}:
                    raise
                continue
            # What is left to do is its alarm: that too comes after the rush.
            self.worker.wake_soon(slot, AFTER_RUSH_SECONDS)
            self.refill(room.id, lab.name)
            return saved
        return None

    def _warm(self, room: Classroom, lab: Lab, choices: int) -> tuple[list[Record], bool]:
        """Some warm sandboxes that may be claimed, and whether there are more to look at."""
        page = self.world.store.query(f"w#{room.id}#{lab.name}", "y#", limit=choices)
        found = [r for r in map(record_of, page.items) if _is_claimable(r.sandbox, lab)]
        return found, page.cursor is not None

    def _left(self, room: Classroom, lab: Lab) -> list[Record]:
        """Those that a claim before this one read and did not take, if that was just now.

        They may be gone or changed since: then the claim meets a conflict, and looks.
        """
        read_at, left = self._warm_left.get((room.id, lab.name), (0, []))
        fresh = read_at <= self.world.clock.now() < read_at + LEFT_MS
        return [r for r in left if _is_claimable(r.sandbox, lab)] if fresh else []

    def refill(self, class_id: str, lab: str) -> None:
        """Have a worker bring the pool of a lab back to its size, soon and once for many claims."""
        now, pool = self.world.clock.now(), (class_id, lab)
        asked_at = self._refilled_at.get(pool)
        if asked_at is not None and asked_at <= now < asked_at + AFTER_RUSH_SECONDS * 1000:
            return  # the one that waits will see this claim too
        self._refilled_at[pool] = now
        message = ports.Message("pool", {"class": class_id, "lab": lab})
        self.world.soon(lambda: self.world.queue.put(message, delay_seconds=AFTER_RUSH_SECONDS))

    def terms(self, room: Classroom, lab: Lab, now: int) -> Terms:
        """What is agreed for a sandbox of this lab in this class, asked for now.

        It ends with the class; what a trainer starts after the class has its lifetime.
        """
        bounds, pace = self.world.bounds, self.world.pace(room.provider)
        offers = self._offers(room, lab)
        return Terms(
            env=self.world.env,
            provider=room.provider,
            lab_version=lab.version,
            machines=tuple(spec.name for spec in lab.machines),
            lifetime_seconds=lab.lifetime_minutes * 60,
            extend_seconds=lab.extend_minutes * 60,
            extensions_max=lab.extensions_max,
            idle_seconds=self._idle_seconds(room, lab),
            price_micros_per_hour=max(offer.price_micros_per_hour for offer in offers),
            attempts_max=bounds.attempts_max,
            start_seconds_max=pace.start_seconds_max or bounds.start_seconds_max,
            lookup_grace_ms=pace.lookup_grace_ms or bounds.lookup_grace_ms,
            closes_at=room.closes_at if now < room.closes_at else None,
            poll_ms=pace.poll_ms,
            offers=offers if len(offers) > 1 else (),
            budget_micros=room.budget_micros,
        )

    def _idle_seconds(self, room: Classroom, lab: Lab) -> int | None:
        """A rented machine tells who typed in it only with its next sign of life."""
        if lab.idle_minutes is None:
            return None
        rented = self.world.providers[room.provider].rented or bool(room.spill)
        return lab.idle_minutes * 60 + (self.world.bounds.beat_seconds if rented else 0)

    def _offers(self, room: Classroom, lab: Lab) -> tuple[Offer, ...]:
        """The class's provider, then those it may spill over to at a price it allows."""
        usual = self.world.providers[room.provider]
        found = [Offer(room.provider, sum(_price(usual, spec) for spec in lab.machines))]
        for spill in room.spill:
            provider = self.world.providers.get(spill.provider)
            if provider is None:
                continue  # it was one when the class was set up
            try:
                price = sum(_price(provider, spec) for spec in lab.machines)
            except Problem:
                continue  # it has no such machine, or does not say at what price
            cap = spill.micros_per_hour_max
            if cap is None or price <= cap:
                found.append(Offer(spill.provider, price, spill.share_percent))
        return tuple(found)

    # --- stop, extend, open ----------------------------------------------------------------------
    def stop(self, slot: Slot, end: EndKind, known: Record | None = None) -> Record | None:
        """End a sandbox; None when there is none. `known`: as this request has just read it."""
        return self._post(slot, events.StopAsked(end), known)

    def extend(self, room: Classroom, slot: Slot, extensions_left: int) -> Record | None:
        """More time, once for each number of extensions the student saw. Raises Problem."""
        return self._lengthen(room, slot, events.Extended(extensions_left), Tally())

    def prolong(
        self, room: Classroom, slot: Slot, event: events.Prolonged, tally: Tally
    ) -> Record | None:
        """More time from the trainer, once for each deadline the trainer saw. Raises Problem.

        `tally`: the same for all who get more time in one request.
        """
        return self._lengthen(room, slot, event, tally)

    def stay(self, record: Record) -> Record | None:
        """Somebody is there, who did nothing that an agent hears of: reading is work as well."""
        return self._post(record.sandbox.slot, events.InputSeen(self.world.clock.now()), record)

    def _lengthen(self, room: Classroom, slot: Slot, event: Event, tally: Tally) -> Record | None:
        """A later deadline, together with its note in the budget. Raises Problem."""
        for _ in range(LENGTHEN_TRIES_MAX):
            record = self.worker.load(slot)
            if record is None:
                return None
            now = self.world.clock.now()
            longer = record.follow(lifecycle.decide(record.sandbox, event, now))
            if longer.says_the_same(record):
                return record
            guards = self.budgets.note_more(room, record.sandbox, longer.sandbox, tally)
            try:
                saved = self.worker.save(longer, *guards)
            except ports.Conflict:
                tally.forget()
                continue
            self.worker.wake_soon(slot)
            return saved
        raise Problem("busy", "Too many get more time at once.", "Try again.")

    def _post(self, slot: Slot, event: Event, known: Record | None = None) -> Record | None:
        record = self.worker.post(slot, event, known)
        if record is not None and record.unfinished:
            self.worker.pass_on(record)
        return record

    def ticket(self, record: Record, lab: Lab, person: Person, opening: Opening) -> tuple[str, int]:
        """A sealed ticket for a ready sandbox, and when it ends. Raises Problem."""
        sandbox = record.sandbox
        if sandbox.phase != "ready":
            raise Problem("not_ready", "The lab is not running.", "Press Play first.")
        if opening.permission == "preview":
            _check_port(lab, opening)
        reached = _reached(lab, opening)
        now = self.world.clock.now()
        ticket = tickets.Ticket(
            id=self.world.chance.name(24),
            env=self.world.env,
            sandbox=sandbox.id,
            machines={m.name: m.label for m in sandbox.current if m.name in reached},
            terminals={t.name: (t.machine, t.command) for t in lab.terminals},
            user=person.id,
            name=person.name,
            may=(opening.permission,),
            issued_at=now,
            expires_at=now + tickets.LIFE_MS,
            port=opening.port,
            machine=opening.machine,
        )
        return tickets.seal(ticket, self.world.secrets.sign), ticket.expires_at


def _price(provider: ports.Provider, spec: MachineSpec) -> int:
    try:
        return provider.price_micros_per_hour(spec)
    except (ports.Unclear, ports.CreateRefused) as error:
        title = f"{provider.name} has no price for this lab: {error}"
        raise Problem("no_machines", title, "Tell your trainer.") from error


def _reached(lab: Lab, opening: Opening) -> set[str]:
    """Names of the machines a ticket opens: those with a terminal, or the preview's own.

    A machine without a terminal is there to be reached over the network only.
    """
    if opening.permission == "preview":
        return {opening.machine} if opening.machine is not None else set()
    return {terminal.machine for terminal in lab.terminals}


def _check_hours(room: Classroom, member: Membership, now: int) -> None:
    state = room.state(now)
    if state != "open" and "taught" not in member.relations_to(room.id):
        title = f"{room.title} is over." if state == "closed" else f"{room.title} is not open."
        raise Problem("class_closed", title, "Look at the class page for its hours.")


def _one_play(room: Classroom, member: Membership) -> ports.Write:
    """Count this Play, on the condition that no other was counted since the person was read.

    Of two Plays at once the slower one looks again: the limit of labs at a time holds for both.
    """
    key = ports.Key(f"u#{member.person.id}", f"n#{room.id}")
    plays = member.plays.get(room.id, 0)
    return ports.Put(key, {"plays": plays + 1}, expect=plays)


def _check_number(room: Classroom, lab: Lab, member: Membership) -> None:
    """Labs beside this one, whose machines may still be on their way out."""
    slots = [r.sandbox.slot for r in member.sandboxes if not r.sandbox.at_rest]
    others = [s for s in slots if s.class_id == room.id and s.lab != lab.name]
    if len(others) >= room.sandboxes_per_student_max:
        raise Problem(
            "too_many_sandboxes",
            f"You have {len(others)} labs running; this class allows "
            f"{room.sandboxes_per_student_max} at a time.",
            "Stop one of them first.",
        )


def _goes_on(sandbox: Sandbox) -> bool:
    """Whether Play has nothing to do but wait: it starts, runs, or is on its way out."""
    return sandbox.phase in ("queued", "starting", "ready", "stopping")


def _is_claimable(sandbox: Sandbox, lab: Lab) -> bool:
    return sandbox.phase == "ready" and sandbox.terms.lab_version == lab.version


def _check_port(lab: Lab, opening: Opening) -> None:
    published = [(spec.name, p.port) for spec in lab.machines for p in spec.ports]
    if (opening.machine, opening.port) not in published:
        known = ", ".join(f"{m}:{p}" for m, p in published) or "none"
        raise Problem(
            "bad_field",
            f"The lab publishes no port {opening.port} on {opening.machine}.",
            f"Published: {known}.",
            field="port",
        )

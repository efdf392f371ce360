"""What the promises take for broken, and what nobody could have kept."""

from __future__ import annotations

from brihaspati import ports
from brihaspati.domain import money, sandboxes
from brihaspati.domain.sandboxes import Sandbox, Slot, Terms
from brihaspati.domain.scrubs import FIRST, End, Entry
from brihaspati.engine import records, scrubbing
from brihaspati.engine.records import Record
from brihaspati.simulation.agenda import Agenda
from brihaspati.simulation.cloud import HOUR, PRICE_MICROS_PER_HOUR, SECOND, Cloud
from brihaspati.simulation.dice import Dice
from brihaspati.simulation.promises import Promises
from brihaspati.simulation.vices import Weather

HOUR_MICROS = money.cost_micros(PRICE_MICROS_PER_HOUR, 0, HOUR)
TERMS = Terms(
    env="sim",
    provider="cloud",
    lab_version="v1",
    machines=("main",),
    lifetime_seconds=3600,
    extend_seconds=0,
    extensions_max=0,
    price_micros_per_hour=PRICE_MICROS_PER_HOUR,
    budget_micros=HOUR_MICROS,
)


def promised(budget_micros: int) -> Promises:
    """The promises of a class with a budget, to which nothing has happened yet."""
    agenda = Agenda()
    dice = Dice("promises")
    promises = Promises(agenda, Cloud(agenda, Weather({}, dice), dice))
    promises.room = lambda: {"budget_micros": budget_micros, "sandboxes_per_student_max": 1}
    return promises


def asked(user: str, at: int) -> ports.Put:
    """The write of a sandbox that a student just asked for."""
    sandbox: Sandbox = sandboxes.new(f"{user}s", Slot("class", "first", user), TERMS, at)
    return records.put_record(Record(sandbox, (), 0), at, 1)


def proven(cost_micros: int, at: int) -> ports.Put:
    """The write of an end that cost something."""
    end = End("bh-sim-x-a1-main", None, None, at, "asked for; no look-up ever found it")
    entry = Entry(1, "x", "class", "first", "x", PRICE_MICROS_PER_HOUR, end, cost_micros, FIRST)
    return scrubbing.put_entry(entry)


def test_what_begins_within_the_budget_breaks_nothing() -> None:
    promises = promised(HOUR_MICROS)
    promises.committed([asked("ada", promises.agenda.now)])
    assert promises.broken == []


def test_what_begins_beyond_the_budget_is_a_broken_promise() -> None:
    promises = promised(HOUR_MICROS)
    promises.committed([asked("ada", promises.agenda.now)])
    promises.committed([asked("bo", promises.agenda.now)])
    assert [f"begins {HOUR_MICROS} micros beyond" in said for said in promises.broken] == [True]


def test_what_was_proven_to_be_spent_before_somebody_began_counts() -> None:
    promises = promised(HOUR_MICROS)
    promises.committed([proven(144, promises.agenda.now)])
    promises.agenda.run(promises.agenda.now + SECOND)
    promises.under_way.append(promises.agenda.now)
    promises.committed([asked("ada", promises.agenda.now)])
    assert ["begins 144 micros beyond" in said for said in promises.broken] == [True]


def test_what_was_proven_to_be_spent_since_somebody_began_counts_for_the_next() -> None:
    promises = promised(HOUR_MICROS)
    promises.under_way.append(promises.agenda.now)
    promises.agenda.run(promises.agenda.now + SECOND)
    promises.committed([proven(144, promises.agenda.now)])
    promises.committed([asked("ada", promises.agenda.now)])
    assert promises.broken == []

"""The memory provider behaves like a cloud: it bills, lags, and fails as planned."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from brihaspati import ports
from brihaspati.adapters import memory
from brihaspati.domain import labs
from brihaspati_agent import places

SPEC = labs.MachineSpec("main")
LABEL = "bh-test-abc-a1-main"
ORDER = ports.MachineOrder(LABEL, "abc", SPEC)


def _plan(call: str, *twists: memory.Refuse | memory.Vague | None) -> memory.Plan:
    """The given twists of one call, one after another, then none."""
    left = iter(twists)
    return lambda asked, _: next(left, None) if asked == call else None


def _labels(seen: Sequence[ports.MachineSeen]) -> list[str]:
    return [machine.label for machine in seen]


def test_a_machine_is_made_seen_and_ended() -> None:
    clock = memory.ManualClock()
    provider: ports.Provider = memory.Provider(clock)
    made = provider.create(ORDER)
    assert made == ports.MachineSeen(LABEL, made.id, usable=True, created_at=clock.now())
    assert provider.find(LABEL) == made
    assert provider.inventory() == [made]
    provider.delete(made.id)
    provider.delete(made.id)
    provider.delete("never made")
    assert provider.find(LABEL) is None
    assert provider.inventory() == []


def test_a_repeated_create_makes_a_second_machine_that_is_paid_for() -> None:
    clock = memory.ManualClock()
    provider = memory.Provider(clock, price_micros_per_hour=3_600_000)
    first = provider.create(ORDER)
    provider.create(ORDER)
    clock.advance(2)
    provider.delete(first.id)
    clock.advance(1)
    assert _labels(provider.inventory()) == [LABEL]
    assert [machine.order for machine in provider.running()] == [ORDER]
    assert provider.bill_micros() == (2 + 3) * 1000


def test_a_refused_create_has_made_nothing() -> None:
    refusal = memory.Refuse("rate", "too many at once", retry_after_seconds=3)
    provider = memory.Provider(memory.ManualClock(), plan=_plan("create", refusal))
    with pytest.raises(ports.CreateRefused, match="too many at once") as caught:
        provider.create(ORDER)
    assert (caught.value.kind, caught.value.retry_after_seconds) == ("rate", 3)
    assert provider.machines == []
    assert provider.create(ORDER)


@pytest.mark.parametrize("done", [True, False])
def test_an_unclear_create_made_a_machine_or_not(*, done: bool) -> None:
    plan = _plan("create", memory.Vague(done=done))
    provider = memory.Provider(memory.ManualClock(), plan=plan)
    with pytest.raises(ports.Unclear):
        provider.create(ORDER)
    assert (provider.find(LABEL) is not None) == done


@pytest.mark.parametrize("done", [True, False])
def test_an_unclear_delete_ended_the_machine_or_not(*, done: bool) -> None:
    plan = _plan("delete", memory.Vague(done=done))
    provider = memory.Provider(memory.ManualClock(), plan=plan)
    made = provider.create(ORDER)
    with pytest.raises(ports.Unclear):
        provider.delete(made.id)
    assert (provider.find(LABEL) is None) == done


def test_look_ups_lag_behind_creates_and_deletes() -> None:
    clock = memory.ManualClock()
    provider = memory.Provider(clock, delays=memory.Delays(lag_ms=2000))
    made = provider.create(ORDER)
    assert provider.find(LABEL) is None
    clock.advance(2)
    assert _labels(provider.inventory()) == [LABEL]
    provider.delete(made.id)
    found = provider.find(LABEL)
    assert found is not None
    assert not found.usable
    clock.advance(2)
    assert provider.inventory() == []


def test_a_machine_boots_for_its_time() -> None:
    clock = memory.ManualClock()
    provider = memory.Provider(clock, delays=memory.Delays(boot_ms=500))
    assert not provider.create(ORDER).usable
    clock.advance(0.5)
    assert provider.inventory()[0].usable


def test_look_ups_can_be_unclear() -> None:
    for call in ("find", "inventory"):
        provider = memory.Provider(memory.ManualClock(), plan=_plan(call, memory.Vague(done=False)))
        with pytest.raises(ports.Unclear):
            provider.find(LABEL) if call == "find" else provider.inventory()
        assert provider.find(LABEL) is None


def test_preparing_an_image_reports_progress_or_refuses() -> None:
    told: list[tuple[str, float | None]] = []
    provider = memory.Provider(
        memory.ManualClock(), plan=_plan("prepare", None, memory.Refuse(reason="no such image"))
    )
    provider.prepare("debian:12", lambda what, part: told.append((what, part)))
    assert told == [("debian:12", 1.0)]
    with pytest.raises(ports.CreateRefused, match="no such image") as caught:
        provider.prepare("debian:99", lambda _what, _part: None)
    assert caught.value.kind == "image"


def test_a_machine_in_memory_has_no_inside_unless_one_is_given() -> None:
    clock = memory.ManualClock()
    provider = memory.Provider(clock, delays=memory.Delays(boot_ms=500))
    with pytest.raises(places.NoSuchMachine):
        provider.place(LABEL)
    made = provider.create(ORDER)
    with pytest.raises(places.NoSuchMachine):
        provider.place(LABEL)
    clock.advance(1)
    with pytest.raises(places.PlaceError):
        provider.place(LABEL)
    provider.delete(made.id)
    with pytest.raises(places.NoSuchMachine):
        provider.place(LABEL)


def test_a_given_inside_is_asked_for_by_label() -> None:
    asked: list[str] = []

    def inside(label: str) -> places.Place:
        asked.append(label)
        raise places.PlaceError("the factory was asked")

    provider = memory.Provider(memory.ManualClock(), place=inside)
    provider.create(ORDER)
    with pytest.raises(places.PlaceError, match="the factory was asked"):
        provider.place(LABEL)
    assert asked == [LABEL]

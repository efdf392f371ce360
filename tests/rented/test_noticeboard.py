"""Many processes that ask a cloud by one token: one list for all, and ends that leave it room."""

from __future__ import annotations

import pytest

from brihaspati import ports
from brihaspati.adapters import memory
from brihaspati.adapters.rented import rental
from brihaspati.adapters.rented.noticeboard import GAP_MS, STRETCH_MS, Noticeboard
from brihaspati.domain import pace
from rented.stand_in import Sky
from rented.test_rental import order

PROCESSES = 20
CLOUD = "digitalocean"


def label(number: int) -> str:
    return f"bh-test-s{number}-a1-main"


def processes(sky: Sky, store: memory.Store) -> list[rental.Rental]:
    found = [sky.provider(CLOUD) for _ in range(PROCESSES)]
    for one in found:
        one.share(store, sky.clock)
    return found


def lists(sky: Sky) -> int:
    return sum(one.method == "GET" and one.path == "/v2/droplets" for one in sky.world.asked)


def patiently(sky: Sky, call: object) -> object:
    for _ in range(60):
        try:
            return call()  # type: ignore[operator]
        except ports.Unclear:
            sky.clock.advance(1)
    raise AssertionError("never")


def test_twenty_processes_that_look_for_twenty_machines_list_them_once() -> None:
    sky = Sky()
    many = processes(sky, memory.Store(sky.clock))
    for number, one in enumerate(many):
        one.create(order(label(number)))
    sky.clock.advance(10)
    before = lists(sky)
    found = [one.find(label(number)) for number, one in enumerate(many)]
    assert [one.label for one in found if one is not None] == [label(n) for n in range(PROCESSES)]
    assert lists(sky) == before + 1


def test_alone_each_of_them_lists() -> None:
    sky = Sky()
    many = [sky.provider(CLOUD) for _ in range(PROCESSES)]
    for number, one in enumerate(many):
        one.create(order(label(number)))
    sky.clock.advance(10)
    before = lists(sky)
    for number, one in enumerate(many):
        assert one.find(label(number)) is not None
    assert lists(sky) == before + PROCESSES


def test_a_list_older_than_the_create_says_nothing_about_the_machine() -> None:
    sky = Sky()
    store = memory.Store(sky.clock)
    first, second, *_ = processes(sky, store)
    assert first.inventory() == []
    sky.clock.advance(1)
    second.create(order())
    with pytest.raises(ports.Unclear):
        second.find(order().label)
    sky.clock.advance(GAP_MS / 1000)
    assert second.find(order().label) is not None


def test_what_one_process_deletes_another_verifies_as_gone() -> None:
    sky = Sky()
    first, second, *_ = processes(sky, memory.Store(sky.clock))
    made = first.create(order())
    sky.clock.advance(10)
    first.delete(made.id)
    with pytest.raises(ports.Unclear):
        first.find(made.label)
    sky.clock.advance(20)
    second.delete(made.id)
    assert patiently(sky, lambda: second.find(made.label)) is None
    assert second.inventory() == []
    assert sky.world.running(CLOUD) == []


def test_a_machine_of_somebody_else_is_not_deleted_by_those_who_share() -> None:
    sky = Sky()
    other = sky.provider(CLOUD, env="other")
    stranger = other.create(order("bh-other-k3f9-a1-main"))
    (mine, *_) = processes(sky, memory.Store(sky.clock))
    mine.delete(stranger.id)
    assert len(sky.world.running(CLOUD)) == 1


def test_ends_of_all_processes_leave_room_for_lists() -> None:
    sky = Sky()
    store = memory.Store(sky.clock)
    windows = sky.cloud(CLOUD).windows(alone=True)
    sky.clock.set(sky.clock.now() // STRETCH_MS * STRETCH_MS)
    many = processes(sky, store)
    made = [many[n % PROCESSES].create(order(label(n))) for n in range(60)]
    sky.clock.advance(10)
    many[0].inventory()
    refused = 0
    for number, machine in enumerate(made):
        try:
            many[number % PROCESSES].delete(machine.id)
        except ports.Unclear:
            refused += 1
    ended = sum(one.method == "DELETE" for one in sky.world.asked)
    most = round(windows[0].count / 6 * rental.ENDS_SHARE)
    assert 0 < ended <= most
    assert refused == 60 - ended


def test_a_list_comes_back_as_it_was_and_only_one_may_fetch_the_next() -> None:
    clock = memory.ManualClock()
    store = memory.Store(clock)
    sky = Sky()
    provider = sky.provider(CLOUD)
    provider.create(order())
    machines = sky.cloud(CLOUD).machines("bh-test")
    one, other = Noticeboard(store, clock, "cloud"), Noticeboard(store, clock, "cloud")
    assert one.may_fetch(0)
    assert not other.may_fetch(0)
    one.write(clock.now(), machines)
    notice = other.read()
    assert notice is not None
    assert notice.machines == tuple(machines)
    clock.advance(GAP_MS / 1000)
    assert other.may_fetch(1)
    clock.advance(GAP_MS / 1000)
    assert not one.may_fetch(1_000)  # five pages take longer to fetch, and so come more seldom


def test_a_store_that_is_busy_leaves_it_open() -> None:
    sky = Sky()
    store = memory.Store(sky.clock, faults=lambda _: "busy")
    (one, *_) = processes(sky, store)
    with pytest.raises(ports.Unclear):
        one.find(order().label)


def test_who_shares_looks_less_often() -> None:
    sky = Sky()
    one = sky.provider(CLOUD)
    assert one.pace().poll_ms == pace.RENTED.poll_ms
    one.share(memory.Store(sky.clock), sky.clock)
    assert one.pace().poll_ms == pace.RENTED_BY_MANY.poll_ms > pace.RENTED.poll_ms

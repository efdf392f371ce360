"""The second chance: inventories that are late, unclear or of another provider."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from brihaspati import ports
from brihaspati.adapters import memory
from brihaspati.engine import records
from brihaspati.engine.engine import Engine
from brihaspati.engine.records import Record
from brihaspati.engine.sweeping import Swept
from engine.test_playing import now_of, play
from house import House, a_lab


class Moods:
    """What a provider answers to each call, changed as a test goes on."""

    def __init__(self) -> None:
        self.unclear: set[str] = set()
        self.then: dict[str, Callable[[], object]] = {}

    def __call__(self, call: str, _: str) -> memory.Vague | None:
        happens = self.then.pop(call, None)
        if happens is not None:
            happens()
        return memory.Vague(done=False) if call in self.unclear else None

    @contextmanager
    def being_unclear(self, *calls: str) -> Iterator[None]:
        self.unclear = set(calls)
        yield
        self.unclear = set()


def a_stray(house: House, provider: memory.Provider | None = None) -> None:
    """A machine with our mark that no sandbox knows, old enough to be suspected."""
    order = ports.MachineOrder("bh-test-ghost-a1-main", "ghost", a_lab().machines[0])
    (provider or house.provider).create(order)
    house.clock.advance(60)


def test_a_machine_made_while_the_sweep_reads_is_not_taken_for_lost() -> None:
    moods = Moods()
    house = House(plan=moods)
    room = house.classroom()
    record = play(house, room, house.student(room))
    listed = house.provider.inventory

    def late() -> list[ports.MachineSeen]:
        found = listed()
        house.run()
        return found

    house.provider.inventory = late  # type: ignore[method-assign]
    assert house.engine.sweeping.reconcile().lost == 0
    assert now_of(house, record).sandbox.phase == "ready"


def test_a_machine_is_not_lost_while_nobody_can_look_it_up() -> None:
    moods = Moods()
    house = House(plan=moods)
    room = house.classroom()
    record = play(house, room, house.student(room))
    house.run()
    house.clock.advance(20)
    house.provider.delete(house.provider.machines[0].id)
    with moods.being_unclear("find"):
        assert house.engine.sweeping.sweep().lost == 0
    assert now_of(house, record).sandbox.phase == "ready"
    assert house.engine.sweeping.sweep().lost == 1


def test_a_machine_the_list_leaves_out_is_not_lost_while_the_look_up_shows_it() -> None:
    house = House()
    room = house.classroom()
    record = play(house, room, house.student(room))
    house.run()
    house.clock.advance(20)
    house.provider.inventory = list  # type: ignore[method-assign]
    assert house.engine.sweeping.sweep().lost == 0
    assert now_of(house, record).sandbox.phase == "ready"


def test_a_lost_machine_that_changes_hands_meanwhile_is_told_to_its_new_owner_once() -> None:
    moods = Moods()
    house = House(plan=moods)
    room = house.classroom(pool=1)
    asha = house.student(room)
    house.engine.sweeping.fill_pools()
    house.run()
    house.clock.advance(20)
    house.provider.delete(house.provider.machines[0].id)
    claimed: list[Record] = []
    moods.then["find"] = lambda: claimed.append(play(house, room, asha))
    assert house.engine.sweeping.sweep().lost == 0
    assert now_of(house, claimed[0]).sandbox.phase == "ready"
    assert house.engine.sweeping.sweep().lost == 1
    assert now_of(house, claimed[0]).sandbox.phase == "failed"


def test_a_stray_the_list_leaves_out_has_no_proof_of_its_end_while_it_is_found() -> None:
    moods = Moods()
    house = House(plan=moods)
    a_stray(house)
    house.engine.sweeping.sweep()
    listed = house.provider.inventory
    with moods.being_unclear("delete"):
        house.engine.sweeping.sweep()
    house.provider.inventory = list  # type: ignore[method-assign]
    house.engine.sweeping.sweep()
    assert len(house.provider.running()) == 1
    assert house.engine.scrubbing.chain("-", "ghost") == []
    house.provider.inventory = listed  # type: ignore[method-assign]
    for _ in range(3):
        house.engine.sweeping.sweep()
    assert house.provider.running() == []
    assert len(house.engine.scrubbing.chain("-", "ghost")) == 1


def test_an_unclear_inventory_is_named_and_changes_nothing() -> None:
    moods = Moods()
    house = House(plan=moods)
    room = house.classroom()
    record = play(house, room, house.student(room))
    house.run()
    with moods.being_unclear("inventory"):
        assert house.engine.sweeping.sweep() == Swept(unreadable=("memory",))
    assert now_of(house, record).sandbox.phase == "ready"


def test_a_suspicion_outlives_an_unclear_inventory() -> None:
    moods = Moods()
    house = House(plan=moods)
    a_stray(house)
    assert house.engine.sweeping.sweep().suspects == 1
    with moods.being_unclear("inventory"):
        assert house.engine.sweeping.sweep().suspects == 1
    assert house.engine.sweeping.sweep().strays == 1
    assert house.provider.running() == []


def test_a_stray_whose_delete_is_unclear_is_deleted_by_a_later_sweep() -> None:
    moods = Moods()
    house = House(plan=moods)
    a_stray(house)
    house.engine.sweeping.sweep()
    with moods.being_unclear("delete"):
        house.engine.sweeping.sweep()
    assert len(house.provider.running()) == 1
    house.engine.sweeping.sweep()
    assert house.provider.running() == []


def test_a_sweep_to_which_nothing_is_new_writes_nothing() -> None:
    asked: list[str] = []
    house = House(faults=asked.append)  # it names no fault
    room = house.classroom(pool=0)
    play(house, room, house.student(room))
    house.run()
    a_stray(house)
    house.engine.sweeping.sweep()
    suspecting = asked.count("transact")
    for _ in range(2):  # a suspect that is told again, then one that was deleted and proven
        house.engine.sweeping.sweep()
    del asked[:]
    house.engine.sweeping.sweep()
    house.engine.sweeping.fill_pools()
    assert suspecting
    assert "transact" not in asked
    assert "query_index" in asked


def test_each_provider_is_compared_with_its_own_sandboxes() -> None:
    house = House()
    elsewhere = memory.Provider(house.clock, name="elsewhere")
    providers = {"memory": house.provider, "elsewhere": elsewhere}
    house.engine = Engine(replace(house.world, providers=providers))
    room = house.classroom()
    record = play(house, room, house.student(room))
    house.run()
    a_stray(house, elsewhere)
    found = [house.engine.sweeping.sweep() for _ in range(2)]
    assert [(s.lost, s.strays) for s in found] == [(0, 0), (0, 1)]
    assert now_of(house, record).sandbox.phase == "ready"
    assert (len(house.provider.running()), elsewhere.running()) == (1, [])


def test_everything_alive_is_looked_at_after_a_restart() -> None:
    house = House()
    room = house.classroom()
    record = play(house, room, house.student(room))
    house.run()
    assert house.engine.sweeping.sweep().looked_at == 0
    assert house.engine.sweeping.sweep(everything=True).looked_at == 1
    [message] = [t.message for t in house.queue.take(10, visible_after_seconds=60)]
    assert message.body["slot"] == str(record.sandbox.slot)


def test_typing_that_was_heard_already_is_not_saved_again() -> None:
    house = House()
    room = house.classroom()
    record = play(house, room, house.student(room))
    house.run()
    assert house.engine.sweeping.hear() == 0
    house.agents.typed[record.sandbox.id] = house.clock.now()
    assert house.engine.sweeping.hear() == 1
    version = now_of(house, record).version
    assert house.engine.sweeping.hear() == 0
    assert now_of(house, record).version == version


def test_typing_in_a_lab_that_is_ending_is_not_heard() -> None:
    house = House()
    room = house.classroom()
    record = play(house, room, house.student(room))
    house.run()
    house.engine.playing.stop(record.sandbox.slot, "stopped")
    house.agents.typed[record.sandbox.id] = house.clock.now()
    assert house.engine.sweeping.hear() == 0


def test_what_runs_is_listed_for_the_operator_until_it_is_gone() -> None:
    house = House()
    room = house.classroom(pool=1)
    house.engine.sweeping.fill_pools()
    house.run()
    record = play(house, room, house.student(room))
    house.pass_time(5)
    listed = {r.sandbox.id: r.sandbox.slot.user for r in house.engine.reading.running()}
    assert len(listed) == 2
    assert listed[record.sandbox.id] == record.sandbox.slot.user
    house.engine.playing.stop(record.sandbox.slot, "stopped")
    house.run()
    assert record.sandbox.id not in {r.sandbox.id for r in house.engine.reading.running()}


class Gappy(memory.Store):
    """A store whose index leaves out what moves in it, as long as `blind`."""

    blind = False

    def query_index(self, index: str, *given: Any, **more: Any) -> ports.Page:
        page = super().query_index(index, *given, **more)
        return replace(page, items=()) if self.blind and index == "due" else page


def gappy() -> tuple[House, Gappy]:
    house = House()
    store = house.store = Gappy(house.clock)
    house.world = replace(house.world, store=store)
    house.engine = Engine(house.world)
    return house, store


def test_a_machine_whose_lab_an_index_leaves_out_again_and_again_is_no_stray() -> None:
    house, store = gappy()
    room = house.classroom(pool=1)
    ours = play(house, room, house.student(room))
    house.engine.sweeping.fill_pools()
    house.run()
    store.blind = True
    house.clock.advance(60)
    found = [house.engine.sweeping.sweep() for _ in range(4)]
    assert {swept.strays for swept in found} == {0}
    assert now_of(house, ours).sandbox.phase == "ready"
    assert len(house.provider.running()) == 2


def test_a_machine_is_no_stray_when_its_warm_lab_is_claimed_while_it_is_looked_for() -> None:
    house, store = gappy()
    room = house.classroom(pool=1)
    asha = house.student(room)
    house.engine.sweeping.fill_pools()
    house.run()
    [label] = [machine.order.label for machine in house.provider.running()]
    read, claimed = store.get, list[Record]()

    def get(key: ports.Key) -> ports.Item | None:
        found = read(key)
        if key.sort == "home" and not claimed:
            claimed.append(play(house, room, asha))
        return found

    store.get = get  # type: ignore[method-assign]
    record = house.engine.worker.of_label(label)
    assert record is not None
    assert record.sandbox.slot.user == asha.id


def test_a_machine_that_comes_after_its_end_was_verified_is_a_stray() -> None:
    house = House()
    room = house.classroom()
    record = play(house, room, house.student(room))
    house.run()
    house.engine.playing.stop(record.sandbox.slot, "stopped")
    house.run()
    machine = house.provider.machines[0]
    house.provider.create(
        ports.MachineOrder(machine.order.label, record.sandbox.id, a_lab().machines[0])
    )
    house.clock.advance(60)
    found = [house.engine.sweeping.sweep() for _ in range(2)]
    assert [swept.strays for swept in found] == [0, 1]
    assert house.provider.running() == []


def test_who_typed_since_the_last_sweep_is_not_idle() -> None:
    house = House()
    room = house.classroom(a_lab(idle_minutes=10))
    record = play(house, room, house.student(room))
    house.run()
    house.clock.advance(500)
    house.agents.typed[record.sandbox.id] = house.clock.now()
    house.clock.advance(200)
    house.engine.worker.work(record.sandbox.slot)
    assert now_of(house, record).sandbox.phase == "ready"
    house.clock.advance(401)
    house.engine.worker.work(record.sandbox.slot)
    assert now_of(house, record).sandbox.end == "idle"


def test_a_rented_machine_that_lists_may_not_show_yet_is_not_believed_gone() -> None:
    house = House()
    house.provider.rented = True
    room = house.classroom()
    record = play(house, room, house.student(room))
    house.run()
    house.engine.playing.stop(record.sandbox.slot, "stopped")
    house.run()
    assert now_of(house, record).sandbox.phase == "stopping"
    house.pass_time(20)
    assert now_of(house, record).sandbox.phase == "gone"


def test_a_sweep_looks_in_every_shard() -> None:
    house = House()
    house.engine = Engine(replace(house.world, due_shards=4))
    room = house.classroom()
    names = [f"Student {number}" for number in range(12)]
    played = [play(house, room, house.student(room, name)) for name in names]
    assert len({records.due_partition(one.sandbox.id, 4) for one in played}) > 1
    assert house.engine.sweeping.sweep(everything=True).looked_at == len(names)

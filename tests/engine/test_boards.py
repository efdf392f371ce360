"""The live board on the real engine: who is where, who needs help, what it costs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from brihaspati import ports
from brihaspati.adapters import memory
from brihaspati.domain import events, progress
from brihaspati.domain.classrooms import Classroom
from brihaspati.domain.progress import Progress
from brihaspati.domain.rosters import Expected
from brihaspati.domain.sandboxes import Slot
from brihaspati.engine import records
from brihaspati.engine.boards import LINE_MAX, Board, Row
from brihaspati.engine.records import Person
from guided import STEPS, guided_lab
from house import House, a_lab

HOUR_MICROS = 3_600_000  # one micro a millisecond: easy to count


def a_class(house: House, **more: Any) -> Classroom:
    return house.classroom(guided_lab(), a_lab("web"), **{"sandboxes_per_student_max": 5, **more})


def play(house: House, room: Classroom, person: Person, lab: str = "hello") -> Slot:
    member = house.engine.member(person.id)
    house.engine.playing.play(room, house.engine.classes.lab_in(room, lab), member)
    house.run()
    return Slot(room.id, lab, user=person.id)


def stand(house: House, person: Person, own: Progress, lab: str = "hello") -> None:
    standing = house.engine.member(person.id).standing("demo", lab)
    put = records.put_standing(replace(standing, progress=own))
    house.store.transact((put,))


def board(house: House) -> Board:
    return house.engine.boards.board(house.engine.classes.get("demo"))


def row(house: House, name: str = "Asha") -> Row:
    return next(row for row in board(house).students if row.person.name == name)


# --- who is where ---------------------------------------------------------------------------------
def test_who_has_only_joined_and_who_is_only_expected_are_there_too() -> None:
    house = House()
    room = a_class(house)
    house.student(room)
    house.engine.classes.rosters.expect("demo", [Expected("Zara"), Expected("ASHA")])
    asha, zara = board(house).students
    assert (asha.person.name, asha.lab, asha.need, asha.labs) == ("Asha", None, None, {})
    assert asha.person.seat is not None
    assert (zara.person.name, zara.person.seat, zara.labs) == ("Zara", None, {})


def test_a_student_is_shown_in_every_lab_they_touched_and_in_the_one_they_are_in() -> None:
    house = House()
    room = a_class(house)
    asha = house.student(room)
    stand(house, asha, progress.turned(progress.BLANK, STEPS, "ask", house.clock.now()))
    slot = play(house, room, asha, "web")
    sandbox = house.engine.member(asha.id).sandboxes[0].sandbox
    typed_at = house.clock.now() + 5
    house.agents.typed[sandbox.id] = typed_at
    house.agents.glances[sandbox.id] = ports.Glance(typed_at, "$ " + "x" * 100)
    found = row(house)
    assert (found.lab, list(found.labs)) == ("web", ["hello", "web"])
    hello, web = found.labs["hello"], found.labs["web"]
    assert (hello.step, hello.marks, hello.phase) == (3, "..o.", None)
    assert (web.step, web.marks, web.phase) == (0, ".", "ready")
    assert (web.deadline_at, web.input_at) == (sandbox.deadline_at, typed_at)
    assert web.line == ("$ " + "x" * 100)[:LINE_MAX]
    house.engine.playing.stop(slot, "stopped")
    house.run()
    gone = row(house).labs["web"]
    assert (gone.phase, gone.deadline_at, gone.input_at, gone.line) == ("gone", None, None, "")


def test_what_is_seen_at_a_glance_is_told_of_the_lab_they_are_in() -> None:
    house = House()
    room = a_class(house)
    asha = house.student(room)
    play(house, room, asha, "web")
    house.clock.advance(1)
    play(house, room, asha)
    for record in house.engine.member(asha.id).sandboxes:
        house.agents.glances[record.sandbox.id] = ports.Glance(None, "$ ls")
    found = row(house)
    assert found.lab == "hello"
    assert (found.labs["hello"].line, found.labs["web"].line) == ("$ ls", "")


def test_typing_before_a_restart_of_the_agent_is_remembered() -> None:
    house = House()
    room = a_class(house)
    asha = house.student(room)
    play(house, room, asha)
    sandbox = house.engine.member(asha.id).sandboxes[0].sandbox
    typed_at = house.clock.now() + 7
    house.agents.typed[sandbox.id] = typed_at
    house.engine.sweeping.hear()
    house.agents.typed.clear()
    assert row(house).labs["hello"].input_at == typed_at


def test_a_sandbox_that_failed_says_why_and_is_a_need() -> None:
    refusal = memory.Refuse("image", "No such image.")
    house = House(plan=lambda call, _: refusal if call == "create" else None)
    room = a_class(house)
    play(house, room, house.student(room))
    found = row(house)
    assert found.labs["hello"].reason == "No such image."
    assert found.need is not None
    assert (found.need.kind, found.need.text) == ("broken", "No such image.")


def test_a_lab_taken_out_of_the_class_is_shown_while_there_is_a_sandbox_of_it() -> None:
    house = House()
    room = a_class(house)
    asha, ravi = house.student(room), house.student(room, "Ravi")
    play(house, room, asha)
    stand(house, ravi, progress.turned(progress.BLANK, STEPS, "read", house.clock.now()))
    house.engine.classes.change("demo", lambda room: replace(room, labs=(("web", "v1"),)))
    assert list(row(house).labs) == ["hello"]
    assert row(house, "Ravi").labs == {}


def test_progress_counts_by_the_steps_of_the_version_they_work_with() -> None:
    house = House()
    room = a_class(house)
    asha = house.student(room)
    slot = play(house, room, asha)
    newer = guided_lab(version="v2", steps=STEPS[:2])
    house.engine.classes.publish(newer)
    house.engine.classes.change("demo", lambda room: replace(room, labs=(("hello", "v2"),)))
    assert row(house).labs["hello"].marks == "...."
    house.engine.playing.stop(slot, "stopped")
    house.run()
    assert row(house).labs["hello"].marks == ".."


def test_what_changed_since_the_last_look_is_read_and_nothing_else() -> None:
    house = House()
    room = a_class(house)
    asha = house.student(room)
    stand(house, asha, progress.turned(progress.BLANK, STEPS, "read", house.clock.now()))
    assert row(house).labs["hello"].step == 1
    stand(house, asha, progress.turned(progress.BLANK, STEPS, "ask", house.clock.now()))
    assert row(house).labs["hello"].step == 3
    assert row(house).labs["hello"].step == 3


def test_a_board_is_two_queries_however_many_students_there_are() -> None:
    calls: list[str] = []
    house = House(faults=calls.append)
    room = a_class(house, seats=60)
    for number in range(60):
        play(house, room, house.student(room, f"Student {number:02d}"))
    board(house)
    calls.clear()
    assert len(board(house).students) == 60
    assert calls == ["query_index", "query"], "touched and warm; proofs, seats, expected"


# --- what it costs --------------------------------------------------------------------------------
def test_a_class_costs_what_ended_and_what_runs() -> None:
    house = House(price=HOUR_MICROS)
    room = a_class(house)
    asha, ravi = house.student(room), house.student(room, "Ravi")
    slot = play(house, room, asha)  # two machines
    house.clock.advance(10)
    assert board(house).cost.so_far_micros == 20_000
    house.engine.playing.stop(slot, "stopped")
    house.run()
    ended = board(house).cost.so_far_micros
    assert ended == 20_000
    house.clock.advance(60)
    assert (board(house).cost.so_far_micros, board(house).cost.hour_micros) == (ended, 0)
    play(house, room, asha)
    play(house, room, ravi, "web")  # one
    house.clock.advance(1)
    cost = board(house).cost
    assert (cost.so_far_micros, cost.hour_micros) == (ended + 3_000, 3 * HOUR_MICROS)
    assert row(house).labs["hello"].micros == ended + 2_000
    assert row(house, "Ravi").labs["web"].micros == 1_000


def test_the_cost_never_drops_while_a_proof_is_still_to_be_written() -> None:
    house = House(price=HOUR_MICROS)
    room = a_class(house)
    asha = house.student(room)
    slot = play(house, room, asha, "web")
    house.clock.advance(5)
    record = house.engine.worker.load(slot)
    assert record is not None
    (machine,) = record.sandbox.machines
    house.engine.worker.post(slot, events.StopAsked("stopped"))
    house.engine.worker.post(slot, events.MachineGone(machine.label))
    house.clock.advance(60)
    unproven = board(house).cost
    assert (unproven.so_far_micros, unproven.hour_micros) == (5_000, 0)
    house.run()
    house.engine.worker.work(slot)
    assert board(house).cost == unproven
    assert row(house).labs["web"].micros == 5_000


def test_what_a_student_spent_in_a_lab_outlives_its_sandbox_s_record() -> None:
    house = House(price=HOUR_MICROS)
    room = a_class(house)
    asha = house.student(room)
    slot = play(house, room, asha, "web")
    house.clock.advance(5)
    house.engine.playing.stop(slot, "stopped")
    house.run()
    stand(house, asha, progress.turned(progress.BLANK, STEPS, "read", house.clock.now()), "web")
    house.store.transact((ports.Delete(records.sandbox_key(slot)),))
    assert row(house).labs["web"].micros == 5_000


def test_warm_sandboxes_cost_the_class_and_nobody_in_it() -> None:
    house = House(price=HOUR_MICROS)
    room = a_class(house, pool=2)
    house.student(room)
    house.engine.sweeping.fill_pools()
    house.run()
    house.clock.advance(2)
    cost = board(house).cost
    machines = 2 * 2 + 2 * 1
    assert (cost.hour_micros, cost.so_far_micros) == (machines * HOUR_MICROS, machines * 2_000)
    house.engine.classes.change("demo", lambda room: replace(room, closes_at=room.opens_at + 1))
    house.engine.sweeping.fill_pools()
    house.run()
    over = board(house).cost
    assert (over.hour_micros, over.so_far_micros) == (0, machines * 2_000)
    assert row(house).labs == {}

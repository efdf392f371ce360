"""What every provider promises the engine, whatever its machines are."""

from __future__ import annotations

import threading
import time

import pytest

from brihaspati import ports
from brihaspati.domain import labs
from brihaspati_agent import places
from contracts.providers import rigs, screens
from contracts.providers.rigs import Orders, Rig


def test_a_created_machine_is_usable_at_once(rig: Rig, orders: Orders) -> None:
    order = orders()
    made = rig.provider.create(order)
    assert made.label == order.label
    assert made.usable != ("rented" in rig.can)
    assert rig.provider.find(order.label) == made
    assert made in rig.provider.inventory()


@pytest.mark.usefixtures("real")
def test_a_created_machine_opens_a_terminal_that_echoes(orders: Orders) -> None:
    with screens.opened(orders.place().terminal(None, 80, 24)) as screen:
        screen.type("echo $((6*7))\n")
        screen.shows(b"42")


def test_the_moment_of_creation_is_now(real: Rig, orders: Orders) -> None:
    before = time.time() * 1000
    made = real.provider.create(orders())
    assert before - 2000 < made.created_at < time.time() * 1000 + 2000


def test_a_second_create_of_a_label_is_unclear_and_makes_nothing(real: Rig, orders: Orders) -> None:
    order = orders()
    made = real.provider.create(order)
    with pytest.raises(ports.Unclear):
        real.provider.create(order)
    assert [one for one in real.provider.inventory() if one.label == order.label] == [made]
    assert real.place(order.label).run(["true"]).code == 0


def test_creates_of_a_label_at_the_same_time_make_one_machine(real: Rig, orders: Orders) -> None:
    order = orders(setup="true")
    answers: list[object] = []
    together = threading.Barrier(8)

    def create() -> None:
        together.wait()
        try:
            answers.append(real.provider.create(order))
        except ports.Unclear as error:
            answers.append(error)

    workers = [threading.Thread(target=create) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    made = [one for one in answers if isinstance(one, ports.MachineSeen)]
    assert len(answers) == 8
    assert len(made) == 1
    assert [one for one in real.provider.inventory() if one.label == order.label] == made


def test_an_unknown_label_is_not_found(rig: Rig) -> None:
    assert rig.provider.find(f"bh-{rigs.ENV}-nobody-a1-main") is None
    with pytest.raises(places.NoSuchMachine):
        rig.place(f"bh-{rigs.ENV}-nobody-a1-main")


def test_find_and_inventory_agree_on_several_machines(rig: Rig, orders: Orders) -> None:
    made = [rig.provider.create(orders()) for _ in range(3)]
    listed = {one.label: one for one in rig.provider.inventory()}
    for one in made:
        found = rig.provider.find(one.label)
        assert found is not None
        assert (found.id, found.usable) == (one.id, "rented" not in rig.can)
        assert (listed[one.label].id, listed[one.label].usable) == (one.id, "rented" not in rig.can)


def test_a_deleted_machine_is_gone_from_every_view(rig: Rig, orders: Orders) -> None:
    kept, gone = rig.provider.create(orders()), rig.provider.create(orders())
    rig.provider.delete(gone.id)
    assert rig.provider.find(gone.label) is None
    assert [one.label for one in rig.provider.inventory()] == [kept.label]
    with pytest.raises(places.NoSuchMachine):
        rig.place(gone.label)


def test_delete_may_be_repeated_and_may_come_too_late(rig: Rig, orders: Orders) -> None:
    made = rig.provider.create(orders())
    for _ in range(3):
        rig.provider.delete(made.id)
    rig.provider.delete("no-such-machine")
    assert rig.provider.find(made.label) is None


def test_a_label_may_be_used_again_after_its_machine_is_gone(real: Rig, orders: Orders) -> None:
    order = orders()
    real.provider.delete(real.provider.create(order).id)
    assert real.provider.create(order).usable


def test_another_deployments_machines_are_neither_seen_nor_touched(
    real: Rig, orders: Orders
) -> None:
    theirs = real.other.create(orders(env=rigs.ELSEWHERE))
    assert real.provider.find(theirs.label) is None
    assert real.provider.inventory() == []
    with pytest.raises(places.NoSuchMachine):
        real.place(theirs.label)
    real.provider.delete(theirs.id)
    assert real.other.find(theirs.label) == theirs


def test_a_strangers_machine_is_neither_seen_nor_touched(real: Rig) -> None:
    if real.stranger is None:
        pytest.skip("everything this provider could see is ours by construction")
    with real.stranger() as still_there:
        label = f"bh-{rigs.ENV}-looks-like-ours"
        assert real.provider.find(label) is None
        assert real.provider.inventory() == []
        real.provider.delete(label)
        assert still_there()


@pytest.mark.usefixtures("real")
def test_files_are_there_before_the_setup_runs_and_setup_runs_as_root(orders: Orders) -> None:
    content = bytes(range(256)) * 300
    files = (
        labs.LabFile("/srv/task/data.bin", content, 0o600),
        labs.LabFile("/root/say hello", b"#!/bin/sh\necho hello $NAME\n", 0o755),
    )
    place = orders.place(
        files=files,
        environment=(("NAME", "Ada L."),),
        setup="id -u >/root/who\n'/root/say hello' >/root/said\n"
        "wc -c </srv/task/data.bin >>/root/who",
    )
    assert place.read("/srv/task/data.bin", 1 << 20) == content
    assert place.read("/root/said", 100) == b"hello Ada L.\n"
    assert place.read("/root/who", 100).split() == [b"0", b"76800"]
    mode = place.run(["stat", "-c", "%a", "/srv/task/data.bin", "/root/say hello"]).output
    assert mode.split() == [b"600", b"755"]


@pytest.mark.usefixtures("real")
def test_a_setup_names_its_own_interpreter(orders: Orders) -> None:
    place = orders.place(setup="#!/bin/cat\nfirst line is the interpreter\n")
    assert place.run(["true"]).code == 0


@pytest.mark.parametrize(
    ("setup", "says"),
    [("echo the disk is on fire >&2; exit 3", "on fire"), ("false\necho went on", "main")],
)
def test_a_failed_setup_refuses_and_leaves_nothing(
    real: Rig, orders: Orders, setup: str, says: str
) -> None:
    order = orders(setup=setup)
    with pytest.raises(ports.CreateRefused) as refused:
        real.provider.create(order)
    assert refused.value.kind == "setup"
    assert says in refused.value.reason
    assert real.provider.find(order.label) is None
    assert real.provider.inventory() == []


def test_a_setup_that_takes_too_long_is_refused_in_time(real: Rig, orders: Orders) -> None:
    began = time.monotonic()
    with pytest.raises(ports.CreateRefused) as refused:
        real.provider.create(orders(setup="sleep 60", setup_seconds_max=1))
    assert refused.value.kind == "setup"
    assert time.monotonic() - began < 50
    assert real.provider.inventory() == []


def test_a_server_left_running_by_the_setup_does_not_hold_up_the_lab(
    real: Rig, orders: Orders
) -> None:
    began = time.monotonic()
    place = orders.place(setup="sleep 300 &\necho started")
    assert time.monotonic() - began < 100
    assert b"sleep 300" in place.run(real.processes).output


def test_a_machine_is_found_again_after_a_restart_of_ours(real: Rig, orders: Orders) -> None:
    assert real.again is not None
    made = real.provider.create(orders(setup="echo here >/root/was"))
    again = real.again()
    assert again.find(made.label) == made
    assert again.place(made.label).read("/root/was", 100) == b"here\n"
    again.delete(made.id)
    assert real.provider.find(made.label) is None


def test_a_machine_is_not_usable_before_its_setup_is_done(real: Rig, orders: Orders) -> None:
    assert real.again is not None
    again, order = real.again(), orders(setup="while [ ! -e /root/go ]; do sleep 0.05; done")
    worker = threading.Thread(target=real.provider.create, args=(order,))
    worker.start()
    until = time.monotonic() + 40
    while not _let_go(again, order.label):
        assert time.monotonic() < until
        time.sleep(0.02)
    worker.join()
    found = again.find(order.label)
    assert found is not None
    assert found.usable


def _let_go(provider: rigs.Again, label: str) -> bool:
    """Look while the setup waits, then let it end; False as long as there is no inside yet."""
    found = provider.find(label)
    if found is None:
        return False
    assert not found.usable
    assert [one.usable for one in provider.inventory()] == [False]
    try:
        provider.place(label).write("/root/go", b"")
    except (places.NoSuchMachine, places.PlaceError):
        return False
    return True


def test_an_unknown_image_is_refused_and_leaves_nothing(real: Rig, orders: Orders) -> None:
    with pytest.raises(ports.CreateRefused) as refused:
        real.provider.create(orders(image=real.missing))
    assert refused.value.kind == "image"
    assert real.provider.inventory() == []


def test_preparing_what_is_there_is_quick(rig: Rig) -> None:
    parts: list[float | None] = []
    began = time.monotonic()
    rig.provider.prepare(rig.image, lambda _, part: parts.append(part))
    assert time.monotonic() - began < 30
    assert all(part is None or 0 <= part <= 1 for part in parts)


def test_preparing_an_image_that_is_nowhere_is_refused(real: Rig) -> None:
    with pytest.raises(ports.CreateRefused) as refused:
        real.provider.prepare("rootfs:/no/such/folder", lambda *_: None)
    assert refused.value.kind == "image"


def test_a_price_is_a_whole_number_of_millionths(rig: Rig, orders: Orders) -> None:
    price = rig.provider.price_micros_per_hour(orders().spec)
    assert isinstance(price, int)
    assert price >= 0

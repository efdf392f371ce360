"""Our own labs, done from the first step to the last on real machines."""

from __future__ import annotations

import dataclasses
import time

import pytest

from brihaspati import ports
from brihaspati.domain.labs import Lab
from labs import rig

READY_SECONDS_MAX = 1.0

each_lab = pytest.mark.parametrize("lab", rig.LABS, ids=lambda lab: lab.name)


def test_no_lab_of_ours_has_a_fault() -> None:
    assert rig.WRONG == []
    assert set(rig.BY_NAME) >= {"hello", "web", "attack"}


@each_lab
def test_every_step_can_be_checked_and_solved(lab: Lab) -> None:
    assert [step.id for step in lab.steps if not (step.checks and step.solve)] == []


@pytest.mark.root
@each_lab
def test_checks_fail_before_their_solve_and_pass_after_it(lab: Lab, table: rig.Table) -> None:
    machines = table.play(lab)
    for step in lab.steps:
        assert rig.passed(machines, lab, step) == [], f"{step.id} passes before it is solved"
        solved = rig.run(rig.machine_of(lab, step, machines), step.solve)
        assert solved.code == 0, f"{step.id}: {rig.said(solved)}"
        assert rig.passed(machines, lab, step) == [check.id for check in step.checks], step.id


@pytest.mark.root
@each_lab
def test_no_step_is_done_before_the_student_begins(lab: Lab, table: rig.Table) -> None:
    machines = table.play(lab)
    for step in lab.steps:
        assert rig.passed(machines, lab, step) == [], step.id


@pytest.mark.root
@each_lab
def test_a_lab_is_ready_at_once(lab: Lab, table: rig.Table) -> None:
    waits: list[float] = []
    while not waits or min(waits) >= READY_SECONDS_MAX:  # a busy machine is late, not each time
        assert len(waits) < 20, waits
        table.clear()
        began = time.monotonic()
        table.play(lab)
        waits.append(time.monotonic() - began)


@pytest.mark.root
def test_previews_show_the_shop_and_the_site(table: rig.Table) -> None:
    shop = table.play(rig.BY_NAME["attack"])["shop"]
    rig.until(lambda: rig.answers(shop, 8080))
    assert b"Marigold Tea House" in rig.fetched(shop, 8080)
    web = table.play(rig.BY_NAME["web"])["web"]
    assert rig.run(web, rig.BY_NAME["web"].steps[4].solve).code == 0
    assert b"Hello from my own server" in rig.fetched(web, 8080)


@pytest.mark.root
def test_a_missing_program_is_named_and_no_machine_stays(table: rig.Table) -> None:
    order = next(rig.orders(rig.BY_NAME["hello"]))
    assert order.spec.setup is not None
    setup = order.spec.setup.replace("for tool in awk", "for tool in no-such-tool")
    broken = dataclasses.replace(order, spec=dataclasses.replace(order.spec, setup=setup))
    with pytest.raises(ports.CreateRefused, match="does not have: no-such-tool") as caught:
        table.provider.create(broken)
    assert caught.value.kind == "setup"
    assert table.provider.find(order.label) is None

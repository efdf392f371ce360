"""Hundreds press Play at once: nobody is lost, limits are felt, the model's figures are ours."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path
from typing import Any

import pytest

from brihaspati.adapters.dynamodb import patience
from brihaspati.adapters.rented import calling
from brihaspati.simulation.agenda import Agenda
from brihaspati.simulation.rush import people, rented, table, town
from brihaspati.simulation.rush.limits import Bucket, Sliding
from brihaspati.simulation.rush.rusher import rush
from brihaspati.simulation.rush.tasks import Tasks
from brihaspati.wiring import cloud
from brihaspati_agent import rented as agent
from commanding import run_in

ROOT = Path(__file__).resolve().parents[2]


@functools.cache
def lived(**wanted: Any) -> dict[str, Any]:
    return rush({"accounts": 1, **wanted}, lambda _what, _share: None)


def test_every_play_of_two_hundred_ends_ready_or_failed_with_a_reason_and_no_machine_is_left() -> (
    None
):
    result = lived(students=200)
    assert result["ready"] + sum(result["failed"].values()) == 200
    assert result["failed"] == {}
    assert result["machines_made"] == 200
    assert result["machines_left"] == 0
    assert [queue["dead"] for queue in result["queues"].values()] == [0, 0]


def test_no_cloud_ever_says_too_many_requests() -> None:
    assert [kind for kind in lived(students=200)["throttles"] if kind.startswith("cloud")] == []


def test_the_same_seed_is_the_same_rush_and_another_is_another() -> None:
    first = rush({"students": 25, "accounts": 1}, lambda _what, _share: None)
    assert rush({"students": 25, "accounts": 1}, lambda _what, _share: None) == first
    assert rush({"students": 25, "accounts": 1, "seed": 2}, lambda _what, _share: None) != first


def test_fewer_who_create_machines_make_everybody_wait() -> None:
    waits = [
        lived(students=80, starting=most)["seconds"]["create_called"]["p95"] for most in (1, 10)
    ]
    assert waits == sorted(waits, reverse=True)
    assert waits[0] > waits[-1]


def test_a_small_quota_of_concurrency_is_felt_and_nobody_is_lost_by_it() -> None:
    # Of 23, deprovision keeps 20 and the sweep one: two are left for students and machines.
    tight = lived(students=80, concurrency=23)
    assert any("concurrency" in kind for kind in tight["throttles"])
    assert tight["ready"] == 80
    assert tight["machines_left"] == 0
    assert tight["seconds"]["accepted"]["max"] > lived(students=80)["seconds"]["accepted"]["max"]


def test_two_accounts_are_no_slower_than_one() -> None:
    one = lived(students=80)["seconds"]["create_called"]["p99"]
    assert lived(students=80, accounts=2)["seconds"]["create_called"]["p99"] <= one * 1.1


def test_pages_that_look_as_on_one_machine_cost_several_times_as_much() -> None:
    calm, often = (lived(students=40, nearby=nearby)["dollars"] for nearby in (False, True))
    assert often["student_hour"] > 2 * calm["student_hour"]


def test_the_command_prints_one_object(tmp_path: Path) -> None:
    done = run_in(tmp_path, "simulate", "--cloud", "--students", "10", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["ready"] == 10


@pytest.mark.parametrize("given", [("--accounts", "3"), ("--students", "500")])
def test_what_belongs_to_the_rush_is_refused_elsewhere(
    tmp_path: Path, given: tuple[str, str]
) -> None:
    done = run_in(tmp_path, "simulate", *given)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


def number_of(function: str, setting: str) -> int | None:
    """A number that serverless.yml gives a function."""
    text = (ROOT / "serverless.yml").read_text()
    block = re.split(r"^  (?=\w+:$)", text, flags=re.MULTILINE)
    (own,) = [one for one in block if one.startswith(f"{function}:\n")]
    found = re.search(rf"^ +{setting}: (\d+)$", own, flags=re.MULTILINE)
    return int(found[1]) if found is not None else None


# --- the model's figures -------------------------------------------------------------------------
def test_the_model_waits_for_the_table_as_the_adapter_does() -> None:
    assert (table.TRIES_MAX, table.FIRST_MS, table.PAUSE_MS_MAX) == (
        patience.TRIES_MAX,
        patience._FIRST_MS,
        patience._PAUSE_MS_MAX,
    )


def test_the_model_has_the_bounds_the_queues_and_the_shards_of_the_cloud_mode() -> None:
    assert cloud.BOUNDS == town.BOUNDS
    assert cloud.DUE_SHARDS == town.DUE_SHARDS
    assert number_of("provision", "maximumConcurrency") == town.STARTING_MOST
    assert number_of("deprovision", "maximumConcurrency") == town.ENDING_MOST
    for name, kind in town.KINDS.items():
        assert number_of(name, "reservedConcurrency") == kind.reserved, name
        assert number_of(name, "memorySize") == kind.gigabytes * 1024, name


def test_the_model_asks_clouds_as_urgently_as_the_clients_do() -> None:
    assert dict(calling.SHARES) == rented.SHARES


def test_agents_and_pages_of_the_model_are_as_patient_as_the_real_ones() -> None:
    assert agent.SOON_SECONDS * 1000 == people.SOON_MS
    text = (ROOT / "web/src/api/patience.ts").read_text()
    number = {n: int(v.replace("_", "")) for n, v in re.findall(r"const (\w+) = ([\d_]+)", text)}
    assert number["READ_RETRIES"] == people.READ_RETRIES
    assert number["PRESS_RETRIES"] == people.PRESS_RETRIES
    assert number["SLOWEST_MS"] == people.SLOWEST_MS
    assert f"{people.FIRST_RETRY_MS} * 2 ** attempt" in text


# --- its parts -----------------------------------------------------------------------------------
def test_tasks_go_on_while_others_wait_and_exactly_one_at_a_time() -> None:
    agenda = Agenda()
    tasks, told = Tasks(agenda), list[str]()

    def one(name: str, ms: int) -> None:
        told.append(f"{name} begins")
        tasks.spend(ms)
        told.append(f"{name} ends")

    for name, ms in (("slow", 30), ("quick", 10)):
        agenda.after(0, lambda name=name, ms=ms: tasks.start("start", lambda: one(name, ms)))  # type: ignore[misc]
    agenda.run(agenda.now + 100)
    assert told == ["slow begins", "quick begins", "quick ends", "slow ends"]


def test_a_fault_in_a_task_is_raised_where_time_is_made_to_pass() -> None:
    agenda = Agenda()
    tasks = Tasks(agenda)

    def fall() -> None:
        tasks.spend(5)
        raise RuntimeError("here")

    agenda.after(0, lambda: tasks.start("start", fall))
    with pytest.raises(RuntimeError, match="here"):
        agenda.run(agenda.now + 10)


def test_a_bucket_gives_its_rate_and_a_window_its_count() -> None:
    now = Agenda().now
    bucket = Bucket(rate=10, most=5)
    assert sum(bucket.take(now) for _ in range(20)) == 5
    assert sum(bucket.take(now + 1_000) for _ in range(20)) == 5
    window = Sliding((3, 10))
    assert [window.take(now) for _ in range(4)] == [0, 0, 0, 10]
    assert window.take(now + 10_000) == 0

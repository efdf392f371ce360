"""From an empty table to a running class by the command line, and what the functions make of it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from amazon.deployed import ENV, ORIGIN, Deployed
from brihaspati import ports, wiring
from brihaspati.adapters import memory, sqlite, sqs
from brihaspati.entrypoints.cli import main as cli
from brihaspati.wiring import cloudshop
from emulators.amazon_stand import Made
from tidy import tracked

LABS = tracked.ROOT / "labs"


def run(*arguments: str) -> int:
    return cli.main(wiring.open_shop, ["--stage", ENV, *arguments])


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert run(*arguments, "--json") == 0, capsys.readouterr()
    return json.loads(capsys.readouterr().out)


def test_an_operator_publishes_labs_makes_a_class_and_lets_its_trainer_in(
    house: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    published = said(capsys, "lab", "publish", str(LABS / "hello"), str(LABS / "attack"))
    assert [one["name"] for one in published["published"]] == ["hello"]
    assert published["left_out"] == ["attack"]  # it has two machines
    room = said(capsys, "class", "create", "--title", "Shells", "--lab", "hello")
    link = said(
        capsys, "sign-in", "--role", "instructor", "--name", "Trainer", "--class", room["id"]
    )
    portal, _, token = link["url"].partition("/sign-in#")
    assert portal == ORIGIN
    signed = house.ask("auth", "POST", "/v1/sign-in", {"token": token})
    assert signed["statusCode"] == 200, signed
    trainer = signed["cookies"][0].partition(";")[0]
    joined = house.ask("auth", "POST", "/v1/join", {"code": room["join_code"], "name": "Asha"})
    assert joined["statusCode"] == 201, joined
    board = house.ask("api_trainer", "GET", f"/v1/classes/{room['id']}/board", cookie=trainer)
    assert [row["name"] for row in json.loads(board["body"])["students"]] == ["Asha"]
    assert [one["id"] for one in said(capsys, "classes")] == [room["id"]]
    student = joined["cookies"][0].partition(";")[0]
    page = f"/v1/classes/{room['id']}/labs/hello/sandbox"
    assert house.ask("api_student", "PUT", page, cookie=student)["statusCode"] == 201
    house.work()
    capsys.readouterr()  # metrics of the functions
    (running,) = said(capsys, "ps")
    assert (running["student"], running["phase"]) == ("Asha", "starting")


@pytest.mark.usefixtures("house")
def test_publishing_again_changes_nothing_and_a_fault_publishes_nothing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    first = said(capsys, "lab", "publish", str(LABS / "hello"))
    assert said(capsys, "lab", "publish", str(LABS / "hello")) == first
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "lab.yaml").write_text("title: nothing\n")
    assert run("lab", "publish", str(LABS / "web"), str(broken)) == 2
    assert "broken/lab.yaml" in capsys.readouterr().err
    assert run("class", "create", "--title", "W", "--lab", "web") == 2
    assert "There is no lab called web. Choose from hello" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changed", "arguments", "words"),
    [
        ({"BRIHASPATI_TABLE": "bh-nobody"}, ["classes"], "deploy first, or correct"),
        ({"BRIHASPATI_QUEUE_URL": ""}, ["classes"], "queues are not there"),
        ({"BRIHASPATI_ORIGINS": ""}, ["sign-in"], "set BRIHASPATI_ORIGINS"),
        ({}, ["up"], "leave out --stage prod"),
        ({}, ["doctor"], "leave out --stage prod"),
        ({}, ["lab", "test", str(LABS / "hello")], "leave out --stage prod"),
        ({}, ["bench", "class-start"], "leave out --stage prod"),
    ],
)
def test_what_is_missing_is_said_in_one_line(
    house: Deployed,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    changed: dict[str, str],
    arguments: list[str],
    words: str,
) -> None:
    assert house.world.running() == []
    for name, value in changed.items():
        monkeypatch.setenv(name, value)
    assert run(*arguments) == 2
    err = capsys.readouterr().err
    assert words in err
    assert err.count("\n") == 1


def test_a_folder_of_this_machine_offers_its_labs_by_itself(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BRIHASPATI_DATA", str(tmp_path))
    assert cli.main(wiring.open_shop, ["lab", "publish", str(LABS / "hello")]) == 2
    assert "--stage prod lab publish" in capsys.readouterr().err


def test_a_stage_that_can_be_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(wiring.open_shop, ["--stage", "Prod!", "classes"]) == 2
    assert "BRIHASPATI_STAGE='Prod!'" in capsys.readouterr().err


@pytest.fixture
def dead(house: Deployed, made: Made) -> Iterator[Callable[[str, str], None]]:
    """Queues as the template names them, and how to have a message die on one."""
    urls: dict[str, str] = {}
    for name in cloudshop.QUEUES:
        for whole in (f"brihaspati-{ENV}-{name}", f"brihaspati-{ENV}-{name}-dead"):
            urls[whole] = made.ask("create_queue", QueueName=whole)["QueueUrl"]

    def die(name: str, text: str) -> None:
        whole = f"brihaspati-{ENV}-{name}-dead"
        made.ask("send_message", QueueUrl=urls[whole], MessageBody=text)

    assert house.table
    yield die
    for url in urls.values():
        made.ask("delete_queue", QueueUrl=url)


def test_dead_letters_are_listed_and_put_back_on_their_own_queues(
    made: Made, dead: Callable[[str, str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(23):
        dead("ending", sqs.text_of(ports.Message("sandbox", {"slot": str(number)})))
    dead("starting", sqs.text_of(ports.Message("sandbox", {"slot": "a"})))
    dead("starting", "what nobody can read")
    found = said(capsys, "queue", "dead")
    assert [one["queue"] for one in found] == ["starting"] + ["ending"] * 23
    assert said(capsys, "queue", "redrive", "ending", "--limit", "20") == {"ending": 20}
    assert said(capsys, "queue", "redrive") == {"starting": 1, "ending": 3, "checking": 0}
    url = made.ask("get_queue_url", QueueName=f"brihaspati-{ENV}-ending")["QueueUrl"]
    names = ["ApproximateNumberOfMessages"]
    there = made.ask("get_queue_attributes", QueueUrl=url, AttributeNames=names)["Attributes"]
    assert there == {"ApproximateNumberOfMessages": "23"}
    made.clock.advance(60)
    left = made.ask("receive_message", QueueUrl=f"{url.removesuffix('ending')}starting-dead")
    assert [one["Body"] for one in left["Messages"]] == ["what nobody can read"]


@pytest.mark.usefixtures("dead")
def test_a_queue_that_is_not_there_is_named_with_those_that_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run("queue", "redrive", "stopping") == 2
    assert "no queue 'stopping'; there are starting, ending, checking" in capsys.readouterr().err


def test_dead_letters_of_this_machine_start_anew_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BRIHASPATI_DATA", str(tmp_path))
    database = sqlite.Database(tmp_path / "brihaspati.db")
    clock = memory.ManualClock()
    clock.set(round(time.time() * 1000) - 3_600_000)
    queue = sqlite.Queue(database, clock)
    queue.put(ports.Message("pool", {"class": "demo", "lab": "hello"}))
    while queue.take(1, visible_after_seconds=1):
        clock.advance(2)
    assert len(queue.dead()) == 1
    database.close()
    assert cli.main(wiring.open_shop, ["queue", "redrive", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"work": 1}

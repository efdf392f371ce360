"""The command line, as an operator meets it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from brihaspati import wiring
from brihaspati.entrypoints.cli import main as command_line
from brihaspati.entrypoints.cli.fresh import FreshServer
from commanding import Run, run_in

Ask = Callable[..., Any]
COMMANDS = (
    "up",
    "doctor",
    "play",
    "lab",
    "stop",
    "ps",
    "alarms",
    "classes",
    "labs",
    "board",
    "class",
    "sweep",
    "sign-in",
    "bench",
    "simulate",
    "audit",
    "queue",
    "provider",
    "image",
    "preflight",
    "cloud-sim",
    "cost",
    "deploy",
)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(wiring.open_shop, [command, "--help"]) == 0
    assert f"Usage: brihaspati {command}" in capsys.readouterr().out


def test_the_list_of_commands_is_whole() -> None:
    assert set(COMMANDS) == set(command_line.cli.commands)


def test_play_once_prints_one_object_with_the_output_and_the_time(ask: Ask) -> None:
    found = ask("play", "hello", "--once", "echo $((6*7))")
    assert "42" in found["output"]
    assert found["prompt_ms"] > 0
    assert found["status"] == 0
    assert ask("ps") == []
    assert ask("alarms") == []


def test_play_once_tells_how_the_command_ended(ask: Ask) -> None:
    assert ask("play", "hello", "--once", "(exit 7)")["status"] == 7


def test_play_works_without_a_server_and_leaves_nothing_running(tmp_path: Path) -> None:
    done = run_in(tmp_path, "play", "hello", "--json", "--once", "hostname")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["output"].strip() == "lab"
    assert not (tmp_path / "server.json").exists()


def test_lookups_say_what_is_there(ask: Ask) -> None:
    (demo,) = ask("classes")
    assert (demo["id"], demo["state"]) == ("demo", "open")
    assert {lab["lab"] for lab in ask("labs")} >= {"hello", "web", "attack"}
    assert ask("board", "demo")["students"] == []
    assert ask("sweep")["strays"] == 0


def test_a_class_is_made_and_its_people_are_expected(ask: Ask, tmp_path: Path) -> None:
    made = ask("class", "create", "--title", "Linux basics", "--lab", "hello", "--budget", "2.5")
    assert len(made["join_code"].replace("-", "")) == 8
    assert made["closes_at"] - made["opens_at"] == 8 * 3_600_000
    found = {room["id"]: room for room in ask("classes")}[made["id"]]
    assert (found["title"], found["labs"]) == ("Linux basics", ["hello"])
    listed = tmp_path / "people.csv"
    listed.write_text("\ufeffName,Email\nAsha,asha@example.org\n\nRavi\n")
    people = ask("class", "roster", made["id"], "--from", str(listed))
    assert [(p["name"], p["email"], p["expected"], p["joined_at"]) for p in people] == [
        ("Asha", "asha@example.org", True, None),
        ("Ravi", None, True, None),
    ]
    assert ask("class", "roster", made["id"]) == people
    board = ask("board", made["id"])
    assert [(s["name"], s["id"], s["labs"]) for s in board["students"]] == [
        ("Asha", None, {}),
        ("Ravi", None, {}),
    ]
    assert board["cost"]["budget_micros"] == 2_500_000


def test_the_board_for_people_says_where_everybody_is(
    server: FreshServer, capfd: pytest.CaptureFixture[str]
) -> None:
    data = ("--data", str(server.folder))
    assert command_line.main(wiring.open_shop, [*data, "board", "demo"]) == 0
    said = capfd.readouterr().out
    assert "student" in said
    assert "0.00 USD so far, 0.00 an hour now" in said


def test_a_sign_in_link_is_of_the_running_server(ask: Ask, server: FreshServer) -> None:
    url = ask("sign-in", "--name", "Prof Iyer", "--role", "instructor", "--class", "demo")["url"]
    assert url.startswith(f"{server.address}/sign-in#")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("nonsense",), "nonsense"),
        (("play", "nosuchlab", "--once", "true"), "nosuchlab"),
        (("play", "hello"), "--once"),
        (("stop",), "--all"),
        (("stop", "nothing-like-it"), "nothing-like-it"),
        (("board", "nosuchclass"), "class"),
        (("class", "create", "--title", "X", "--lab", "nosuchlab"), "nosuchlab"),
        (("class", "create", "--title", " ", "--lab", "hello"), "title"),
        (("bench", "class-start", "--students", "0"), "--students"),
        (("--provider", "vmware", "ps"), "BRIHASPATI_PROVIDER"),
        (("image", "bake", "hello"), "--cloud digitalocean"),
        (("cost", "--look-seconds", "nan"), "--look-seconds"),
        (("cloud-sim", "--speed", "nan"), "--speed"),
        (("class", "create", "--title", "X", "--lab", "hello", "--hours", "inf"), "--hours"),
        (("class", "create", "--title", "X", "--lab", "hello", "--budget", "nan"), "--budget"),
        (("audit", "export", "--class", "nosuchclass"), "class"),
        (("audit", "verify", "/usr/bin/env"), "/usr/bin/env"),
        (("--data", "/etc/passwd", "ps"), "BRIHASPATI_DATA"),
        (("--stage", "prod", "classes"), "AWS_REGION"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    server: FreshServer,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    word: str,
) -> None:
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.setenv("BRIHASPATI_DATA", str(server.folder))
    assert command_line.main(wiring.open_shop, list(arguments)) == 2
    said = capfd.readouterr()
    assert word in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""


def test_a_group_without_a_command_shows_its_page(capfd: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(wiring.open_shop, ["audit"]) == 2
    assert "\n  verify " in capfd.readouterr().err


def test_a_fault_inside_is_not_taken_for_ctrl_d() -> None:
    def cut_off(_given: object) -> NoReturn:
        raise EOFError

    with pytest.raises(EOFError):
        command_line.main(cut_off, ["ps"])


def test_a_process_ends_with_the_status_too(run: Run) -> None:
    done = run("nonsense")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)


def test_a_second_server_on_the_same_folder_is_refused(run: Run, server: FreshServer) -> None:
    done = run("up", listen="127.0.0.1:0")
    assert done.returncode == 2
    assert str(server.pid) in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_taken_port_is_named(tmp_path: Path, server: FreshServer) -> None:
    port = server.address.rpartition(":")[2]
    done = run_in(tmp_path, "up", listen=f"127.0.0.1:{port}", keep_seconds="0", pool="0")
    assert done.returncode == 2
    assert f"port {port} is taken" in done.stderr

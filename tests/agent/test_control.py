"""The control socket: commands and files on the machines of a sandbox."""

from __future__ import annotations

import base64
import pathlib
from typing import Any

import picows
import pytest

from agent import stage


async def _ask(client: stage.Client, **request: Any) -> dict[str, Any]:
    client.say({"id": 7, **request})
    count = len(client.texts)
    await client.until(lambda: len(client.texts) > count)
    answer = client.texts[-1]
    assert answer["id"] == 7
    return answer


def _text(answer: dict[str, Any], key: str = "output") -> str:
    return base64.b64decode(answer[key]).decode()


def test_a_command_runs_and_its_outcome_comes_back() -> None:
    async def scenario() -> None:
        async with stage.staged() as agent:
            client = await agent.control()
            assert client.hello["machines"] == ["main"]
            script = "cat; echo oops >&2; exit 3"
            stdin = base64.b64encode(b"fed").decode()
            answer = await _ask(client, op="run", argv=["/bin/sh", "-c", script], stdin=stdin)
            assert answer["ok"] is True
            assert (answer["code"], _text(answer), _text(answer, "error")) == (3, "fed", "oops\n")
            assert answer["timed_out"] is answer["truncated"] is False

    stage.play(scenario)


def test_a_command_that_takes_too_long_is_ended() -> None:
    async def scenario() -> None:
        async with stage.staged() as agent:
            client = await agent.control()
            answer = await _ask(
                client, op="run", argv=["/bin/sleep", "60"], timeout_seconds=0.1, machine="main"
            )
            assert answer["timed_out"] is True

    stage.play(scenario)


def test_a_file_is_written_and_read(tmp_path: pathlib.Path) -> None:
    async def scenario() -> None:
        async with stage.staged() as agent:
            client = await agent.control()
            path = str(tmp_path / "file")
            data = base64.b64encode(bytes(range(256)) * 1000).decode()
            assert await _ask(client, op="write", path=path, data=data, mode=0o600) == {
                "id": 7,
                "ok": True,
            }
            assert (await _ask(client, op="read", path=path))["data"] == data

    stage.play(scenario)


def test_answers_come_as_they_are_ready_each_with_its_number() -> None:
    async def scenario() -> None:
        async with stage.staged() as agent:
            client = await agent.control()
            client.say({"id": "slow", "op": "run", "argv": ["/bin/sleep", "0.3"]})
            client.say({"id": "quick", "op": "run", "argv": ["/bin/true"]})
            await client.until(lambda: len(client.texts) == 3)
            assert [answer["id"] for answer in client.texts[1:]] == ["quick", "slow"]

    stage.play(scenario)


@pytest.mark.parametrize(
    ("request_", "problem"),
    [
        ({}, '"op" is one of'),
        ({"op": "format"}, '"op" is one of'),
        ({"op": "run"}, '"argv"'),
        ({"op": "run", "argv": []}, '"argv"'),
        ({"op": "run", "argv": ["ls", 5]}, '"argv"'),
        ({"op": "run", "argv": ["ls"], "timeout_seconds": 0}, '"timeout_seconds"'),
        ({"op": "run", "argv": ["ls"], "timeout_seconds": 1e9}, '"timeout_seconds"'),
        ({"op": "run", "argv": ["ls"], "user": 0}, '"user"'),
        ({"op": "run", "argv": ["ls"], "stdin": "§"}, '"stdin"'),
        ({"op": "run", "argv": ["ls"], "machine": "other"}, '"machine" is one of main'),
        ({"op": "run", "argv": ["ls"], "machine": ["main"]}, '"machine" is one of main'),
        ({"op": "run", "argv": ["/no/such"]}, "cannot run /no/such"),
        ({"op": "run", "argv": ["/bin/true"], "user": "nobody-here"}, "no user nobody-here"),
        ({"op": "read"}, '"path"'),
        ({"op": "read", "path": "relative"}, '"path"'),
        ({"op": "read", "path": "/no/such"}, "No such file"),
        ({"op": "read", "path": "/dev/zero"}, "not a regular file"),
        ({"op": "read", "path": "/"}, "not a regular file"),
        ({"op": "write", "path": "/tmp/x"}, '"data"'),
        ({"op": "write", "path": "/tmp/x", "data": "", "mode": "644"}, '"mode"'),
        ({"op": "write", "path": "/no/such/x", "data": ""}, "No such file"),
    ],
)
def test_what_cannot_be_done_is_said(request_: dict[str, Any], problem: str) -> None:
    async def scenario() -> None:
        async with stage.staged() as agent:
            client = await agent.control()
            answer = await _ask(client, **request_)
            assert answer["ok"] is False
            assert problem in answer["problem"]

    stage.play(scenario)


def test_a_file_too_large_to_send_is_said(tmp_path: pathlib.Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * (512 * 1024 + 1))

    async def scenario() -> None:
        async with stage.staged() as agent:
            client = await agent.control()
            answer = await _ask(client, op="read", path=str(tmp_path / "large"))
            assert "larger than" in answer["problem"]

    stage.play(scenario)


def test_a_gone_machine_is_said() -> None:
    async def scenario() -> None:
        async with stage.staged() as agent:
            client = await agent.control(machines={"main": "gone", "box": "here"})
            assert "one of box, main" in (await _ask(client, op="read", path="/x"))["problem"]
            answer = await _ask(client, op="read", path="/x", machine="main")
            assert answer["problem"] == "this machine is gone"

    stage.play(scenario)


def test_a_terminals_ticket_does_not_control() -> None:
    async def scenario() -> None:
        async with stage.staged() as agent:
            client = await agent.connect("/agent/control")
            client.say({"ticket": agent.signer.ticket()})
            code, reason = await client.is_closed()
            assert code == 4401
            assert reason.startswith("forbidden: ")

    stage.play(scenario)


@pytest.mark.parametrize("data", ["", "nonsense", "[1]"])
def test_control_messages_that_make_no_sense(data: str) -> None:
    async def scenario() -> None:
        async with stage.staged() as agent:
            client = await agent.control()
            client.transport.send(picows.WSMsgType.TEXT, data)
            assert (await client.is_closed())[0] == 4400

    stage.play(scenario)


def test_too_many_requests_and_connections_are_refused() -> None:
    async def scenario() -> None:
        async with stage.staged() as agent:
            clients = [await agent.control() for _ in range(16)]
            next_one = await agent.connect("/agent/control")
            next_one.say({"ticket": agent.signer.ticket(may=["control"])})
            assert (await next_one.is_closed())[0] == 4409
            await clients[0].leave()
            await agent.control()
            for number in range(80):
                request = {"id": number, "op": "run", "argv": ["/bin/sleep", "1"]}
                clients[1].say({**request, "timeout_seconds": 0.2})
            assert (await clients[1].is_closed())[0] == 4429

    stage.play(scenario)

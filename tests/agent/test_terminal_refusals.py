"""What the terminal socket refuses: tickets, messages, frames, origins, too much of anything."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable

import picows
import pytest

from agent import stage
from brihaspati_agent import viewers


def test_a_ticket_opens_one_connection() -> None:
    async def scenario() -> None:
        async with stage.staged() as agent:
            ticket = agent.signer.ticket()
            await agent.open(ticket)
            code, reason = await agent.refused(ticket)
            assert code == 4401
            assert reason.startswith("used: ")

    stage.play(scenario)


@pytest.mark.parametrize(
    ("changes", "code", "reason"),
    [
        ({"expires_at": 1}, 4401, "expired: "),
        ({"env": "prod"}, 4401, "deployment: "),
        ({"may": ["control"]}, 4401, "forbidden: "),
        ({"terminals": {}}, 4404, ""),
        ({"terminals": {"main": ["box", None]}}, 4404, ""),
        ({"machines": {"main": "gone"}}, 4404, "this machine is gone"),
    ],
)
def test_what_a_ticket_does_not_open(changes: dict[str, object], code: int, reason: str) -> None:
    async def scenario() -> None:
        async with stage.staged() as agent:
            refused = await agent.refused(agent.signer.ticket(**changes))
            assert refused[0] == code
            assert refused[1].startswith(reason)

    stage.play(scenario)


@pytest.mark.parametrize(
    "changes",
    [
        {"columns": "80"},
        {"rows": None},
        {"rows": True},
        {"since": -1},
        {"since": "1"},
        {"epoch": 4},
        {"terminal": 5},
        {"ticket": {"no": "text"}},
    ],
)
def test_a_first_message_that_makes_no_sense(changes: dict[str, object]) -> None:
    async def scenario() -> None:
        async with stage.staged() as agent:
            client = await agent.connect()
            client.say({**agent.first(), **changes})
            assert (await client.is_closed())[0] == 4400

    stage.play(scenario)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"x"', "[" * 5000, "{}", '{"ticket":""}'])
def test_a_first_message_that_is_no_ticket(text: str) -> None:
    async def scenario() -> None:
        async with stage.staged() as agent:
            client = await agent.connect()
            client.transport.send(picows.WSMsgType.TEXT, text)
            assert (await client.is_closed())[0] in {4400, 4401}

    stage.play(scenario)


def test_a_binary_first_message_is_refused() -> None:
    async def scenario() -> None:
        async with stage.staged() as agent:
            client = await agent.connect()
            client.send(b"\x00ls\r")
            assert (await client.is_closed())[0] == 4400

    stage.play(scenario)


def test_a_first_message_of_more_than_8_kib_is_refused() -> None:
    async def scenario() -> None:
        async with stage.staged() as agent:
            client = await agent.connect()
            client.say({**agent.first(), "padding": "x" * 8192})
            assert (await client.is_closed())[0] == 4413

    stage.play(scenario)


def test_a_first_message_that_does_not_come_is_not_waited_for() -> None:
    async def scenario() -> None:
        async with stage.staged(first_message_seconds=0.05) as agent:
            client = await agent.connect()
            assert (await client.is_closed())[0] == 4408

    stage.play(scenario)


def _fragment(
    client: stage.Client, kind: picows.WSMsgType, data: bytes, *, last: bool
) -> stage.Client:
    client.transport.send(kind, data, fin=last)
    return client


TEXT, BINARY = picows.WSMsgType.TEXT, picows.WSMsgType.BINARY
MORE = picows.WSMsgType.CONTINUATION


def test_fragments_are_put_together() -> None:
    async def scenario() -> None:
        async with stage.staged() as agent:
            client = await agent.connect()
            first = json.dumps(agent.first(agent.signer.running(["/bin/cat"]))).encode()
            _fragment(client, TEXT, first[:10], last=False)
            _fragment(client, MORE, first[10:50], last=False)
            client.transport.send_ping(b"in between")
            _fragment(client, MORE, first[50:], last=True)
            await client.until(lambda: client.hello)
            _fragment(client, BINARY, b"\x00who", last=False)
            _fragment(client, MORE, b"le\r", last=True)
            await client.shows(b"whole\r\nwhole\r\n")

    stage.play(scenario)


BAD_AFTER_HELLO: dict[str, tuple[int, Callable[[stage.Client], object]]] = {
    "text": (4400, lambda c: c.transport.send(TEXT, "hello")),
    "empty": (4400, lambda c: c.send(b"")),
    "unknown opcode": (4400, lambda c: c.send(b"\x09abc")),
    "a server's opcode": (4400, lambda c: c.send(b"\x04abc")),
    "short resize": (4400, lambda c: c.send(b"\x01\x00\x50")),
    "long resize": (4400, lambda c: c.send(b"\x01" + b"\x00" * 5)),
    "short ack": (4400, lambda c: c.send(b"\x02" + b"\x00" * 7)),
    "ack of the future": (4400, lambda c: c.ack(2**63)),
    "long ping": (4400, lambda c: c.send(b"\x03" + b"x" * 17)),
    "too large": (4413, lambda c: c.send(b"\x00" + b"x" * 65537)),
    "too large in pieces": (
        4413,
        lambda c: [
            _fragment(c, BINARY, b"\x00" + b"x" * 60_000, last=False),
            _fragment(c, MORE, b"x" * 6000, last=False),
        ],
    ),
    "far too large": (1009, lambda c: c.send(b"\x00" + b"x" * 2_000_000)),
    "continuation of nothing": (4400, lambda c: _fragment(c, MORE, b"x", last=True)),
    "a message within a message": (
        4400,
        lambda c: [
            _fragment(c, BINARY, b"\x00x", last=False),
            _fragment(c, BINARY, b"\x00y", last=True),
        ],
    ),
}


@pytest.mark.parametrize("case", BAD_AFTER_HELLO)
def test_a_bad_frame_closes_the_connection_and_nothing_else(case: str) -> None:
    code, send = BAD_AFTER_HELLO[case]

    async def scenario() -> None:
        async with stage.staged() as agent:
            good = await agent.open(agent.signer.running(["/bin/cat"]))
            bad = await agent.open()
            send(bad)
            assert (await bad.is_closed())[0] == code
            good.type("unharmed\r")
            await good.shows(b"unharmed\r\nunharmed\r\n")

    stage.play(scenario)


@pytest.mark.parametrize(
    "frame", [b"\x83\x80....", b"\x82\x01x", b"\x8b\xfe\x00\x7f", b"\x02\xff" * 9]
)
def test_broken_websocket_frames_close_the_connection(frame: bytes) -> None:
    async def scenario() -> None:
        async with stage.staged() as agent:
            client = await agent.open()
            client.transport.underlying_transport.write(frame)
            client.send(b"\x03")
            with contextlib.suppress(AssertionError):
                await client.is_closed()
            assert client.over

    stage.play(scenario)


def test_a_flood_of_input_is_cut_off() -> None:
    async def scenario() -> None:
        limits = {"burst_bytes": 100_000, "bytes_per_second": 1}
        async with stage.staged(**limits) as agent:  # type: ignore[arg-type]
            client = await agent.open()
            for _ in range(10):
                client.type("x" * 20_000)
            assert (await client.is_closed())[0] == 4429

    stage.play(scenario)


def test_a_flood_of_small_frames_is_cut_off() -> None:
    async def scenario() -> None:
        limits = {"burst_bytes": 20_000, "bytes_per_second": 1}
        async with stage.staged(**limits) as agent:  # type: ignore[arg-type]
            client = await agent.open()
            for _ in range(500):
                client.send(b"\x03")
            assert (await client.is_closed())[0] == 4429

    stage.play(scenario)


def test_a_page_of_another_origin_is_turned_away() -> None:
    async def scenario() -> None:
        async with stage.staged() as agent:
            for headers in (
                {"Origin": "http://evil.example"},
                {"Origin": "null"},
                {"Origin": stage.PORTAL + "/"},
                {"Cookie": "bh_session=x"},
            ):
                client = await agent.connect(headers=headers)
                assert (await client.is_closed())[0] == 4403, headers

    stage.play(scenario)


def test_a_page_of_ours_may_come_with_its_cookies() -> None:
    async def scenario() -> None:
        async with stage.staged() as agent:
            headers = {"Origin": stage.PORTAL, "Cookie": "bh_session=x"}
            client = await agent.connect(headers=headers)
            client.say(agent.first())
            await client.until(lambda: client.hello)

    stage.play(scenario)


def test_viewers_and_terminals_are_limited() -> None:
    async def scenario() -> None:
        async with stage.staged(limits=viewers.Limits(viewers=2, terminals=1)) as agent:
            await agent.open()
            await agent.open()
            assert (await agent.refused())[0] == 4409
            second = agent.signer.ticket(terminals={"other": ["main", stage.SHELL]})
            assert (await agent.refused(second, terminal="other"))[0] == 4409

    stage.play(scenario)


def test_an_unknown_path_under_agent_is_not_found() -> None:
    async def scenario() -> None:
        async with stage.staged() as agent:
            with pytest.raises(picows.WSInvalidStatusError):
                await agent.connect("/agent/nothing")

    stage.play(scenario)

"""What a trainer sees of a terminal at a glance."""

from __future__ import annotations

import asyncio

import pytest

from agent import stage
from brihaspati.entrypoints.server.agents import HubAgents
from brihaspati_agent import glances


@pytest.mark.parametrize(
    ("output", "line"),
    [
        (b"", ""),
        (b"\r\n \r\n", ""),
        (b"one\r\ntwo\r\n\r\n", "two"),
        (b"\x1b[1;32mann@lab\x1b[0m:\x1b[34m~\x1b[0m$ ls -l", "ann@lab:~$ ls -l"),
        (b"\x1b]0;a title\x07$ ", "$"),
        (b"\x1b]2;a title\x1b\\\x1b(B$ make\x1b[K", "$ make"),
        (b"10%\r50%\r100%", "100%"),
        (b"done\r\n$ \x1b[3", "$"),
        (b"$ lss\b\x1b[K -a", "$ ls -a"),
        (b"old\r\n\x1b[H\x1b[2J", ""),
        (b"old\r\n\x1b[H\x1b[Jnew", "new"),
        (b"\x1b[?2004h$ vi\r\n\x1b[?1049h~\r\n~", "~"),
        ("größer > \xff".encode()[:-1], "größer >"),
        (b"a\x00b\x7fc\td", "abc d"),
        (b"x" * 81, "x" * 79 + "…"),
        (b"y" * 80, "y" * 80),
    ],
)
def test_the_last_line_that_a_person_sees(output: bytes, line: str) -> None:
    assert glances.last_line(output) == line


def test_a_glance_is_of_the_terminal_used_last() -> None:
    async def scenario() -> None:
        async with stage.staged() as agent:
            agents = HubAgents()
            assert agents.glance("abc234").line == ""
            agents.serve(agent.hub, asyncio.get_running_loop())
            assert agents.glance("abc234") == type(agents.glance("none"))(None, "")
            first = await agent.open(agent.signer.running(["/bin/cat"]))
            more = await agent.open(terminal="main~2")
            first.type("in the first\r")
            await first.shows(b"in the first\r\nin the first")
            glance = await asyncio.to_thread(agents.glance, "abc234")
            assert (glance.input_at, glance.line) == (agent.clock(), "in the first")
            agent.clock.at += 1
            more.type("echo in''side\r")
            await more.shows(b"inside\r\n")
            glance = await asyncio.to_thread(agents.glance, "abc234")
            assert glance.input_at == agent.clock()
            assert "in the first" not in glance.line

    stage.play(scenario)


def test_only_the_end_of_a_flood_is_looked_at() -> None:
    async def scenario() -> None:
        async with stage.staged() as agent:
            command = ["/bin/sh", "-c", "yes 0123456789 | head -n 80000; echo the end; cat"]
            client = await agent.open(agent.signer.running(command))
            await client.shows(b"the end\r\n")
            assert agent.hub.glance("abc234") == "the end"

    stage.play(scenario)

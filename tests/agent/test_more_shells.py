"""One more shell beside a terminal of the lab: opened by name, ended by its reader."""

from __future__ import annotations

import asyncio
import os
import re

import pytest

from agent import stage


def test_one_more_shell_is_a_login_shell_on_the_same_machine() -> None:
    async def scenario() -> None:
        async with stage.staged() as agent:
            first = await agent.open(agent.signer.running(["/bin/cat"]))
            more = await agent.open(terminal="main~2")
            assert more.hello["terminal"] == "main~2"
            more.type("echo $((6 * 7)) shell\r")
            await more.shows(b"42 shell")
            assert b"42 shell" not in first.screen
            again = await agent.open(terminal="main~2")
            assert again.hello["epoch"] == more.hello["epoch"]

    stage.play(scenario)


@pytest.mark.parametrize("name", ["other~2", "main~1", "main~10", "main~", "~2", "main~2~2"])
def test_only_beside_a_terminal_of_the_lab_and_only_a_few(name: str) -> None:
    async def scenario() -> None:
        async with stage.staged() as agent:
            assert (await agent.refused(terminal=name))[0] == 4404

    stage.play(scenario)


def test_its_reader_ends_it_and_the_next_one_is_fresh() -> None:
    async def scenario() -> None:
        async with stage.staged() as agent:
            more = await agent.open(terminal="main~2")
            more.type("echo pid=$$=\r")
            await more.until(lambda: re.search(rb"pid=\d+=", more.screen))
            pid = int(more.screen.rpartition(b"pid=")[2].partition(b"=")[0])
            more.send(b"\x04")
            await more.ended()
            again = await agent.open(terminal="main~2")
            assert again.hello["epoch"] != more.hello["epoch"]
            assert again.hello["ended"] is None
            assert not again.told("notice")
            await asyncio.gather(*agent.hub._closing)
            with pytest.raises(ProcessLookupError):
                os.kill(pid, 0)

    stage.play(scenario)


def test_who_watches_hears_of_further_shells_as_they_come_and_go() -> None:
    async def scenario() -> None:
        async with stage.staged() as agent:
            before = await agent.open(agent.signer.ticket(may=["watch"]))
            more = await agent.open(terminal="main~2")
            await before.until(lambda: len(before.told("shells")) == 2)
            assert before.told("shells")[0]["names"] == []
            assert before.told("shells")[-1]["names"] == ["main~2"]
            after = await agent.open(agent.signer.ticket(may=["watch"]), terminal="main~2")
            await after.until(lambda: after.told("shells"))
            assert not after.hello["writer"]
            more.send(b"\x04")
            await before.until(lambda: len(before.told("shells")) == 3)
            assert before.told("shells")[-1]["names"] == []

    stage.play(scenario)


def test_the_terminals_of_the_lab_are_not_ended_this_way() -> None:
    async def scenario() -> None:
        async with stage.staged() as agent:
            first = await agent.open()
            first.send(b"\x04")
            assert (await first.is_closed())[0] == 4400
            assert agent.hub.heartbeat("abc234").terminals == 1

    stage.play(scenario)


def test_who_only_watches_ends_nothing() -> None:
    async def scenario() -> None:
        async with stage.staged() as agent:
            await agent.open(terminal="main~2")
            watching = await agent.open(agent.signer.ticket(may=["watch"]), terminal="main~2")
            watching.send(b"\x04")
            watching.send(b"\x03")
            await watching.until(lambda: watching.pongs)
            assert not watching.told("ended")

    stage.play(scenario)


def test_shells_that_have_ended_make_room() -> None:
    async def scenario() -> None:
        async with stage.staged() as agent:
            await agent.open()
            shells = [await agent.open(terminal=f"main~{number}") for number in range(2, 9)]
            assert (await agent.refused(terminal="main~9"))[0] == 4409
            shells[-1].type("exit\r")
            await shells[-1].ended()
            await shells[-1].leave()
            assert (await agent.open(terminal="main~9")).hello["ended"] is None

    stage.play(scenario)


def test_who_only_watches_starts_none() -> None:
    async def scenario() -> None:
        async with stage.staged() as agent:
            watching = agent.signer.ticket(may=["watch"])
            assert (await agent.refused(watching, terminal="main~2"))[0] == 4404
            assert agent.hub.heartbeat("abc234").terminals == 0
            await agent.open(agent.signer.ticket(may=["watch"]))

    stage.play(scenario)

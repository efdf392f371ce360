"""Several viewers of one terminal, slow ones, and output nobody reads."""

from __future__ import annotations

import asyncio
import os
import time

from agent import stage
from brihaspati_agent import terminals, viewers

YES = ["/bin/bash", "--norc", "--noprofile", "-c", "yes; echo; echo over; exec cat"]


def _run(agent: stage.Stage) -> terminals.Run:
    run = agent.hub._desks["abc234"].slots["main"].run
    assert run is not None
    return run


async def _settled(agent: stage.Stage) -> int:
    """The sequence number at which reading stopped."""
    ends = time.monotonic() + stage.PATIENCE_SECONDS
    while _run(agent)._reading:
        assert time.monotonic() < ends, "still reading"
        await asyncio.sleep(0.01)
    return _run(agent).ring.end


def test_two_viewers_see_the_same_and_both_may_type() -> None:
    async def scenario() -> None:
        async with stage.staged() as agent:
            ann = await agent.open(agent.signer.running(["/bin/cat"]))
            ben = await agent.open(agent.signer.ticket(name="Ben"))
            ann.type("from ann\r")
            await ben.shows(b"from ann\r\nfrom ann\r\n")
            ben.type("from ben\r")
            await ann.shows(b"from ben\r\nfrom ben\r\n")
            assert ben.hello["viewers"] == 2

    stage.play(scenario)


def test_viewers_are_told_who_else_looks() -> None:
    async def scenario() -> None:
        async with stage.staged() as agent:
            ann = await agent.open()
            zoe = agent.signer.ticket(name="Zoë", user="trainer", may=["watch"])
            watching = await agent.open(zoe)
            await ann.until(lambda: ann.told("viewers")[-1]["viewers"] == 2)
            assert ann.told("viewers")[-1]["people"] == [
                {"name": "Ann", "writer": True, "mine": True},
                {"name": "Zoë", "writer": False, "mine": False},
            ]
            assert ann.told("viewers")[-1]["writer"] is True
            assert watching.hello["writer"] is False
            await watching.until(lambda: watching.told("viewers"))
            assert watching.told("viewers")[-1]["writer"] is False
            await watching.leave()
            await ann.until(lambda: ann.told("viewers")[-1]["viewers"] == 1)

    stage.play(scenario)


def test_a_trainer_who_types_is_told_from_a_second_device() -> None:
    async def scenario() -> None:
        async with stage.staged() as agent:
            ann = await agent.open()
            await agent.open()
            await agent.open(agent.signer.ticket(name="Ann", user="trainer"))
            await ann.until(lambda: ann.told("viewers")[-1]["viewers"] == 3)
            mine = [person["mine"] for person in ann.told("viewers")[-1]["people"]]
            assert mine == [True, True, False]
            assert "trainer" not in str(ann.told("viewers"))

    stage.play(scenario)


def test_one_who_watches_can_neither_type_nor_resize() -> None:
    async def scenario() -> None:
        async with stage.staged() as agent:
            ann = await agent.open(agent.signer.running(["/bin/cat"]))
            watching = await agent.open(agent.signer.ticket(may=["watch"]), columns=40, rows=10)
            assert watching.hello["columns"] == 80
            watching.type("secret\r")
            watching.resize(30, 10)
            watching.send(b"\x03")
            await watching.until(lambda: watching.pongs)
            ann.type("open\r")
            await watching.shows(b"open\r\nopen\r\n")
            assert b"secret" not in ann.screen
            assert not ann.told("resize")
            assert agent.hub.heartbeat("abc234").last_input_at is not None

    stage.play(scenario)


def test_the_last_writer_who_resizes_wins_and_the_others_are_told() -> None:
    async def scenario() -> None:
        async with stage.staged() as agent:
            ann = await agent.open()
            ben = await agent.open(columns=120, rows=40)
            await ann.until(lambda: ann.told("resize"))
            assert ann.told("resize") == [{"type": "resize", "columns": 120, "rows": 40}]
            ann.resize(70, 20)
            await ben.until(lambda: ben.told("resize"))
            assert ben.told("resize") == [{"type": "resize", "columns": 70, "rows": 20}]
            assert len(ann.told("resize")) == 1, "who asked knows"
            ann.type("stty size\r")
            await ann.shows(b"20 70")

    stage.play(scenario)


def test_a_nonsensical_size_becomes_the_nearest_possible() -> None:
    async def scenario() -> None:
        async with stage.staged() as agent:
            client = await agent.open(columns=0, rows=-4)
            assert (client.hello["columns"], client.hello["rows"]) == (2, 1)
            client.resize(65535, 65535)
            other = await agent.open(agent.signer.ticket(may=["watch"]))
            assert (other.hello["columns"], other.hello["rows"]) == (1000, 500)

    stage.play(scenario)


def test_a_programs_question_is_answered_by_one_viewer_only() -> None:
    async def scenario() -> None:
        async with stage.staged() as agent:
            showing = ["/bin/sh", "-c", "stty raw -echo; echo go; exec od -An -c -v -w1"]
            ann = await agent.open(agent.signer.running(showing))
            ben = await agent.open()
            await ann.shows(b"go")
            ben.type("\x1b[1;1R")
            ben.send(b"\x03")
            await ben.until(lambda: ben.pongs)
            ann.type("\x1b[2;2R.")
            await ann.shows(b".")
            assert _letters(ann).count(b"R") == 1, "the first viewer answers"
            ben.type("b")
            await ben.shows(b"b")
            ben.type("\x1b[3;3R!")
            ann.type("\x1b[4;4R")
            await ann.shows(b"!")
            assert b"[3;3R!" in _letters(ann), "then whoever typed last"
            assert b"4" not in _letters(ann)

    stage.play(scenario)


def test_reading_stops_when_what_was_sent_is_not_drawn() -> None:
    async def scenario() -> None:
        async with stage.staged() as agent:
            client = await agent.open(agent.signer.running(YES), draws=False)
            start = client.hello["seq"]
            await client.until(lambda: client.seq > start + 200_000)
            stopped = await _settled(agent)
            assert 256 * 1024 <= stopped - start <= 320 * 1024
            # Less than was read, where a screen was drawn anew first: it counts as sent.
            (viewer,) = _run(agent).viewers
            await client.until(lambda: client.seq == viewer.sent)
            client.ack(client.seq)
            await client.until(lambda: client.seq > stopped + 150_000)
            assert await _settled(agent) <= stopped + 320 * 1024

    stage.play(scenario)


async def _silence(agent: stage.Stage) -> float:
    """How many seconds after Ctrl+C a flood is over for who draws 2 MB of it in a second."""
    client = await agent.open(agent.signer.running([*stage.SHELL]), draws=False)
    drawn, begun = client.seq, client.seq
    typed_at = 0.0
    client.type("yes\r")
    started = time.monotonic()
    while not typed_at or b"^C" not in client.output:
        await asyncio.sleep(0.01)
        drawn = min(client.seq, begun + int((time.monotonic() - started) * 2_000_000))
        client.ack(drawn)
        assert client.seq - drawn <= 512 * 1000
        if not typed_at and time.monotonic() - started > 0.5:
            typed_at = time.monotonic()
            client.type("\x03")
        assert time.monotonic() - started < stage.PATIENCE_SECONDS
    left = client.seq - drawn
    silent = time.monotonic() - typed_at + left / 2_000_000
    await client.leave()
    return silent


def test_an_interrupt_silences_a_flood_at_once() -> None:
    async def scenario() -> None:
        waits: list[float] = []
        while not waits or min(waits) >= 0.3:  # a busy machine is late, but not each time
            assert len(waits) < 20, waits
            async with stage.staged() as agent:
                waits.append(await _silence(agent))

    stage.play(scenario)


def test_a_slow_viewer_stalls_nobody_and_is_brought_up_to_date() -> None:
    async def scenario() -> None:
        async with stage.staged() as agent:
            counting = ["/bin/sh", "-c", "read x; seq 1000000; echo the end; exec cat"]
            slow = await agent.open(agent.signer.running(counting), draws=False)
            fast = await agent.open()
            fast.type("\r")
            await fast.shows(b"the end")
            assert slow.seq <= 320 * 1024
            assert len(slow.output) < len(fast.output) / 10
            slow.ack(slow.seq)
            await slow.until(lambda: slow.told("skipped"))
            await slow.until(lambda: b"the end" in slow.repaint)
            assert slow.seq == fast.seq
            assert len(slow.repaint) <= 40 * 1024
            fast.type("more\r")
            await slow.until(lambda: slow.output.endswith(b"more\r\nmore\r\n"))

    stage.play(scenario)


def test_a_viewer_a_little_behind_gets_every_byte() -> None:
    async def scenario() -> None:
        async with stage.staged(limits=viewers.Limits(window_bytes=32 * 1024)) as agent:
            counting = ["/bin/sh", "-c", "read x; seq 20000; echo the end; exec cat"]
            late = await agent.open(agent.signer.running(counting), draws=False)
            fast = await agent.open()
            fast.type("\r")
            await fast.shows(b"the end")
            assert b"the end" not in late.output
            late.draws = True
            late.ack(late.seq)
            await late.shows(b"the end")
            assert late.output == fast.output
            assert not late.told("skipped")

    stage.play(scenario)


def test_output_nobody_watches_is_read_only_so_far() -> None:
    async def scenario() -> None:
        async with stage.staged() as agent:
            choices = {"main": ("main", YES)}
            await agent.hub.open_early("abc234", {"main": "here"}, choices)
            stopped = await _settled(agent)
            assert 1024 * 1024 <= stopped <= 1100 * 1024
            assert await stage.busy_seconds(0.2) < 0.1
            client = await agent.open()
            assert len(client.repaint) <= 280 * 1024
            await client.until(lambda: client.seq > stopped + 1024 * 1024)

    stage.play(scenario)


def test_a_viewer_that_gives_no_sign_of_life_is_dropped_and_a_quiet_one_is_not() -> None:
    async def scenario() -> None:
        waits = {"look_round_seconds": 0.02, "quiet_seconds": 0.1, "dead_seconds": 2}
        async with stage.staged(**waits) as agent:  # type: ignore[arg-type]
            quiet = await agent.open()
            vanished = await agent.connect(lives=False)
            vanished.say(agent.first())
            await vanished.until(lambda: vanished.over)
            assert vanished.closed is None, "the line is cut, nobody hears a word"
            await quiet.until(lambda: quiet.told("viewers")[-1]["viewers"] == 1)
            assert not quiet.over

    stage.play(scenario)


def test_memory_stays_flat_while_a_flood_goes_by() -> None:
    async def scenario() -> None:
        async with stage.staged() as agent:
            client = await agent.open(agent.signer.running(YES))
            await client.until(lambda: client.seq > 2_000_000)
            client.output.clear()
            before = _resident()
            start = client.seq

            def flowing() -> bool:
                client.output.clear()
                return client.seq > start + 10_000_000

            await client.until(flowing)
            assert _resident() - before < 8 * 1024 * 1024

    stage.play(scenario)


def _letters(client: stage.Client) -> bytes:
    return b"".join(client.screen.split())


def _resident() -> int:
    with open("/proc/self/statm") as file:  # noqa: PTH123
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

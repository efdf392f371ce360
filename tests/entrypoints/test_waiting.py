"""`Prefer: wait`: an answer that comes when what was asked for is done, over real HTTP."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from brihaspati.engine.engine import Engine
from brihaspati.entrypoints.http.addresses import Addresses
from brihaspati.entrypoints.http.api import Api
from brihaspati.entrypoints.server import waiting
from brihaspati.entrypoints.server.web import Site
from guided import FAIL, guided_lab
from house import House

PATH = "/v1/classes/demo/labs/hello/sandbox"
LONG = {"Prefer": "wait=20"}


@dataclass
class Stage:
    """A house served over HTTP to one student; its work is done when the test says so."""

    house: House
    bell: waiting.Bell
    http: aiohttp.ClientSession

    later: list[Callable[[], None]]

    async def send(self, method: str, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        async with self.http.request(method, PATH, headers=headers) as answer:
            return answer.status, (await answer.json())["sandbox"]

    async def press(self, what: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Check or solve a step; the progress that is answered."""
        path = f"/v1/classes/demo/labs/hello/steps/serve/{what}"
        async with self.http.post(path, json=body, headers=headers) as answer:
            return answer.status, (await answer.json())["progress"]

    def run_scripts(self) -> None:
        """Let what was begun in the lab run to its end."""
        while self.later:
            self.later.pop(0)()

    async def work_when_somebody_waits(self, work: Callable[[], object] | None = None) -> None:
        async with asyncio.timeout(30):
            while not self.bell._waiting:  # noqa: ASYNC110 - a browser has no bell either
                await asyncio.sleep(0.005)
        # The engine works in other threads than the loop's.
        thread = threading.Thread(target=work or self.house.run)
        thread.start()
        await asyncio.get_running_loop().run_in_executor(None, thread.join)


@asynccontextmanager
async def opened() -> AsyncIterator[Stage]:
    house, bell = House(), waiting.Bell()
    later: list[Callable[[], None]] = []
    house.engine = Engine(
        replace(house.world, aside=later.append, changed=bell.rung, checking=bell.checking)
    )
    bell.serve(asyncio.get_running_loop())
    house.classroom(guided_lab())
    addresses = Addresses(frozenset({"http://127.0.0.1"}), "localhost")
    site = Site(Api(house.engine, addresses), Path("/nowhere"), addresses, bell, {})
    runner = web.ServerRunner(web.Server(site.answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    address = "http://{}:{}".format(*runner.addresses[0])
    jar = aiohttp.CookieJar(unsafe=True)
    try:
        async with aiohttp.ClientSession(address, cookie_jar=jar) as http:
            body = {"code": "MARIGOLD", "name": "Asha"}
            async with http.post("/v1/join", json=body) as answer:
                assert answer.status == 201
            yield Stage(house, bell, http, later)
    finally:
        await runner.cleanup()
        site.close()


def played(test: Callable[[Stage], Any]) -> None:
    async def run() -> None:
        async with opened() as stage:
            await test(stage)

    asyncio.run(run())


def test_play_that_waits_is_answered_ready_and_keeps_its_status() -> None:
    async def story(stage: Stage) -> None:
        asked = asyncio.ensure_future(stage.send("PUT", LONG))
        await stage.work_when_somebody_waits()
        status, sandbox = await asked
        assert (status, sandbox["phase"]) == (201, "ready")
        assert stage.bell._waiting == {}

    played(story)


def test_stop_that_waits_is_answered_gone() -> None:
    async def story(stage: Stage) -> None:
        await stage.send("PUT")
        stage.house.run()
        asked = asyncio.ensure_future(stage.send("DELETE", LONG))
        await stage.work_when_somebody_waits()
        status, sandbox = await asked
        assert (status, sandbox["phase"]) == (202, "gone")

    played(story)


def test_without_the_wish_and_with_nothing_under_way_nobody_waits() -> None:
    async def story(stage: Stage) -> None:
        status, sandbox = await stage.send("PUT")
        assert (status, sandbox["phase"]) == (201, "queued")
        stage.house.run()
        status, sandbox = await stage.send("GET", LONG)
        assert (status, sandbox["phase"]) == (200, "ready")

    played(story)


def test_waiting_ends_with_its_time_and_tells_how_things_are() -> None:
    async def story(stage: Stage) -> None:
        status, sandbox = await stage.send("PUT", {"Prefer": "respond-async, wait=1"})
        assert (status, sandbox["phase"]) == (201, "queued")
        assert stage.bell._waiting == {}

    played(story)


def test_what_settled_between_the_answer_and_the_wait_is_not_missed() -> None:
    async def story(stage: Stage) -> None:
        _, sandbox = await stage.send("PUT")
        stage.house.run()
        await asyncio.wait_for(stage.bell.waiting(sandbox["id"]), 30)

    played(story)


@pytest.mark.parametrize(
    ("what", "body", "state"), [("check", {}, "passed"), ("solve", None, "solved")]
)
def test_a_press_that_waits_is_answered_with_the_verdict(what: str, body: Any, state: str) -> None:
    async def story(stage: Stage) -> None:
        await stage.send("PUT")
        stage.house.run()
        asked = asyncio.ensure_future(stage.press(what, body, **LONG))
        await stage.work_when_somebody_waits(stage.run_scripts)
        status, progress = await asked
        assert (status, progress["busy"]) == (202, None)
        assert progress["steps"][1]["state"] == state
        assert stage.bell._waiting == {}

    played(story)


def test_a_look_at_the_sandbox_waits_while_a_check_runs_quietly_too() -> None:
    async def story(stage: Stage) -> None:
        await stage.send("PUT")
        stage.house.run()
        for body in ({}, {"quiet": True}):
            stage.house.agents.scripts = {"check port": FAIL}
            await stage.press("check", body)
            asked = asyncio.ensure_future(stage.send("GET", LONG))
            await stage.work_when_somebody_waits(stage.run_scripts)
            status, _ = await asked
            assert status == 200
        assert stage.bell._waiting == {}

    played(story)


def test_a_check_that_ended_between_the_answer_and_the_wait_is_not_missed() -> None:
    async def story(stage: Stage) -> None:
        _, sandbox = await stage.send("PUT")
        stage.house.run()
        await stage.press("check", {})
        over = waiting.run_in(sandbox["id"])
        missed = stage.bell.waiting(over)
        assert not missed.done()
        stage.run_scripts()
        await asyncio.wait_for(missed, 30)
        await asyncio.wait_for(stage.bell.waiting(over), 30)

    played(story)


def test_only_whole_seconds_within_reason_are_waited() -> None:
    texts = {
        "wait=5": 5,
        'wait="7"': 7,
        "respond-async, WAIT=3": 3,
        "wait = 2; x": 2,
        "wait=99999": 30,
        "wait=-1": 0,
        "wait=x": 0,
        "": 0,
    }
    for text, seconds in texts.items():
        assert waiting.seconds_wanted({"prefer": text}) == seconds, text
    assert waiting.seconds_wanted({}) == 0

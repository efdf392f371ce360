"""The pages in Debian's Chromium: largest paint and time to a terminal on slow 4G, Lighthouse.

Lighthouse runs where `make lighthouse` has installed it.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import uvloop
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from bench import figures, lively, people
from bench.figures import Figure
from brihaspati.entrypoints.cli.fresh import FreshServer

RUNS, RUNS_QUICK = 5, 2
LIGHTHOUSE = Path("web/measure/node_modules/lighthouse/cli/index.js")
SECONDS_MAX = 90
FLAGS = ("--no-sandbox", "--disable-gpu")
MISSING = "chromium is not installed"
# Lighthouse's own "slow 4G", and a processor four times slower than this one.
SLOW = {"offline": False, "latency": 150, "downloadThroughput": 204_800, "uploadThroughput": 96_000}
SLOWER_PROCESSOR = 4
PAINT_MS = {"join": 2000, "class": 2500, "lab": 2500, "board": 2500}
TERMINAL_MS = 3200
# A large class: everybody has joined, those of the lesson work.
CROWD = 100
CROWD_MS = 3000
UPDATE_MS = 3000
LOOK_BYTES = 50_000
HANDS_A_RUN = 2
# How far apart looks are, as the server has it.
LOOK_SECONDS = 2.5
CROWD_DRAWN = """
const look = () => document.querySelectorAll('.cards > li').length >= CROWD
  ? (window.crowdAt = performance.now()) : requestAnimationFrame(look)
look()
""".replace("CROWD", str(CROWD))
# So many cards say that a hand is up; and when, by this machine's clock, they are more than that.
HANDS = """() => [...document.querySelectorAll('.cards > li')]
  .filter((card) => card.textContent.includes('Hand raised')).length"""
ONE_MORE_HAND = """(before) => new Promise((told) => {
  const look = () => (HANDS)() > before ? told(Date.now()) : requestAnimationFrame(look)
  look()
})""".replace("HANDS", HANDS)
PERFORMANCE = {"join": 95, "class": 95, "lab": 88, "board": 88}
PAINT = """() => new Promise((told) => new PerformanceObserver((list) =>
  told(list.getEntries().at(-1).startTime)).observe(
  {type: 'largest-contentful-paint', buffered: true}))"""
# Written down when the first prompt is drawn, by the page's own clock.
PROMPT = """
const look = () => document.querySelector('.xterm-rows')?.textContent.includes('#')
  ? (window.promptAt = performance.now()) : requestAnimationFrame(look)
look()
"""


@dataclass(frozen=True, slots=True)
class Visitor:
    """A browser that is signed in, and the pages it may see."""

    context: BrowserContext
    pages: dict[str, str]

    async def cookie(self) -> str:
        """As a header."""
        cookies = await self.context.cookies()
        return "; ".join(f"{one.get('name')}={one.get('value')}" for one in cookies)


def find(quick: bool) -> Iterator[Figure]:  # noqa: FBT001 - a bench is called like this
    """Paints and the first prompt; then, in full runs, Lighthouse."""
    if shutil.which("chromium") is None:
        raise FileNotFoundError(MISSING)
    scored = not quick and LIGHTHOUSE.exists()
    yield from uvloop.run(_measured(RUNS_QUICK if quick else RUNS, scored=scored))


async def _measured(runs: int, *, scored: bool) -> list[Figure]:
    with people.server(pool=0, seats=CROWD + 30) as server:
        async with lively.lesson(server), _browser() as browser:
            found = []
            trainer = await _trainer(browser, server)
            for visitor in [await _student(browser, server), trainer]:
                for name, address in visitor.pages.items():
                    found += await _paints(visitor, name, address, runs)
                    if scored:
                        found += _scores(name, address, await visitor.cookie())
            async with people.students(server, CROWD - len(lively.CLASS)) as crowd:
                found += await _crowded(trainer, runs)
                found.append(await _heard(trainer, crowd, runs))
            return found


async def _crowded(trainer: Visitor, runs: int) -> list[Figure]:
    """The board of a large class: until everybody is drawn, and what each look at it weighs."""
    drawn, sizes = [], []
    for _ in range(runs):
        page = await trainer.context.new_page()
        await _slow_down(page)
        await page.add_init_script(CROWD_DRAWN)
        async with page.expect_response("**/board", timeout=30_000) as answer:
            await page.goto(trainer.pages["board"])
        sizes.append(float(len(await (await answer.value).body())))
        everybody = await page.wait_for_function("() => window.crowdAt", timeout=60_000)
        drawn.append(float(await everybody.json_value()))
        await page.close()
    how = f"slow 4G, processor 4x slower; {CROWD} joined, {len(lively.CLASS)} of them at work"
    told = _told(f"board of {CROWD}: everybody drawn, p50", drawn, CROWD_MS, how)
    weight = round(figures.middle(sizes))
    return [told, Figure("pages", f"board of {CROWD}: a look", weight, "bytes", LOOK_BYTES)]


async def _heard(trainer: Visitor, crowd: Sequence[people.Student], runs: int) -> Figure:
    """From a raised hand, whenever that is between two looks, until its card says so."""
    page = await trainer.context.new_page()
    await _slow_down(page)
    await page.add_init_script(CROWD_DRAWN)
    await page.goto(trainer.pages["board"])
    await page.wait_for_function("() => window.crowdAt", timeout=60_000)
    waits: list[float] = []
    hands = crowd[: HANDS_A_RUN * runs]
    for number, student in enumerate(hands):
        await asyncio.sleep(LOOK_SECONDS * number / len(hands))  # not always just after a look
        before = await page.evaluate(HANDS)
        seen = asyncio.ensure_future(page.evaluate(ONE_MORE_HAND, before))
        raised = time.time()
        await student.raise_hand()
        waits.append(await seen - raised * 1000)
    await page.close()
    how = f"slow 4G, processor 4x slower; the longest of {len(waits)}: {round(max(waits))} ms"
    return _told(f"board of {CROWD}: a raised hand is seen, p50", waits, UPDATE_MS, how)


@asynccontextmanager
async def _browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=list(FLAGS)
        )
        yield opened
        await opened.close()


async def _student(browser: Browser, server: FreshServer) -> Visitor:
    context = await browser.new_context(viewport={"width": 390, "height": 844})
    page = await context.new_page()
    join = f"{server.address}/join/{server.code}"
    await page.goto(join)
    await page.get_by_role("textbox", name="Your name").fill("Maya Iyengar")
    await page.get_by_role("button", name="Join class").click()
    await page.wait_for_url("**/c/demo")
    cards = page.get_by_role("list").get_by_role("listitem")
    card = cards.filter(has_text="Find your way in the shell")
    await card.get_by_role("button", name="Play").click()
    await expect(page.get_by_role("timer")).to_be_visible(timeout=20_000)
    await page.close()
    at = f"{server.address}/c/demo"
    return Visitor(context, {"join": join, "class": at, "lab": f"{at}/labs/hello"})


async def _trainer(browser: Browser, server: FreshServer) -> Visitor:
    context = await browser.new_context()
    page = await context.new_page()
    await page.goto(lively.sign_in_address(server))
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    await page.close()
    return Visitor(context, {"board": f"{server.address}/c/demo/board"})


async def _paints(visitor: Visitor, name: str, address: str, runs: int) -> list[Figure]:
    paints, prompts = [], []
    for _ in range(runs):
        page = await visitor.context.new_page()
        await _slow_down(page)
        await page.add_init_script(PROMPT)
        if name == "lab":  # beside the guide, as on an iPad
            await page.set_viewport_size({"width": 1180, "height": 820})
        await page.goto(address, wait_until="networkidle")
        if name == "lab":
            drawn = await page.wait_for_function("() => window.promptAt")
            prompts.append(float(await drawn.json_value()))
        paints.append(float(await page.evaluate(PAINT)))
        await page.close()
    how = "slow 4G, processor 4x slower, nothing kept"
    found = [_told(f"{name}: largest paint, p50", paints, PAINT_MS[name], how)]
    if prompts:
        found.append(_told(f"{name}: a prompt to type at, p50", prompts, TERMINAL_MS, how))
    return found


async def _slow_down(page: Page) -> None:
    tools = await page.context.new_cdp_session(page)
    await tools.send("Network.enable")
    await tools.send("Network.setCacheDisabled", {"cacheDisabled": True})
    await tools.send("Network.emulateNetworkConditions", SLOW)
    await tools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER_PROCESSOR})


def _told(figure: str, values: list[float], target: float, how: str) -> Figure:
    return Figure("pages", figure, round(figures.middle(values)), "ms", target, beside=how)


def _scores(name: str, address: str, cookie: str) -> Iterator[Figure]:
    """Lighthouse's, in its mobile preset."""
    command = ["node", str(LIGHTHOUSE), address, "--output=json", "--quiet"]
    command += ["--only-categories=performance,accessibility,best-practices"]
    command += [f"--chrome-flags=--headless=new {' '.join(FLAGS)}"]
    command += [f"--extra-headers={json.dumps({'Cookie': cookie})}"]
    given = {**os.environ, "CHROME_PATH": shutil.which("chromium") or ""}
    try:
        done = subprocess.run(
            command, env=given, capture_output=True, timeout=SECONDS_MAX, check=True
        )
    except (subprocess.SubprocessError, OSError) as error:
        sys.stderr.write(f"Lighthouse on {name}: {error}\n")
        return
    report = json.loads(done.stdout)
    for category, said in report["categories"].items():
        target = PERFORMANCE[name] if category == "performance" else 100
        failed = [
            one["id"]
            for one in said["auditRefs"]
            if one["weight"] and (report["audits"][one["id"]]["score"] or 0) < 1
        ]
        beside = "" if category == "performance" else ", ".join(failed)
        score = round((said["score"] or 0) * 100)
        yield Figure(
            "pages", f"{name}: {category}", score, "of 100", target, at_least=True, beside=beside
        )


if __name__ == "__main__":
    figures.main("pages", find)

"""Pictures of every page and its main states, from a real class: `make shots`.

They go to shots/, named state-size-theme.png. With `--album docs/images` those of the documents
are taken anew instead, small.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import shutil
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import uvloop
from playwright.async_api import Browser, Page, async_playwright, expect

from bench import lively, people
from brihaspati.entrypoints.cli.fresh import FreshServer

SIZES = {
    "ipad": (1180, 820),
    "portrait": (820, 1180),
    "laptop": (1440, 900),
    "phone": (390, 844),
}
THEMES = ("light", "dark")
FLAGS = ("--no-sandbox", "--disable-gpu", "--hide-scrollbars")
NAME = "Maya Iyengar"
# The pictures of README and docs: what is shown, in which size and theme.
ALBUM = {
    "join": ("join", "ipad", "light"),
    "class": ("class", "ipad", "light"),
    "lab": ("lab-check", "ipad", "light"),
    "lab-dark": ("lab-quiz", "ipad", "dark"),
    "editor": ("lab-editor", "laptop", "light"),
    "offline": ("lab-offline", "ipad", "light"),
    "board": ("board", "laptop", "light"),
    "watch": ("board-watch", "laptop", "light"),
    "steps": ("board-steps", "laptop", "dark"),
    "new-class": ("new-class", "ipad", "light"),
    "show": ("show", "laptop", "light"),
    "ended": ("lab-ended", "ipad", "dark"),
    "phone": ("lab", "phone", "light"),
}
ALBUM_WIDTH = {"ipad": 900, "laptop": 900, "phone": 390}
ALBUM_QUALITY = 80
MISSING = "chromium is not installed"


@dataclass
class Camera:
    """Takes each state in every size and theme."""

    folder: Path
    only: str
    album: bool = False
    count: int = 0

    def wants(self, *states: str) -> bool:
        """Whether any of these states is asked for."""
        return any(self.only in state for state in states)

    async def take(self, page: Page, state: str) -> None:
        """What is on the page now."""
        if not self.wants(state):
            return
        for size, (width, height) in SIZES.items():
            wanted = {theme: self._files(state, size, theme) for theme in THEMES}
            if not any(wanted.values()):
                continue
            await page.set_viewport_size({"width": width, "height": height})
            for theme, files in wanted.items():
                await page.evaluate("(t) => { document.documentElement.dataset.theme = t }", theme)
                for file in files:
                    await self._write(page, size, file)
                    self.count += 1
        await page.set_viewport_size({"width": 1180, "height": 820})

    def _files(self, state: str, size: str, theme: str) -> list[Path]:
        if not self.album:
            return [self.folder / f"{state}-{size}-{theme}.png"]
        shown = (state, size, theme)
        return [self.folder / f"{name}.webp" for name, one in ALBUM.items() if one == shown]

    async def _write(self, page: Page, size: str, file: Path) -> None:
        if not self.album:
            await page.screenshot(path=file, animations="disabled")
            return
        await page.screenshot(animations="disabled")  # waits for fonts, and for what moves
        width, height = SIZES[size]
        clip = {"x": 0, "y": 0, "width": width, "height": height}
        tools = await page.context.new_cdp_session(page)
        taken = await tools.send(
            "Page.captureScreenshot",
            {
                "format": "webp",
                "quality": ALBUM_QUALITY,
                "clip": {**clip, "scale": ALBUM_WIDTH[size] / width},
            },
        )
        await tools.detach()
        await asyncio.to_thread(file.write_bytes, base64.b64decode(taken["data"]))


@asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    """Debian's Chromium. Raises FileNotFoundError where there is none."""
    path = shutil.which("chromium")
    if path is None:
        raise FileNotFoundError(MISSING)
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield opened
        await opened.close()


async def strangers(camera: Camera, page: Page, server: FreshServer) -> None:
    """Before anybody is known."""
    await page.goto(f"{server.address}/join")
    await camera.take(page, "join-empty")
    await page.goto(f"{server.address}/join/{server.code}")
    await expect(page.get_by_text("Demo class")).to_be_visible()
    await page.get_by_role("textbox", name="Your name").fill(NAME)
    await camera.take(page, "join")
    for state, address in (("sign-in", "/sign-in"), ("lost", "/no/such/page")):
        await page.goto(server.address + address)
        await expect(page.get_by_role("heading", level=1)).to_be_visible()
        await camera.take(page, state)
    await page.goto(f"{server.address}/design")
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    await camera.take(page, "design")


async def student(camera: Camera, page: Page, server: FreshServer) -> None:
    """From joining to the end of a lab."""
    await page.goto(f"{server.address}/join/{server.code}")
    await page.get_by_role("textbox", name="Your name").fill(NAME)
    await page.get_by_role("button", name="Join class").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Maya")
    await camera.take(page, "class-new")
    cards = page.get_by_role("list").get_by_role("listitem")
    card = cards.filter(has_text="Find your way in the shell")
    await card.get_by_role("button", name="Play").click()
    await expect(page.get_by_role("textbox", name="Terminal input")).to_be_attached()
    run = page.get_by_role("group", name="Command").get_by_role("button", name="Run")
    for number in range(3):
        await run.nth(number).click()
    await expect(page.get_by_role("button", name="Run again").nth(2)).to_be_visible()
    await camera.take(page, "lab")
    await lab_states(camera, page)
    await page.get_by_role("link", name="Back to the class").click()
    await expect(page.get_by_role("button", name="Resume lab")).to_be_visible()
    await camera.take(page, "class")
    await page.get_by_role("button", name="Resume lab").click()
    await page.get_by_role("button", name="Lab menu").click()
    await camera.take(page, "lab-menu")
    await page.get_by_role("menuitem", name="Stop this lab").click()
    await camera.take(page, "lab-stop")
    await page.get_by_role("button", name="Stop and delete").click()
    await expect(page.get_by_role("heading", name="Lab ended")).to_be_visible()
    await camera.take(page, "lab-ended")


async def lab_states(camera: Camera, page: Page) -> None:
    """What a lab that runs can look like."""
    steps = page.get_by_role("navigation", name="Steps")
    await steps.get_by_role("button", name="Check").click()
    checks = page.get_by_role("region", name="Check your work")
    await expect(checks).to_contain_text("Not yet")
    await page.get_by_role("button", name="Show hint 1").click()
    await checks.scroll_into_view_if_needed()
    await camera.take(page, "lab-check")
    await page.get_by_role("radio", name="Mira alone").click()
    await page.get_by_role("button", name="Answer").click()
    answered = page.get_by_role("region", name="Guide").get_by_text("That is right.")
    await answered.scroll_into_view_if_needed()
    await camera.take(page, "lab-quiz")
    await page.get_by_role("tab", name="Editor").click()
    await page.get_by_role("treeitem", name=".bashrc").click()
    await expect(page.get_by_role("textbox", name=".bashrc")).to_be_visible()
    await camera.take(page, "lab-editor")
    await page.get_by_role("tab", name="main").click()
    await page.get_by_role("button", name="Help").click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    await camera.take(page, "lab-help")
    await page.keyboard.press("Escape")
    if camera.wants("lab-offline"):
        await page.context.set_offline(True)
        await expect(page.get_by_text("Lost the connection")).to_be_visible(timeout=40_000)
        await camera.take(page, "lab-offline")
        await page.context.set_offline(False)
    await page.set_viewport_size({"width": 390, "height": 844})
    panes = page.get_by_role("navigation", name="Panes")
    await panes.get_by_role("button", name="main").click()
    await camera.take(page, "lab-terminal")
    await page.set_viewport_size({"width": 1180, "height": 820})


async def trainer(camera: Camera, page: Page, server: FreshServer) -> None:
    """The board, what opens from it, and the pages around it."""
    await page.goto(lively.sign_in_address(server))
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    await camera.take(page, "home")
    await page.goto(f"{server.address}/c/demo/board")
    await expect(page.get_by_role("region", name="Needs you")).to_contain_text("Diego")
    await camera.take(page, "board")
    await page.get_by_role("button", name="Steps", exact=True).click()
    await camera.take(page, "board-steps")
    await page.get_by_role("button", name="Cards", exact=True).click()
    for name in ("Asha Raghunathan", "Grace Nakamura"):
        await page.get_by_role("checkbox", name=f"Select {name}").click()
    await camera.take(page, "board-select")
    await page.get_by_role("button", name="Clear the selection").click()
    queue = page.get_by_role("region", name="Needs you")
    await queue.get_by_role("button", name="Benedikt").click()
    await expect(page.get_by_role("dialog")).to_contain_text("View only")
    await camera.take(page, "board-watch")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Broadcast").click()
    await page.get_by_role("textbox", name="Message").fill("We compare notes at 11:15.")
    await camera.take(page, "board-say")
    await page.keyboard.press("Escape")
    for state, address in (
        ("show", "/c/demo/show"),
        ("setup", "/c/demo/setup"),
        ("new-class", "/classes/new"),
    ):
        await page.goto(server.address + address)
        await expect(page.get_by_role("heading", level=1)).to_be_visible()
        await camera.take(page, state)


Scene = Callable[[Camera, Page, FreshServer], Awaitable[None]]
SCENES: tuple[Scene, ...] = (strangers, student, trainer)


async def take_all(camera: Camera) -> list[str]:
    """Every scene; the words of those that went wrong."""
    faults = []
    with people.server(pool=0, seats=30) as server:
        async with lively.lesson(server), browser() as chromium:
            for scene in SCENES:
                context = await chromium.new_context(viewport={"width": 1180, "height": 820})
                context.set_default_timeout(15_000)
                try:
                    await scene(camera, await context.new_page(), server)
                except Exception as error:  # noqa: BLE001 - the other scenes are worth having
                    faults.append(f"{scene.__name__}: {str(error).splitlines()[0]}")
                await context.close()
    return faults


def main() -> int:
    """Take them; 1 when a scene could not be played to its end."""
    parser = argparse.ArgumentParser(prog="python -m bench.shots", description=__doc__)
    parser.add_argument("--only", default="", help="states with this in their name")
    parser.add_argument("--folder", type=Path, default=Path("shots"))
    parser.add_argument("--album", type=Path, help="take those of the documents, into this folder")
    arguments = parser.parse_args()
    folder = arguments.album or arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    camera = Camera(folder, arguments.only, album=arguments.album is not None)
    began = time.monotonic()
    faults = uvloop.run(take_all(camera))
    seconds = time.monotonic() - began
    sys.stdout.write(f"{camera.count} pictures in {folder} ({seconds:.0f} s)\n")
    for fault in faults:
        sys.stderr.write(f"{fault}\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

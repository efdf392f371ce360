"""Safari's engine, as near as Debian has it: join, play, a prompt, and again after a reload.

A preview in a frame needs labs on a domain of the portal's own here, as on an iPad: WebKit takes
`localhost` and its names for different sites.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import webkit
from brihaspati.entrypoints.cli.fresh import FreshServer

WHY = webkit.missing()
pytestmark = pytest.mark.skipif(WHY is not None, reason=WHY or "")

TEXT = "return document.querySelector('.xterm-rows')?.innerText.includes(arguments[0])"
PLAY = """
const card = [...document.querySelectorAll('li')].find((one) =>
  one.innerText.includes(arguments[0]))
const button = [...(card?.querySelectorAll('button') ?? [])].find((one) =>
  one.innerText.includes('Play'))
button?.click()
return Boolean(button)
"""


@pytest.fixture(scope="module")
def safari() -> Iterator[webkit.WebKit]:
    with webkit.webkit() as browser:
        yield browser


def say(safari: webkit.WebKit, line: str) -> None:
    """Type into the terminal that is shown."""
    safari.type("textarea[aria-label='Terminal input']", f"{line}\n")


def test_a_student_joins_plays_and_gets_a_prompt(
    server: FreshServer, safari: webkit.WebKit
) -> None:
    safari.go(f"{server.address}/join/{server.code}")
    safari.type("input[autocomplete='name']", "Safari Student")
    safari.click("button[type='submit']")
    safari.until("return location.pathname === '/c/demo'")
    safari.until(PLAY, "Speak HTTP")
    safari.until(TEXT, "#")
    say(safari, "echo $((6*7))-from-webkit")
    safari.until(TEXT, "42-from-webkit")


def test_the_terminal_is_there_again_after_a_reload(safari: webkit.WebKit) -> None:
    say(safari, "kept=yes")
    safari.run("location.reload()")
    safari.until(TEXT, "42-from-webkit")
    say(safari, "echo still-$kept")
    safari.until(TEXT, "still-yes")

"""What the browser's tests share: how Chromium is started, and what no page may do unseen."""

from __future__ import annotations

from playwright.sync_api import Page

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


class Faults(list[str]):
    """What went wrong on a page that no test looked at: errors, policy violations."""

    def watch(self, page: Page) -> None:
        """Collect from this page from now on."""
        page.on("pageerror", lambda error: self.append(str(error)))
        page.on("console", lambda said: self.append(said.text) if said.type == "error" else None)

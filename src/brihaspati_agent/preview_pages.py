"""The few small pages that a preview shows when there is nothing of the lab's to show."""

from __future__ import annotations

import html

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">{head}
<style>
:root {{ color-scheme: light dark; }}
body {{ margin: 0; min-height: 100vh; display: grid; place-items: center; text-align: center;
  font: 16px/1.5 system-ui, sans-serif; color: #2b2438; background: #fbf7f0; }}
main {{ max-width: 32rem; padding: 2rem; }}
h1 {{ font-size: 1.25rem; margin: 0 0 .5rem; }}
p {{ margin: .25rem 0; }}
code {{ font: .95em ui-monospace, monospace; }}
@media (prefers-color-scheme: dark) {{ body {{ color: #efe9f7; background: #191523; }} }}
</style></head><body><main><h1>{title}</h1>{body}</main></body></html>
"""
_RETRY = '<meta http-equiv="refresh" content="2">'


def not_listening(port: int) -> str:
    """Nothing answers on the port yet; the page asks again by itself."""
    return _PAGE.format(
        title=f"Nothing is listening on port {port} yet",
        head=_RETRY,
        body=f"<p>Start your program in the terminal, on port <code>{port}</code>.</p>"
        "<p>This page looks again every two seconds.</p>",
    )


def not_open() -> str:
    """The browser has no cookie for this preview."""
    return _PAGE.format(
        title="Open this preview from the lab page",
        head="",
        body="<p>A preview opens with a button beside your lab. "
        "Its address alone does not open it, so that your work stays yours.</p>",
    )


def refused(why: str) -> str:
    """The preview's ticket was not good."""
    return _PAGE.format(
        title="This preview could not be opened",
        head="",
        body=f"<p>{html.escape(why)}.</p><p>Open it again from the lab page.</p>",
    )


def gone() -> str:
    """The lab, or this machine of it, is no more."""
    return _PAGE.format(
        title="This lab has ended",
        head="",
        body="<p>Its machine is gone, and what ran on it.</p>",
    )

"""The few small pages that a preview shows when there is nothing of the lab's to show."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Literal

_PAGE = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">{head}
<style>
:root {{ color-scheme: light dark; }}
body {{ margin: 0; min-height: 100vh; display: grid; place-items: center; text-align: center;
  font: 16px/1.55 Figtree, system-ui, sans-serif; color: #4f505e; background: #fbf9f4; }}
main {{ max-width: 32rem; padding: 2rem; }}
svg {{ width: 88px; height: 88px; }}
h1 {{ font-size: 1.35rem; line-height: 1.25; letter-spacing: -.018em; margin: 1rem 0 .5rem;
  color: #1d1c2b; text-wrap: balance; }}
p {{ margin: .35rem 0; }}
code {{ font: .95em ui-monospace, monospace; padding: .1em .4em; border-radius: 6px;
  background: #f0ebe3; color: #1d1c2b; }}
.moon {{ transform-origin: 44px 44px; animation: round 6s linear infinite; }}
@keyframes round {{ to {{ transform: rotate(360deg); }} }}
@media (prefers-reduced-motion: reduce) {{ .moon {{ animation: none; }} }}
@media (prefers-color-scheme: dark) {{ body {{ color: #bdbcc8; background: #10101a; }}
  h1 {{ color: #f5f2ed; }} code {{ color: #f5f2ed; background: #2b2a3a; }} }}
</style></head><body><main>
<svg viewBox="0 0 88 88" aria-hidden="true"><defs><clipPath id="disc"><circle cx="44" cy="44"
r="24"/></clipPath></defs><g clip-path="url(#disc)"><path fill="#ffc554" d="M0 0h88v88H0z"/>
<path fill="#f0912a" d="M0 34h88v7H0z"/><path fill="#ffe0a3" d="M0 45h88v4H0z"/>
<path fill="#d9741b" d="M0 54h88v6H0z"/></g><g class="moon"><circle cx="44" cy="8" r="5"
fill="#8b86a0"/></g></svg>
<h1>{title}</h1>{body}</main></body></html>
"""
# Only while somebody looks: nothing is drawn for a browser's tab in the background, nor for a frame
# whose tab in the lab is covered by another, and this waits for the next. The page has no policy
# that would forbid the script; where there are no scripts the browser asks by itself.
_RETRY = """<script>
setTimeout(() => requestAnimationFrame(() => location.reload()), 2000)
</script><noscript><meta http-equiv="refresh" content="2"></noscript>"""


Kind = Literal["not_listening", "not_open", "no_cookies", "refused", "gone"]
# Title and text of each page. The languages are those of the portal, whose own choice a preview
# does not know: it is another site, so what the browser asks for decides.
_WORDS: Mapping[str, Mapping[Kind, tuple[str, str]]] = {
    "en": {
        "not_listening": (
            "Nothing is listening on port {port} yet",
            (
                "<p>Start your program in the terminal, on port <code>{port}</code>.</p>"
                "<p>This page looks again every two seconds.</p>"
            ),
        ),
        "not_open": (
            "Open this preview from the lab page",
            (
                "<p>A preview opens with a button beside your lab. "
                "Its address alone does not open it, so that your work stays yours.</p>"
            ),
        ),
        "no_cookies": (
            "Open this preview in a tab of its own",
            (
                "<p>Some browsers keep no cookies for a page of another site in a frame. "
                "The button <b>Open in a new tab</b> above shows your work there.</p>"
            ),
        ),
        "refused": (
            "This preview could not be opened",
            "<p>{why}.</p><p>Open it again from the lab page.</p>",
        ),
        "gone": ("This lab has ended", "<p>Its machine is gone, and what ran on it.</p>"),
    },
    "de": {
        "not_listening": (
            "Auf Port {port} antwortet noch nichts",
            (
                "<p>Starte dein Programm im Terminal, auf Port <code>{port}</code>.</p>"
                "<p>Diese Seite sieht alle zwei Sekunden nach.</p>"
            ),
        ),
        "not_open": (
            "Öffne diese Vorschau aus dem Lab",
            (
                "<p>Eine Vorschau öffnet sich mit einem Knopf neben deinem Lab. "
                "Ihre Adresse allein öffnet sie nicht, damit deine Arbeit deine bleibt.</p>"
            ),
        ),
        "no_cookies": (
            "Öffne diese Vorschau in einem eigenen Tab",
            (
                "<p>Manche Browser behalten keine Cookies für eine fremde Seite in einem Rahmen. "
                "Der Knopf <b>In neuem Tab öffnen</b> darüber zeigt deine Arbeit dort.</p>"
            ),
        ),
        "refused": (
            "Diese Vorschau ließ sich nicht öffnen",
            "<p>Öffne sie noch einmal aus dem Lab.</p>",
        ),
        "gone": (
            "Dieses Lab ist beendet",
            "<p>Seine Maschine ist gelöscht, und was auf ihr lief.</p>",
        ),
    },
}


def page(kind: Kind, accepted: str, **said: object) -> str:
    """One of the pages, as HTML. `accepted` is the browser's Accept-Language.

    `said`: the `port` where nothing listens (it is asked again by the page itself), `why` a
    preview was refused.
    """
    language = _language(accepted)
    shown = {name: html.escape(str(value)) for name, value in said.items()}
    title, body = (text.format(**shown) for text in _WORDS[language][kind])
    head = _RETRY if kind == "not_listening" else ""
    return _PAGE.format(language=language, title=title, head=head, body=body)


def _language(accepted: str) -> str:
    """The first that is spoken here; browsers name what they like best first."""
    for wish in accepted.split(","):
        language = wish.strip().lower().partition(";")[0].partition("-")[0]
        if language in _WORDS:
            return language
    return "en"

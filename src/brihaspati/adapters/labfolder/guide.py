"""Markdown of a step, a hint or a question as HTML a page may show as it is.

Nothing an author writes can become a script: HTML in the Markdown is shown as text, and what the
renderer made passes nh3 with a list of allowed tags, attributes and classes on top. The markup is
a contract with the web app, documented in docs/reference/lab-yaml.md.
"""

from __future__ import annotations

import functools
import html
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import nh3
import pygments
import pygments.formatters
import pygments.lexers
import pygments.token
import pygments.util
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from brihaspati.adapters.labfolder import actions, infostring
from brihaspati.adapters.labfolder.problems import Report

CALLOUTS = ("note", "tip", "important", "warning", "caution")
TOKEN_PREFIX = "tok-"  # noqa: S105 - a class name of the highlighter
_MARKER = re.compile(r"\[!([A-Za-z]+)\][ \t]*(.*)")
_WEB = ("https://", "http://", "mailto:")


@dataclass(slots=True)
class Page:
    """One text while it is rendered, and what its Markdown may name.

    `first_line` is where the text begins in its file. A `titled` one may start with a heading.
    """

    file: str
    report: Report
    terminals: Sequence[str]
    steps: Mapping[str, str]  # file name of a step -> its id
    image: Callable[[str, int], str | None]
    reach: actions.Reach = actions.NOTHING
    first_line: int = 1
    titled: bool = True
    title: str | None = None
    title_line: int = 0

    def fault(self, line: int, message: str, fix: str) -> None:
        """Note a problem on a line of this text."""
        self.report.add(self.file, self.first_line + line - 1, message, fix)


def render(text: str, page: Page) -> str:
    """The step as sanitised HTML. The `# heading` it starts with becomes `page.title` instead."""
    return clean(_markdown().render(text, {"page": page}))


def render_line(text: str, page: Page) -> str:
    """One paragraph as sanitised HTML that may stand in a label: nothing in it can be pressed."""
    tokens = _markdown().parseInline(text, {"page": page})
    inside = [child for token in tokens for child in token.children or []]
    if any(child.type in {"link_open", "image"} for child in inside):
        message = "A link or a picture in an answer would be pressed instead of it."
        page.fault(1, message, "Put it into the question.")
    return clean(_markdown().renderer.render(tokens, _markdown().options, {"page": page}))


def clean(rendered: str) -> str:
    """HTML with nothing in it but the tags, attributes, classes and addresses of a step."""
    return nh3.clean(
        rendered,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        allowed_classes=_classes(),
        attribute_filter=_filtered,
        url_schemes={"http", "https", "mailto", "data"},
        link_rel=None,
    )


# --- What may remain ----------------------------------------------------------------------------
_TAGS = {
    "h2", "h3", "h4", "h5", "h6", "p", "ul", "ol", "li", "em", "strong", "s", "a", "img", "br",
    "hr", "blockquote", "pre", "code", "span", "div", "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
_ATTRIBUTES: dict[str, set[str]] = {
    "a": {
        "href", "title", "target", "rel", "data-step", "data-port", "data-file", "data-line",
        "data-machine",
    },
    "img": {"src", "alt", "title"},
    "ol": {"start"},
    "pre": {
        "data-run", "data-type", "data-copy", "data-terminal", "data-interrupt", "data-clear",
        "data-language", "tabindex",
    },
    "div": {"data-callout", "role"},
}  # fmt: skip


@functools.cache
def _classes() -> dict[str, set[str]]:
    tokens = {f"{TOKEN_PREFIX}{name}" for name in pygments.token.STANDARD_TYPES.values() if name}
    aligned = {"align-left", "align-center", "align-right"}
    return {
        "a": {"action"},
        "pre": {"code", "command"},
        "span": tokens,
        "div": {"callout"},
        "p": {"callout-title"},
        "th": aligned,
        "td": aligned,
    }


def _filtered(tag: str, attribute: str, value: str) -> str | None:
    if (tag, attribute) == ("a", "href"):
        return value if value.lower().startswith((*_WEB, "#")) else None
    if (tag, attribute) == ("img", "src"):
        return value if re.match(r"data:image/(png|jpeg|gif|webp);base64,", value) else None
    if attribute in {"data-port", "data-line"}:
        return value if re.fullmatch(r"[1-9][0-9]{0,6}", value) else None
    return value


# --- Markdown -----------------------------------------------------------------------------------
class _Markdown(MarkdownIt):
    """As MarkdownIt, but a `file:` link is one: it is either an action or reported."""

    def validateLink(self, url: str) -> bool:  # noqa: N802 - the library's name
        """Whether a link may be one at all; what it may lead to is judged later."""
        return url.lower().startswith("file:") or super().validateLink(url)


@functools.cache
def _markdown() -> MarkdownIt:
    made = _Markdown("commonmark", {"html": False}).enable(["table", "strikethrough"])
    made.core.ruler.after("block", "lab_headings", _headings)
    made.core.ruler.after("lab_headings", "lab_callouts", _callouts)
    made.core.ruler.push("lab_references", _references)
    made.add_render_rule("fence", _fence)
    return made


def _line(token: Token) -> int:
    return (token.map[0] if token.map else 0) + 1


def _plain(inline: str) -> str:
    """The words of a heading without their Markdown: titles are shown as text."""
    children = MarkdownIt("commonmark", {"html": False}).parseInline(inline)[0].children or []
    return " ".join("".join(child.content or " " for child in children if child.type in {
        "text", "code_inline", "softbreak"}).split())  # fmt: skip


def _headings(state: StateCore) -> None:
    page: Page = state.env["page"]
    tokens = state.tokens
    if page.titled and tokens and tokens[0].tag == "h1":
        page.title, page.title_line = _plain(tokens[1].content), _line(tokens[0])
        del tokens[:3]
    for token in tokens:
        if token.type not in {"heading_open", "heading_close"}:
            continue
        if token.tag == "h1" and token.nesting == 1:
            page.fault(
                _line(token),
                "A `# heading` may only be the first thing in a step: it is the title.",
                "Use `## heading` for parts of a text.",
            )
        # The page shows the lab's title as h1 and the step's as h2.
        token.tag = f"h{min(6, int(token.tag[1]) + 1)}"


def _callouts(state: StateCore) -> None:
    out: list[Token] = []
    tokens, at = state.tokens, 0
    while at < len(tokens):
        marker = _marker_at(tokens, at)
        if marker is None:
            out.append(tokens[at])
            at += 1
            continue
        kind, title, rest = marker
        opening, paragraph, inline = tokens[at : at + 3]
        if kind in CALLOUTS:
            opening.tag = _closing(tokens, at).tag = "div"
            opening.attrs = {"class": "callout", "role": "note", "data-callout": kind}
        else:
            state.env["page"].fault(
                _line(opening),
                f"[!{kind}] is not a kind of callout.",
                f"Use one of {', '.join(f'[!{name}]' for name in CALLOUTS)}.",
            )
        out.append(opening)
        if title:
            out += _titled(paragraph, inline, title)
        if rest:
            inline.content = rest
            out += [paragraph, inline, tokens[at + 3]]
        at += 4
    state.tokens[:] = out


def _marker_at(tokens: Sequence[Token], at: int) -> tuple[str, str, str] | None:
    if [token.type for token in tokens[at : at + 3]] != [
        "blockquote_open",
        "paragraph_open",
        "inline",
    ]:
        return None
    first, _, rest = tokens[at + 2].content.partition("\n")
    found = _MARKER.fullmatch(first)
    return (found[1].lower(), found[2].strip(), rest) if found else None


def _closing(tokens: Sequence[Token], at: int) -> Token:
    level = tokens[at].level
    return next(
        token for token in tokens[at:] if token.type == "blockquote_close" and token.level == level
    )


def _titled(paragraph: Token, inline: Token, title: str) -> list[Token]:
    opened = Token("paragraph_open", "p", 1, level=paragraph.level, map=paragraph.map, block=True)
    opened.attrs = {"class": "callout-title"}
    words = Token("inline", "", 0, level=inline.level, map=inline.map, content=title, children=[])
    words.block = True
    closed = Token("paragraph_close", "p", -1, level=paragraph.level, block=True)
    return [opened, words, closed]


# --- Links, pictures, columns -------------------------------------------------------------------
def _references(state: StateCore) -> None:
    page: Page = state.env["page"]
    for token in state.tokens:
        if token.type in {"th_open", "td_open"}:
            # A style attribute would need an exception in the page's content security policy.
            style = str(token.attrs.pop("style", ""))
            if style:
                token.attrs["class"] = f"align-{style.partition(':')[2]}"
        if token.type != "inline" or not token.children:
            continue
        line = _line(token)
        for child in token.children:
            if child.type in {"softbreak", "hardbreak"}:
                line += 1
            elif child.type == "text":
                _no_html(child.content, line, page)
            elif child.type == "link_open":
                _link(child, line, page)
            elif child.type == "image":
                _image(child, line, page)


def _no_html(text: str, line: int, page: Page) -> None:
    for tag in re.findall(r"</?[a-zA-Z][^<>]*>|<!--", text):
        page.fault(
            line,
            f"HTML has no effect here: {tag} would be shown as text.",
            "Use Markdown, or put it in `backticks` to show it.",
        )


def _link(token: Token, line: int, page: Page) -> None:
    href = str(token.attrs.get("href", ""))
    if href.lower().startswith(_WEB):
        token.attrs |= {"target": "_blank", "rel": "noopener noreferrer"}
    elif href in page.steps:
        token.attrs |= {"href": f"#{page.steps[href]}", "data-step": page.steps[href]}
    elif href.startswith(actions.PREFIXES):
        try:
            given = {name: value for name, value in token.attrs.items() if name != "href"}
            token.attrs = {**actions.attributes(href, page.reach), **given}
        except actions.NoAction as problem:
            page.fault(line, problem.message, problem.fix)
    else:
        page.fault(
            line,
            f"The link to {href or 'nothing'} leads nowhere.",
            "Use a full https:// address, the file name of another step, port: or file:.",
        )


def _image(token: Token, line: int, page: Page) -> None:
    source = str(token.attrs.get("src", ""))
    if not token.content.strip():
        page.fault(line, "The picture has no description.", "Write one: ![what it shows](file).")
    if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:|/", source):
        page.fault(
            line,
            "The picture is not in the lab folder.",
            "Put it there and name it by its path, such as pictures/plan.png.",
        )
        return
    found = page.image(source, page.first_line + line - 1)
    if found:
        token.attrs["src"] = found


# --- Code ---------------------------------------------------------------------------------------
def _fence(
    _self: Any, tokens: Sequence[Token], at: int, _options: Any, env: Mapping[str, Any]
) -> str:
    token, page = tokens[at], env["page"]
    block = infostring.parse(token.info, page.terminals)
    for message, fix in block.faults:
        page.fault(_line(token), message, fix)
    code = token.content
    if block.verb is None:
        shown = _highlighted(code, block.language, page, _line(token))
        language = f' data-language="{html.escape(block.language)}"' if block.language else ""
        return f'<pre class="code"{language} tabindex="0"><code>{shown}</code></pre>\n'
    code = code.strip("\n")
    if not code.strip():
        page.fault(_line(token), "The command block is empty.", "Write the command into it.")
    if block.typed and re.match(r"\s*[$#>] ", code):
        page.fault(
            _line(token) + 1,
            "The command starts with a prompt, which would be run with it.",
            "Write the command alone.",
        )
    if block.verb == "type" and "\n" in code:
        message = "A `type` block has one line: a line end is the Enter key."
        page.fault(_line(token) + 2, message, "Use `run`, or make several blocks.")
    extra = f' data-terminal="{html.escape(block.terminal)}"' if block.typed else ""
    extra += "".join(f" data-{word}" for word in block.before if block.typed)
    return (
        f'<pre class="command" data-{block.verb}{extra}'
        f' data-language="{html.escape(block.language)}"><code>{html.escape(code)}</code></pre>\n'
    )


def _highlighted(code: str, language: str, page: Page, line: int) -> str:
    if not language:
        return html.escape(code)
    try:
        lexer = pygments.lexers.get_lexer_by_name(language, stripnl=False)
    except pygments.util.ClassNotFound:
        page.fault(
            line,
            f"{language} is not a language the highlighter knows.",
            "Use a name such as sh, python, json, html, sql, console; or text.",
        )
        return html.escape(code)
    formatter = pygments.formatters.HtmlFormatter(nowrap=True, classprefix=TOKEN_PREFIX)
    return str(pygments.highlight(code, lexer, formatter))


def step_links(files: Collection[tuple[str, str]]) -> dict[str, str]:
    """What a link to another step may say: (path, id) pairs as bare file name -> id."""
    return {path.rpartition("/")[2]: step for path, step in files}

"""What the server says to people is said in every language of the web app."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tidy import tracked

SOURCES = tracked.ROOT / "src/brihaspati"
# Said to machines, programs and operators only, or with words of its own in the web app.
OTHERS = {
    "domain/abuse.py",
    "domain/preflight.py",
    "engine/alarms.py",
    "engine/demo.py",
    "entrypoints/http/authorisation.py",
    "entrypoints/http/document.py",
    "entrypoints/http/machines.py",
}
TO_PROGRAMS = re.compile(
    r"JSON|/json|openapi\.json|is not offered there|There is no \{\} \{\}\."
    r"|[Pp]ort to open|needs a port"
    r"|such machine|another machine|own key|[Tt]oken|told us of it|Ask again|not wanted|It failed"
)
SENTENCE = re.compile(r"[A-Z{][^\n]* [^\n]*\.|Line \{\}: \{\}|\{\} has no price for [^\n]*")
LOGGED = ("debug", "info", "warning", "error", "exception")
SAID = re.compile(r"""^    (?:'((?:[^'\\]|\\.)+)'|"([^"]+)"): ?""", re.MULTILINE)


def _text(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) or "{}" for part in node.values)
    return None


def _silent(tree: ast.Module) -> Iterator[ast.AST]:
    """Docstrings, what is logged, and the parts of what is put together."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield from node.values
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") in LOGGED:
            yield from ast.walk(node)


def sentences(source: str) -> set[str]:
    """Sentences in code, with {} for what is filled in."""
    tree = ast.parse(source)
    silent = {id(node) for node in _silent(tree)}
    texts = {_text(node) for node in ast.walk(tree) if id(node) not in silent}
    return {text for text in texts if text and SENTENCE.fullmatch(text)}


def _said_by(folder: str) -> Iterator[tuple[str, str]]:
    for path in sorted((SOURCES / folder).glob("*.py")):
        name = f"{folder}/{path.name}"
        if name not in OTHERS:
            yield from ((name, text) for text in sentences(path.read_text()))


def _translated(language: Path) -> set[str]:
    found = SAID.findall(language.read_text())
    return {single.replace("\\'", "'") or double for single, double in found}


def test_sentences_are_found_where_they_are_said() -> None:
    source = '''
def f(x):
    """Not this one."""
    log.info("Nor this one.")
    raise Problem("kind", f"There are {x} of {x!r} here.", "Take "
        "one.")
'''
    assert sentences(source) == {"There are {} of {} here.", "Take one."}


def test_each_sentence_of_the_server_is_translated_and_no_other() -> None:
    rooms = ("domain", "engine", "entrypoints/http")
    said = {text: name for room in rooms for name, text in _said_by(room)}
    people = {text for text in said if not TO_PROGRAMS.search(text)}
    assert len(people) > 100
    languages = list((tracked.ROOT / "web/src/i18n").glob("*/server.ts"))
    assert languages
    for language in languages:
        known = _translated(language)
        missing = sorted(f"{said[text]}: {text}" for text in people - known)
        idle = sorted(known - set(said))
        assert (missing, idle) == ([], []), language

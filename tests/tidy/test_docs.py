"""Documents hold what they promise: links lead somewhere, commands exist, nothing is hidden."""

from __future__ import annotations

import importlib
import json
import pathlib
import pkgutil
import re
from collections.abc import Iterator

import click
import pytest

from tidy import tracked

ROOT = tracked.ROOT
LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)|\bsrc=\"([^\"]+)\"")
HEADING = re.compile(r"^#+\s+(.*?)\s*#*$", re.MULTILINE)
# "brihaspati play", after a prompt or a path, or as a word of a sentence in code.
COMMAND = re.compile(r"(?:^|[$(/]|&& |\| )\s*brihaspati((?: [a-z][a-z-]*)+)", re.MULTILINE)
FENCED = re.compile(r"^(```|~~~)[^\n]*\n(.*?)^\1", re.MULTILINE | re.DOTALL)


def _pages() -> list[str]:
    return [name for name in tracked.files() if name.endswith(".md")]


def _prose(name: str) -> str:
    """A page without its fenced code, where a link is only text."""
    return FENCED.sub("", tracked.text(name))


def _code(name: str) -> str:
    """What a page shows as code, without the remarks in it."""
    blocks = [block for _, block in FENCED.findall(tracked.text(name))]
    spans = re.findall(r"`([^`\n]+)`", _prose(name))
    return re.sub(r"\s#.*$", "", "\n".join([*blocks, *spans]), flags=re.MULTILINE)


def _links(name: str) -> list[str]:
    return [a or b for a, b in LINK.findall(_prose(name))]


def _anchor(heading: str) -> str:
    plain = re.sub(r"[`*_]|\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def _target(page: str, link: str) -> tuple[pathlib.Path, str]:
    path, _, anchor = link.partition("#")
    return ((ROOT / page).parent / path).resolve() if path else ROOT / page, anchor


def _fault(page: str, link: str) -> str | None:
    """What is wrong with a link inside the repository."""
    target, anchor = _target(page, link)
    if not target.is_relative_to(ROOT):
        return "leaves the repository"
    if not target.exists():
        return "leads nowhere"
    if anchor and target.suffix == ".md":
        headings = HEADING.findall(_prose(str(target.relative_to(ROOT))))
        if anchor not in {_anchor(heading) for heading in headings}:
            return "leads to no heading"
    return None


def test_links_lead_to_a_file_or_heading_of_the_repository() -> None:
    faults = [
        f"{page}: {link} {fault}"
        for page in _pages()
        for link in _links(page)
        if not re.match(r"(https?|mailto):", link)
        # In a lab these open something there; its reader judges them.
        and not (page.startswith("labs/") and re.match(r"(port|file):", link))
        and (fault := _fault(page, link))
    ]
    assert not faults, "\n".join(faults)


def test_every_page_of_the_documentation_is_listed_in_its_index() -> None:
    listed = {_target("docs/README.md", link)[0] for link in _links("docs/README.md")}
    pages = {ROOT / name for name in _pages() if name.startswith("docs/")}
    missing = pages - listed - {ROOT / "docs/README.md"}
    assert not missing, sorted(str(page.relative_to(ROOT)) for page in missing)


def test_every_image_is_shown_somewhere() -> None:
    shown = {_target(page, link)[0] for page in _pages() for link in _links(page)}
    images = {ROOT / name for name in tracked.files() if name.startswith("docs/images/")}
    assert images <= shown, sorted(str(image) for image in images - shown)


def test_changelog_has_a_place_for_what_is_unreleased() -> None:
    assert "\n## [Unreleased]\n" in tracked.text("CHANGELOG.md")


def test_commands_of_make_in_documents_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", tracked.text("Makefile"), re.MULTILINE))
    for page in _pages():
        for target in re.findall(r"^make ([a-z-]+)", _code(page), re.MULTILINE):
            assert target in targets, f"{page}: make {target}"


def _cli() -> click.Group:
    """The command line: the largest group of commands under entrypoints/cli."""
    package = pytest.importorskip("brihaspati.entrypoints.cli")
    if package.__file__ is None:
        pytest.skip("the command line is not written yet")
    names = [found.name for found in pkgutil.iter_modules(package.__path__)]
    modules = [importlib.import_module(f"{package.__name__}.{name}") for name in names]
    values = [value for module in (package, *modules) for value in vars(module).values()]
    groups = [value for value in values if isinstance(value, click.Group)]
    return max(groups, key=lambda group: len(group.commands))


def test_commands_of_brihaspati_in_documents_exist() -> None:
    root = _cli()
    for page in _pages():
        for words in COMMAND.findall(_code(page)):
            assert (missing := _unknown(root, words.split())) is None, f"{page}: {missing}"


def _unknown(root: click.Command, words: list[str]) -> str | None:
    """The first word that is no command of the group it is given to; arguments end the walk."""
    command = root
    for word in words:
        if not isinstance(command, click.Group):
            return None
        if word not in command.commands:
            return word
        command = command.commands[word]
    return None


def _commands(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    yield path, group
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


def test_every_command_and_option_of_brihaspati_is_documented() -> None:
    reference = tracked.text("docs/reference/cli.md")
    for path, command in _commands(_cli(), "brihaspati"):
        assert f"`{path}" in reference or isinstance(command, click.Group), path
        for parameter in command.params:
            for option in parameter.opts if isinstance(parameter, click.Option) else ():
                assert f"`{option}" in reference or not option.startswith("--"), f"{path} {option}"


def test_documented_settings_are_those_that_are_read() -> None:
    name = re.compile(r"BRIHASPATI_[A-Z_]*[A-Z]")
    read = set(name.findall(tracked.text("src/brihaspati/settings.py")))
    assert set(name.findall(tracked.text("docs/reference/settings.md"))) == read
    for page in _pages():
        assert set(name.findall(tracked.text(page))) <= read, page


def test_documented_routes_are_those_of_the_api() -> None:
    page = tracked.text("docs/reference/http-api.md")
    for path, methods in json.loads(tracked.text("openapi.json"))["paths"].items():
        shown = path.replace("{class_id}", "{class}")
        short = re.sub(r".*/sandbox", ".../sandbox", shown)
        for method in methods:
            routes = (f"`{method.upper()} {shown}`", f"`{method.upper()} {short}`")
            assert any(route in page for route in routes), routes


def test_every_picture_of_a_page_is_one_that_a_script_takes_anew() -> None:
    shots = tracked.text("bench/shots.py")
    album = shots[shots.index("ALBUM = {") : shots.index("ALBUM_WIDTH")]
    taken = {
        f"docs/images/{name}.webp" for name in re.findall(r'^    "([\w-]+)":', album, re.MULTILINE)
    }
    assert taken == {name for name in tracked.files() if name.endswith(".webp")}

"""The pages about labs say what is true of the code."""

from __future__ import annotations

import re
from pathlib import Path

from brihaspati.adapters import labfolder
from brihaspati.adapters.labfolder import contents, guide, infostring
from labfolder import folders, tables

DOCS = Path(__file__).parents[2] / "docs"
REFERENCE = (DOCS / "reference/lab-yaml.md").read_text()


def test_the_tables_are_those_of_the_schema() -> None:
    assert tables.names(REFERENCE) == list(tables.PARTS)
    assert tables.filled(REFERENCE) == REFERENCE, (
        "run: python tests/labfolder/tables.py docs/reference/lab-yaml.md"
    )


def test_the_reference_names_the_limits_and_the_words_of_the_code() -> None:
    for bytes_max in (contents.TEXT_BYTES_MAX, contents.SCRIPT_BYTES_MAX, contents.IMAGE_BYTES_MAX):
        assert f"{bytes_max // 1024} KiB" in REFERENCE
    assert f"{contents.FILES_MAX:,} files of {contents.FILE_BYTES_MAX >> 20} MiB" in REFERENCE
    for word in (*infostring.VERBS, *infostring.BEFORE):
        assert f"sh {word}" in REFERENCE or f" {word} `" in REFERENCE
    for kind in guide.CALLOUTS:
        assert f"`{kind}`" in REFERENCE or f"[!{kind}]" in REFERENCE


def test_the_smallest_lab_of_the_reference_is_a_lab(tmp_path: Path) -> None:
    folder = tmp_path / "first"
    (folder / "steps").mkdir(parents=True)
    found = re.search(r"## The smallest lab\n\n```yaml\n(.*?)```", REFERENCE, re.DOTALL)
    assert found
    (folder / "lab.yaml").write_text(found[1])
    (folder / "steps/01-greet.md").write_text("# Greet\n")
    assert labfolder.read(folder).title == "My first lab"


def test_the_lab_of_the_how_to_is_a_lab(tmp_path: Path) -> None:
    lab = labfolder.read(folders.from_how_to(tmp_path))
    step = lab.steps[0]
    assert (step.title, len(step.checks), bool(step.solve)) == ("Say hello", 1, True)
    assert (len(step.hints), len(step.quiz), step.checks[0].watch) == (2, 1, True)
    for mark in ("data-run", "data-type", "data-file"):
        assert mark in step.html


def test_the_markup_the_reference_promises_is_what_a_step_has(tmp_path: Path) -> None:
    text = (
        "# T\n\n```sh run\nls\n```\n\n```sh copy\nls\n```\n\n> [!tip] T\n> x\n\n```python\n1\n```\n"
        "\n```sh type\nls\n```\n\n[n](02-next.md) [p](port:8080) [f](file:/srv/index.html#L4)\n"
    )
    (tmp_path / "demo/steps").mkdir(parents=True)
    (tmp_path / "demo/steps/one.md").write_text(text)
    (tmp_path / "demo/steps/02-next.md").write_text("# Next\n")
    (tmp_path / "demo/lab.yaml").write_text(
        "{schema: 1, name: demo, title: D, summary: S, "
        "machines: [{name: web, ports: [{port: 8080, title: P}]}], "
        "steps: [{file: steps/one.md}, {file: steps/02-next.md}]}"
    )
    shown = labfolder.read(tmp_path / "demo").steps[0].html.replace('=""', "")
    openings = re.findall(r"`(<(?:pre|div|a) [^>]*>)", REFERENCE)
    assert len(openings) >= 8
    for opening in openings:
        assert opening in shown, opening

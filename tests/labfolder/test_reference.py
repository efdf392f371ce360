"""The pages about labs say what is true of the code."""

from __future__ import annotations

import re
from pathlib import Path

from brihaspati.adapters import labfolder
from brihaspati.adapters.labfolder import contents, guide
from labfolder import tables

DOCS = Path(__file__).parents[2] / "docs"
REFERENCE = (DOCS / "reference/lab-yaml.md").read_text()
HOW_TO = (DOCS / "how-to/write-a-lab.md").read_text()


def test_the_tables_are_those_of_the_schema() -> None:
    assert tables.names(REFERENCE) == list(tables.PARTS)
    assert tables.filled(REFERENCE) == REFERENCE, (
        "run: python tests/labfolder/tables.py docs/reference/lab-yaml.md"
    )


def test_the_reference_names_the_limits_and_reserved_words_of_the_code() -> None:
    for bytes_max in (contents.TEXT_BYTES_MAX, contents.SCRIPT_BYTES_MAX, contents.IMAGE_BYTES_MAX):
        assert f"{bytes_max // 1024} KiB" in REFERENCE
    assert f"{contents.FILES_MAX:,} files of {contents.FILE_BYTES_MAX >> 20} MiB" in REFERENCE
    for word in labfolder.json_schema()["$defs"]["step"]["reserved"]:
        assert f"`{word}`" in REFERENCE
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
    blocks = re.findall(
        r"`labs/(greet/[^`]+)`[^\n]*\n+(`{3,4})\w+\n(.*?)^\2\n", HOW_TO, re.DOTALL | re.MULTILINE
    )
    for name, _, content in blocks:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    lab = labfolder.read(tmp_path / "greet")
    step = lab.steps[0]
    assert (step.title, bool(step.check), bool(step.solve)) == ("Say hello", True, True)
    assert "data-run" in step.html
    assert "data-copy" in step.html


def test_the_markup_the_reference_promises_is_what_a_step_has(tmp_path: Path) -> None:
    text = (
        "# T\n\n```sh run\nls\n```\n\n```sh copy\nls\n```\n\n> [!tip] T\n> x\n\n```python\n1\n```\n"
    )
    (tmp_path / "demo/steps").mkdir(parents=True)
    (tmp_path / "demo/steps/one.md").write_text(text)
    (tmp_path / "demo/lab.yaml").write_text(
        "{schema: 1, name: demo, title: D, summary: S, machines: [{name: m}], "
        "steps: [{file: steps/one.md}]}"
    )
    shown = labfolder.read(tmp_path / "demo").steps[0].html.replace('=""', "")
    for opening in re.findall(r"`(<(?:pre|div)[^>]*>)", REFERENCE):
        assert opening in shown, opening

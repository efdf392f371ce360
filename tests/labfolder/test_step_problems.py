"""Faults in checks, hints, questions and actions say where they are, what, and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from labfolder import folders

OPTIONS = "options: [{text: A, right: true}, {text: B}]"
LONG = "n" * 61

# what the case shows: (lines of the step after its file, line, part of the message, of the fix)
CASES: dict[str, tuple[str, int, str, str]] = {
    "both kinds of checks": (
        "check: one.sh\nchecks: [{file: setup.sh, title: T}]",
        10,
        "both `check` and `checks`",
        "into the list",
    ),
    "watch without a check": ("watch: true", 10, "no `check` to belong to", "Add a check"),
    "watch beside checks": (
        "checks: [{file: one.sh, title: T}]\nwatch: true",
        11,
        "no `check` to belong to",
        "at one of the `checks`",
    ),
    "watch is a word": ("check: one.sh\nwatch: yes", 11, "must not be text", "true or false"),
    "check without a title": ("checks: [{file: one.sh}]", 10, "title` is missing", "Add a line"),
    "check without a file": ("checks: [{title: T}]", 10, "file` is missing", "Add a line"),
    "the same check twice": (
        "checks:\n  - {file: one.sh, title: A}\n  - {file: one.sh, title: B}",
        12,
        "`one.sh` is here twice (first on line 11)",
        "Remove one",
    ),
    "two checks of one id": (
        "checks:\n  - {file: one.sh, title: A}\n  - {file: b/one.sh, title: B}",
        12,
        "same id, one",
        "Rename",
    ),
    "a check of a long name": (
        f"checks: [{{file: {LONG}.sh, title: T}}]",
        10,
        "61 letters long",
        "at most 60",
    ),
    "check on no machine": (
        "checks: [{file: one.sh, title: T, machine: nobody}]",
        10,
        "no machine `nobody`",
        "Known: box",
    ),
    "too much time": (
        "checks: [{file: one.sh, title: T, seconds_max: 31}]",
        10,
        "is 31",
        "1 to 30",
    ),
    "no such check file": ("checks: [{file: no.sh, title: T}]", 10, "does not exist", "Create it"),
    "empty hint": ('hints: [""]', 10, "`steps[0].hints[0]` is empty", "text"),
    "hint of spaces": ("hints: ['  ']", 10, "nothing but space", "Write it"),
    "fault in a hint": ("hints:\n  - x\n  - a <br>", 12, "<br> would be shown", "Markdown"),
    "fault deep in a hint": (
        "hints:\n  - |\n    one\n\n    two\n    [three](four.md)",
        15,
        "four.md leads nowhere",
        "another step",
    ),
    "heading in a hint": ("hints: ['# Title']", 10, "`# heading`", "## heading"),
    "no such terminal in a hint": (
        "hints:\n  - |\n    ```sh run terminal=db\n    ls\n    ```",
        12,
        "no terminal `db`",
        "Known: main",
    ),
    "no answers": ("quiz: [{question: Why}]", 10, "has no answers", "Add `options`"),
    "both answers": (
        f"quiz: [{{question: Why, {OPTIONS}, answers: [x]}}]",
        10,
        "both `options` and `answers`",
        "Keep one",
    ),
    "none is right": (
        "quiz:\n  - question: Why\n    options: [{text: A}, {text: B}]",
        12,
        "None of the options is right",
        "right: true",
    ),
    "one option": (
        "quiz: [{question: W, options: [{text: A, right: true}]}]",
        10,
        "1 entries",
        "2 to 8",
    ),
    "right is a word": (
        "quiz: [{question: Why, options: [{text: A, right: yes}, {text: B, right: true}]}]",
        10,
        "right` must not be text",
        "true or false",
    ),
    "number as an option": (
        "quiz: [{question: Why, options: [{text: 1, right: true}, {text: B}]}]",
        10,
        "must be text",
        "quotes",
    ),
    "option twice": (
        "quiz:\n  - question: Why\n    options:\n    - {text: A, right: true}\n    - {text: A}",
        14,
        "`A` is here twice (first on line 13)",
        "Remove one",
    ),
    "question twice": (
        f"quiz:\n  - {{question: Why, {OPTIONS}}}\n  - {{question: Why, answers: [x]}}",
        12,
        "`Why` is here twice",
        "Remove one",
    ),
    "many typed answers": (
        "quiz: [{question: Why, many: true, answers: [x]}]",
        10,
        "`many` is for `options`",
        "Remove it",
    ),
    "answer of spaces": ("quiz: [{question: Why, answers: ['  ']}]", 10, "spaces", "Write one"),
    "link in an option": (
        "quiz: [{question: Q, options: [{text: '[a](https://a.b)', right: true}, {text: B}]}]",
        10,
        "would be pressed",
        "into the question",
    ),
    "fault in an explanation": (
        f"quiz:\n  - question: Why\n    {OPTIONS}\n    why: |\n      See\n      <br>",
        15,
        "<br> would be shown",
        "Markdown",
    ),
    "unknown key": (
        f"quiz: [{{question: Why, {OPTIONS}, wyh: x}}]",
        10,
        "wyh` is not known",
        "`why`",
    ),
}

# what the case shows: (the link, part of the message, part of the fix)
LINKS = {
    "unpublished port": ("port:80", "`box` does not publish port 80", "under `ports`"),
    "no port": ("port:http", "port:http is not a port", "port:8080"),
    "port of nobody": ("port:nobody:8080", "no machine `nobody`", "Known: box, dark, twin"),
    "port of another": ("port:dark:8080", "`dark` does not publish", "under `ports`"),
    "port of several": ("port:5432", "Several machines", "port:dark:5432, port:twin:5432"),
    "relative file": ("file:srv/a", "not the path", "absolute path"),
    "file with dots": ("file:/srv/../a", "not the path", "without `..`"),
    "file with two slashes": ("file:///etc/passwd", "not the path", "absolute path"),
    "a folder": ("file:/etc/", "not the path", "absolute path"),
    "odd line": ("file:/etc/motd#4", "not the path", "#L4 for a line"),
    "file of nobody": ("file:nobody:/etc/motd", "no machine `nobody`", "Known: box"),
    "file in the dark": ("file:dark:/etc/motd", "`dark` has no terminal", "that has one"),
}
MACHINES = """\
machines:
  - name: box
    ports: [{port: 8080, title: Site}]
  - name: dark
    ports: [{port: 5432, title: A}]
  - name: twin
    ports: [{port: 5432, title: B}]
terminals: [{name: main, machine: box}]
steps:
"""
WORDS = {
    "interrupt alone": ("sh interrupt", "`interrupt` is only for `run` and `type`", "Add `run`"),
    "clear and copy": ("sh copy clear", "`clear` is only for `run` and `type`", "Add `run`"),
    "run and type": ("sh run type", "`run` and `type`", "Keep one"),
    "typed wrongly": ("sh run interupt", "`interupt`", "Did you mean `interrupt`"),
    "no language": ("type", "starts with `type`", "```sh"),
    "prompt": ("sh type\n$ ls", "prompt", "command alone"),
    "two lines": ("sh type\nls\npwd", "one line", "Use `run`"),
}


def _yaml(step: str) -> str:
    lines = "".join(f"    {line}\n" for line in step.split("\n"))
    return folders.YAML.replace("    check: one.sh\n", lines)


@pytest.mark.parametrize("case", CASES)
def test_a_fault_in_a_step_says_where_what_and_what_to_do(tmp_path: Path, case: str) -> None:
    step, line, message, fix = CASES[case]
    files = {"lab.yaml": _yaml(step), "b/one.sh": "true\n", f"{LONG}.sh": "true\n"}
    (found,) = folders.problems(folders.make(tmp_path, files))
    assert (found.file, found.line) == ("lab.yaml", line)
    assert message in found.message
    assert fix in found.fix


@pytest.mark.parametrize("case", LINKS)
def test_a_link_that_opens_nothing_is_a_fault(tmp_path: Path, case: str) -> None:
    link, message, fix = LINKS[case]
    head, _, tail = folders.YAML.partition("machines:\n")
    yaml = head + MACHINES + tail.partition("steps:\n")[2]
    files = {"lab.yaml": yaml, "steps/one.md": f"# A\n\ntext\n[x]({link})\n"}
    (found,) = folders.problems(folders.make(tmp_path, files))
    assert (found.file, found.line) == ("steps/one.md", 4)
    assert message in found.message
    assert fix in found.fix


@pytest.mark.parametrize("case", WORDS)
def test_words_of_a_block_that_do_not_go_together_are_faults(tmp_path: Path, case: str) -> None:
    words, message, fix = WORDS[case]
    block = words if "\n" in words else f"{words}\nls"
    files = {"steps/one.md": f"# A\n\n```{block}\n```\n"}
    (found,) = folders.problems(folders.make(tmp_path, files))
    assert message in found.message
    assert fix in found.fix
    assert found.line == {"prompt": 4, "two lines": 5}.get(case, 3)


def test_a_step_of_a_long_name_is_too_long_for_an_id(tmp_path: Path) -> None:
    changes = folders.spoil("steps/one.md", f"steps/{LONG}.md")
    (found,) = folders.problems(folders.make(tmp_path, {**changes, f"steps/{LONG}.md": "# A\n"}))
    assert "61 letters long" in found.message

"""Every fault says where it is, what it is, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from brihaspati.adapters import labfolder
from labfolder import folders

STEP = "steps/one.md"
TWO_MACHINES = "machines:\n  - name: other\n"
Changes = Mapping[str, str | bytes | None]


def yaml(old: str, new: str) -> Changes:
    return folders.spoil(old, new)


def step(text: str) -> Changes:
    return {STEP: text}


# what the case shows: (changes, file, line, part of the message, part of the fix)
CASES: dict[str, tuple[Changes, str, int, str, str]] = {
    # --- YAML itself
    "no lab.yaml": ({"lab.yaml": None}, "lab.yaml", 1, "no lab.yaml", "Write one"),
    "empty": ({"lab.yaml": "# nothing\n"}, "lab.yaml", 1, "empty", "schema: 1"),
    "not a mapping": ({"lab.yaml": "- a\n"}, "lab.yaml", 1, "must not be a list", "name: value"),
    "invalid": (yaml("title: A demo", "title: A: demo"), "lab.yaml", 3, "not valid YAML", "quotes"),
    "unclosed": (yaml("A demo", '"A demo'), "lab.yaml", 11, "not valid YAML", "quotes"),
    "tab": (yaml("  - name: box", "\t- name: box"), "lab.yaml", 6, "tab", "spaces"),
    "two documents": (yaml("title:", "---\ntitle:"), "lab.yaml", 3, "more than one", "Keep one"),
    "alias": (yaml("A demo", "&a A demo"), "lab.yaml", 3, "nchors", "Write the value out"),
    "bomb": ({"lab.yaml": "a: &a [*a]\n"}, "lab.yaml", 1, "nchors", "Write the value out"),
    "deep": ({"lab.yaml": "[" * 5000}, "lab.yaml", 1, "nested too deeply", "indent"),
    "tag": (yaml("A demo", "!!python/name:os.system A"), "lab.yaml", 3, "tag", "plain value"),
    "control character": (yaml("A demo", "A \x07 demo"), "lab.yaml", 3, "control", "Remove"),
    "not UTF-8": ({"lab.yaml": b"schema: 1\nname: \xff\n"}, "lab.yaml", 2, "UTF-8", "Save"),
    "UTF-16": ({"lab.yaml": folders.YAML.encode("utf-16")}, "lab.yaml", 1, "UTF-8", "Save"),
    "huge": ({"lab.yaml": "#" * 300_000}, "lab.yaml", 1, "most is 256 KiB", "smaller"),
    "key twice": (yaml("summary:", "title: B\nsummary:"), "lab.yaml", 4, "twice", "Keep one"),
    # --- names and types
    "missing key": (yaml("summary: What it is for.\n", ""), "lab.yaml", 1, "`summary`", "Add"),
    "unknown key": (yaml("title:", "titel:"), "lab.yaml", 3, "`titel` is not known", "`title`?"),
    "unknown far": (yaml("schema:", "xyzzy: 1\nschema:"), "lab.yaml", 1, "xyzzy", "Known here"),
    "unknown deep": (
        yaml("setup: setup.sh", "memory: 5"),
        "lab.yaml",
        7,
        "`machines[0].memory` is not known",
        "`memory_mb`?",
    ),
    "number as key": (yaml("title:", "5: x\ntitle:"), "lab.yaml", 3, "`5` is not known", "Known"),
    "no hints": (yaml("check: one.sh", "hints: []"), "lab.yaml", 10, "has 0 entries", "1 to 10"),
    "wrong schema": (yaml("schema: 1", "schema: 2"), "lab.yaml", 1, "`schema` is 2", "Write 1"),
    "true is not 1": (yaml("schema: 1", "schema: true"), "lab.yaml", 1, "`schema`", "Write 1"),
    "number for text": (yaml("A demo", "2024"), "lab.yaml", 3, "must be text", "quotes"),
    "true for text": (yaml("A demo", "true"), "lab.yaml", 3, "must be text", "quotes"),
    "text for number": (yaml("schema:", "hue: red\nschema:"), "lab.yaml", 1, "text", "0 to 359"),
    "float for whole": (yaml("schema:", "hue: 1.5\nschema:"), "lab.yaml", 1, "a number", "whole"),
    "list for text": (yaml("A demo", "[A, demo]"), "lab.yaml", 3, "a list", "one line of text"),
    "text for list": (yaml("steps:\n", "steps: x\ntitel:\n"), "lab.yaml", 8, "text", "a list"),
    "no value": (yaml("setup: setup.sh", "setup:"), "lab.yaml", 7, "no value", "leave it out"),
    "empty text": (yaml("A demo", '""'), "lab.yaml", 3, "is empty", "one line of text"),
    "two lines": (yaml("A demo", '"A\\ndemo"'), "lab.yaml", 3, "does not fit", "one line"),
    "too long": (yaml("A demo", "x" * 81), "lab.yaml", 3, "81 characters", "at most 80"),
    "too large": (yaml("schema:", "hue: 360\nschema:"), "lab.yaml", 1, "is 360", "0 to 359"),
    "not a number": (
        yaml("setup: setup.sh", "cpus: .nan"),
        "lab.yaml",
        7,
        "`machines[0].cpus` is nan",
        "0.05 to 64",
    ),
    "bad choice": (
        yaml("schema:", "motif: planet\nschema:"),
        "lab.yaml",
        1,
        "`motif` is planet",
        "one of shell, globe",
    ),
    "bad name": (yaml("name: box", "name: My_Box"), "lab.yaml", 6, "My_Box", "lower-case"),
    "name with line end": (yaml("name: box", 'name: "box\\n"'), "lab.yaml", 6, "fit", "lower"),
    "no machines": (
        {"lab.yaml": folders.YAML.split("machines:")[0] + "machines: []\nsteps: []\n"},
        "lab.yaml",
        5,
        "`machines` has 0 entries",
        "1 to 8",
    ),
    "bad variable": (
        yaml("setup: setup.sh", "environment: {A-B: x}"),
        "lab.yaml",
        7,
        "`A-B` cannot be a name",
        "underscores",
    ),
    "number in environment": (
        yaml("setup: setup.sh", "environment: {PORT: 80}"),
        "lab.yaml",
        7,
        "PORT` must be text",
        "quotes",
    ),
    "too many variables": (
        yaml("setup: setup.sh", f"environment: {{{', '.join(f'A{n}: x' for n in range(51))}}}"),
        "lab.yaml",
        7,
        "`machines[0].environment` has 51 entries",
        "at most 50",
    ),
    # --- what belongs together
    "other folder": (yaml("name: demo", "name: other"), "lab.yaml", 2, "folder is demo", "same"),
    "machine twice": (
        yaml("steps:", "  - name: box\nsteps:"),
        "lab.yaml",
        8,
        "`box` is in machines twice (first on line 6)",
        "own name",
    ),
    "step twice": (
        yaml("    check: one.sh", "  - file: steps/one.md"),
        "lab.yaml",
        10,
        "twice",
        "own file",
    ),
    "same id": (
        {**yaml("    check: one.sh", "  - file: one.md"), "one.md": "# Other\n"},
        "lab.yaml",
        10,
        "same id, one",
        "Rename",
    ),
    "terminal twice": (
        yaml("steps:", "terminals: [{name: a, machine: box}, {name: a, machine: box}]\nsteps:"),
        "lab.yaml",
        8,
        "`a` is in terminals twice",
        "own name",
    ),
    "terminal without machine": (
        yaml("steps:", "terminals: [{name: a, machine: nobody}]\nsteps:"),
        "lab.yaml",
        8,
        "no machine `nobody`",
        "Known: box",
    ),
    "check without machine": (
        yaml("check:", "machine: nobody\n    check:"),
        "lab.yaml",
        10,
        "no machine `nobody`",
        "Known: box",
    ),
    "port twice": (
        yaml("setup: setup.sh", "ports: [{port: 80, title: A}, {port: 80, title: B}]"),
        "lab.yaml",
        7,
        "Port 80 is listed twice",
        "Remove",
    ),
    "too short a life": (
        yaml("schema:", "minutes: 90\nschema:"),
        "lab.yaml",
        1,
        "lives 60 minutes, and the lab takes 90",
        "90 or more",
    ),
    "allow without egress": (
        yaml("steps:", 'network:\n  allow: ["192.0.2.1:443"]\nsteps:'),
        "lab.yaml",
        9,
        "no effect while egress is none",
        "egress: allow",
    ),
    "egress without allow": (
        yaml("steps:", "network:\n  egress: allow\nsteps:"),
        "lab.yaml",
        9,
        "allows nothing",
        "Add `allow:`",
    ),
    "no such port": (
        yaml("steps:", 'network: {egress: allow, allow: ["192.0.2.1:99999"]}\nsteps:'),
        "lab.yaml",
        8,
        "no port 99999",
        "65535",
    ),
    "host bits": (
        yaml("steps:", 'network: {egress: allow, allow: ["192.0.2.9/24:443"]}\nsteps:'),
        "lab.yaml",
        8,
        "192.0.2.9/24 is not a network",
        "192.0.2.0/24:443",
    ),
    # --- files
    "no step file": ({STEP: None}, "lab.yaml", 9, "steps/one.md does not exist", "Create it"),
    "no setup": ({"setup.sh": None}, "lab.yaml", 7, "setup.sh does not exist", "Create it"),
    "no check": ({"one.sh": None}, "lab.yaml", 10, "one.sh does not exist", "Create it"),
    "out by name": (yaml("setup.sh", "../setup.sh"), "lab.yaml", 7, "does not fit", "no `..`"),
    "absolute": (yaml("setup.sh", "/etc/passwd"), "lab.yaml", 7, "does not fit", "inside"),
    "folder for file": (yaml("setup.sh", "steps"), "lab.yaml", 7, "not a regular", "Name a file"),
    "file for folder": (
        yaml("setup: setup.sh", "files: setup.sh"),
        "lab.yaml",
        7,
        "not a folder",
        "Name a folder",
    ),
    "binary step": ({STEP: b"# Hi\n\nA\0B"}, STEP, 3, "not text in UTF-8", "Save"),
    "binary setup": ({"setup.sh": b"\x7fELF\xff\xfe"}, "setup.sh", 1, "not text", "Save"),
    "huge step": ({STEP: "a" * 300_000}, STEP, 1, "most is 256 KiB", "smaller"),
    "huge setup": ({"setup.sh": "#" * 70_000}, "setup.sh", 1, "most is 64 KiB", "smaller"),
    "python setup": ({"setup.sh": "#!/usr/bin/python3\n"}, "setup.sh", 1, "not for a sh", "bash"),
    "env python setup": (
        {"setup.sh": "#!/usr/bin/env python3\n"},
        "setup.sh",
        1,
        "not for a shell",
        "bash",
    ),
    "no word after #!": ({"setup.sh": "#!\n"}, "setup.sh", 1, "not for a shell", "bash"),
    "files over the disk": (
        {
            **yaml("setup: setup.sh", "disk_mb: 8\n    files: files"),
            "files/a": b"\0" * (5 << 20),
            "files/b": b"\0" * (5 << 20),
        },
        "lab.yaml",
        8,
        "need 10 MiB of a disk of 8 MiB",
        "disk_mb",
    ),
    # --- the guide
    "empty step": (step(" \n"), STEP, 1, "step is empty", "Write it"),
    "no title": (step("Hello.\n"), STEP, 1, "no title", "# Its title"),
    "two titles": (
        yaml("check: one.sh", "title: Other"),
        STEP,
        1,
        "another one in lab.yaml",
        "Remove one",
    ),
    "late title": (step("# A\n\ntext\n\n# B\n"), STEP, 5, "first thing", "## heading"),
    "html": (step("# A\n\none\ntwo <b>three</b>\n"), STEP, 4, "<b> would be shown", "Markdown"),
    "html block": (step("# A\n\n<div>x</div>\n"), STEP, 3, "<div> would be shown", "Markdown"),
    "no such terminal": (
        step("# A\n\n```sh run terminal=db\nls\n```\n"),
        STEP,
        3,
        "no terminal `db`",
        "Known: main",
    ),
    "unknown verb": (step("# A\n\n```sh rum\nls\n```\n"), STEP, 3, "`rum`", "Did you mean `run`"),
    "verb twice": (
        step("# A\n\n```sh run copy\nls\n```\n"),
        STEP,
        3,
        "`run` and `copy`",
        "Keep one",
    ),
    "no language": (step("# A\n\n```run\nls\n```\n"), STEP, 3, "starts with `run`", "```sh"),
    "terminal alone": (
        step("# A\n\n```sh terminal=main\nls\n```\n"),
        STEP,
        3,
        "only for `run`",
        "Add `run`",
    ),
    "empty command": (step("# A\n\n```sh run\n\n```\n"), STEP, 3, "empty", "Write the command"),
    "prompt": (step("# A\n\n```sh run\n$ ls\n```\n"), STEP, 4, "prompt", "command alone"),
    "language": (step("# A\n\n```pyhton\nx\n```\n"), STEP, 3, "pyhton is not a language", "text"),
    "callout": (step("# A\n\n> [!tipp]\n> x\n"), STEP, 3, "[!tipp]", "[!tip]"),
    "relative link": (step("# A\n\nx\n[y](z.md)\n"), STEP, 4, "z.md leads nowhere", "https://"),
    "remote picture": (
        step("# A\n\n![x](https://example.org/a.png)\n"),
        STEP,
        3,
        "not in the lab folder",
        "Put it there",
    ),
    "no such picture": (step("# A\n\n![x](a.png)\n"), STEP, 3, "a.png does not exist", "Create"),
    "picture outside": (step("# A\n\n![x](../../a.png)\n"), STEP, 3, "out of the lab", "copy"),
    "no picture": ({**step("# A\n\n![x](setup.sh)\n")}, STEP, 3, "not a PNG", "formats"),
    "large picture": (
        {**step("# A\n\n![x](a.png)\n"), "a.png": b"\x89PNG\r\n\x1a\n" + b"\0" * 100_000},
        "a.png",
        1,
        "most is 96 KiB",
        "smaller",
    ),
    "silent picture": (
        {**step("# A\n\n![](a.png)\n"), "a.png": b"\x89PNG\r\n\x1a\n"},
        STEP,
        3,
        "no description",
        "what it shows",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_fault_says_where_what_and_what_to_do(tmp_path: Path, case: str) -> None:
    changes, file, line, message, fix = CASES[case]
    found = folders.problems(folders.make(tmp_path, changes))
    assert any(
        (problem.file, problem.line) == (file, line)
        and message in problem.message
        and fix in problem.fix
        for problem in found
    ), "\n".join(map(str, found))


@pytest.mark.parametrize("case", CASES)
def test_one_fault_is_not_reported_as_several(tmp_path: Path, case: str) -> None:
    # A list that is empty, and a page that is both nameless and empty, are two faults at once.
    two = {"no machines", "empty step", "text for list", "not a mapping", "html", "html block"}
    two |= {"step twice"}
    found = folders.problems(folders.make(tmp_path, CASES[case][0]))
    assert len(found) == 1 or case in two, "\n".join(map(str, found))


def test_all_faults_come_together_sorted_by_place(tmp_path: Path) -> None:
    changes: dict[str, str | bytes | None] = {
        "lab.yaml": folders.YAML.replace("title:", "titel:")
        .replace("box", "BOX")
        .replace("one.sh", "two.sh"),
        STEP: "# A\n\n```sh rum\nls\n```\n\n[x](y)\n",
    }
    found = folders.problems(folders.make(tmp_path, changes))
    assert [(problem.file, problem.line) for problem in found] == [
        ("lab.yaml", 3),
        ("lab.yaml", 6),
        ("lab.yaml", 10),
        (STEP, 3),
        (STEP, 7),
    ]


def test_a_problem_reads_as_compilers_write_it(tmp_path: Path) -> None:
    folder = folders.make(tmp_path, folders.spoil("title:", "titel:"))
    with pytest.raises(labfolder.LabProblems) as caught:
        labfolder.read(folder)
    lines = str(caught.value).splitlines()
    assert lines[0] == f"{folder}/lab.yaml:3: `titel` is not known. Did you mean `title`?"


def test_a_folder_that_does_not_exist_is_a_problem(tmp_path: Path) -> None:
    (found,) = folders.problems(tmp_path / "nowhere")
    assert "does not exist" in found.message

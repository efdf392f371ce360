from __future__ import annotations

import dataclasses
import subprocess
from pathlib import Path

import pytest

from brihaspati.adapters import labfolder
from brihaspati.adapters.labfolder import reading
from brihaspati.domain import labs
from labfolder import folders

FULL = """\
schema: 1
name: demo
title: "A demo: with a colon"
summary: >
  One sentence
  on two lines.
minutes: 20
lifetime_minutes: 90
extend_minutes: 10
extensions_max: 2
idle_minutes: 25
hue: 210
motif: network
machines:
  - name: box
    image: debian:12
    memory_mb: 512
    cpus: 1.5
    pids: 200
    disk_mb: 128
    user: student
    requires: [curl, python3]
    files: files
    setup: setup.sh
    setup_seconds_max: 30
    environment: {GREETING: hello, PORT: "8080"}
    ports: [{port: 8080, title: Site}]
  - name: db
network:
  egress: allow
  allow: ["192.0.2.0/24:443", "198.51.100.7:80"]
terminals:
  - {name: work, machine: box}
  - {name: logs, machine: db, command: [tail, -f, /var/log/db.log]}
steps:
  - {file: steps/one.md, minutes: 7, machine: db, check: one.sh, solve: setup.sh}
  - {file: steps/two.md, title: Second}
"""


@pytest.fixture
def full(tmp_path: Path) -> Path:
    return folders.make(
        tmp_path,
        {
            "lab.yaml": FULL,
            "files/etc/motd": "hi\n",
            "files/usr/local/bin/tool": "#!/bin/sh\n",
            "steps/two.md": "Go on.\n",
        },
    )


def test_every_field_of_the_file_arrives_in_the_lab(full: Path) -> None:
    (full / "files/usr/local/bin/tool").chmod(0o700)
    lab = labfolder.read(full)
    assert (lab.name, lab.title) == ("demo", "A demo: with a colon")
    assert lab.summary == "One sentence on two lines."
    assert (lab.minutes, lab.lifetime_minutes, lab.idle_minutes) == (20, 90, 25)
    assert (lab.extend_minutes, lab.extensions_max) == (10, 2)
    assert (lab.hue, lab.motif) == (210, "network")
    assert (lab.egress, lab.egress_allow) == ("allow", ("192.0.2.0/24:443", "198.51.100.7:80"))
    box, db = lab.machines
    assert box.resources == labs.Resources(memory_mb=512, cpus=1.5, pids=200, disk_mb=128)
    assert (box.name, box.image, box.user) == ("box", "debian:12", "student")
    assert box.files == (
        labs.LabFile("/etc/motd", b"hi\n", 0o644),
        labs.LabFile("/usr/local/bin/tool", b"#!/bin/sh\n", 0o755),
    )
    assert box.setup_seconds_max == 30
    assert box.environment == (("GREETING", "hello"), ("PORT", "8080"))
    assert box.ports == (labs.PublishedPort(8080, "Site"),)
    assert box.requires == ("curl", "python3")
    assert db == labs.MachineSpec("db")
    assert lab.terminals == (
        labs.Terminal("work", "box"),
        labs.Terminal("logs", "db", ("tail", "-f", "/var/log/db.log")),
    )
    one, two = lab.steps
    assert (one.id, one.title, one.minutes, one.machine) == ("one", "First", 7, "db")
    assert one.checks == (labs.Check("one", "First", folders.FILES["one.sh"], "db"),)
    assert one.solve == folders.FILES["setup.sh"]
    assert (two.id, two.title, two.minutes) == ("two", "Second", 5)
    assert (two.machine, two.checks, two.solve, two.hints, two.quiz) == (None, (), None, (), ())


def test_what_is_left_out_gets_the_defaults_of_the_domain(tmp_path: Path) -> None:
    lab = labfolder.read(folders.make(tmp_path))
    plain = labs.Lab(
        name=lab.name,
        title=lab.title,
        summary=lab.summary,
        version=lab.version,
        minutes=5,
        lifetime_minutes=60,
        machines=lab.machines,
        terminals=(labs.Terminal("main", "box"),),
        steps=lab.steps,
    )
    assert lab == plain
    assert lab.machines == (labs.MachineSpec("box", setup=folders.FILES["setup.sh"]),)


def test_two_machines_without_terminals_get_one_each(tmp_path: Path) -> None:
    folder = folders.make(tmp_path, folders.spoil("steps:", "  - name: other\nsteps:"))
    terminals = labfolder.read(folder).terminals
    assert terminals == (labs.Terminal("box", "box"), labs.Terminal("other", "other"))


@pytest.mark.parametrize(
    ("word", "meant"), [("no", "no"), ("12:30", "12:30"), ("2026-01-01", "2026-01-01")]
)
def test_plain_words_are_text_as_yaml_1_2_says(tmp_path: Path, word: str, meant: str) -> None:
    folder = folders.make(tmp_path, folders.spoil("A demo", word))
    assert labfolder.read(folder).title == meant


def test_windows_line_ends_and_a_byte_order_mark_change_nothing(tmp_path: Path) -> None:
    plain = labfolder.read(folders.make(tmp_path / "a"))
    odd = {
        name: b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode()
        for name, text in folders.FILES.items()
    }
    assert labfolder.read(folders.make(tmp_path / "b", odd)) == plain


def test_the_version_changes_with_every_part_and_with_nothing_else(full: Path) -> None:
    first = labfolder.read(full).version
    assert labfolder.read(full).version == first
    seen = {first}
    for name in ("lab.yaml", "steps/two.md", "one.sh", "setup.sh", "files/etc/motd"):
        path = full / name
        before = path.read_text()
        more = "More.\n" if name.endswith(".md") else "# more\n"
        path.write_text(before.replace("minutes: 20", "minutes: 21") + more)
        seen.add(labfolder.read(full).version)
        path.write_text(before)
    (full / "files/etc/motd").write_text("ho\n")  # as long as before
    seen.add(labfolder.read(full).version)
    (full / "files/etc/motd").write_text("hi\n")
    (full / "files/etc/motd").chmod(0o755)
    seen.add(labfolder.read(full).version)
    (full / "files/etc/motd").chmod(0o600)  # what git does not keep does not count
    assert labfolder.read(full).version == first
    assert len(seen) == 8


def test_no_field_of_the_lab_is_left_out_of_the_version(full: Path) -> None:
    lab = labfolder.read(full)
    other: dict[str, object] = {"machines": (), "terminals": (), "steps": (), "egress_allow": ()}
    for field in dataclasses.fields(lab):
        if field.name == "version":
            continue
        value = getattr(lab, field.name)
        changed = other.get(field.name, value + 1 if isinstance(value, int) else f"{value}x")
        swapped = dataclasses.replace(lab, **{field.name: changed})  # type: ignore[arg-type]
        assert labfolder.version(swapped) != lab.version, field.name


def test_one_broken_folder_does_not_take_the_others_away(tmp_path: Path) -> None:
    folders.make(tmp_path)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/lab.yaml").write_text("schema: 2\n")
    (tmp_path / "notes").mkdir()
    found, wrong = labfolder.read_all(tmp_path)
    assert [lab.name for lab in found] == ["demo"]
    assert len(wrong) == 1
    assert all("broken/lab.yaml" in problem.file for problem in wrong[0].problems)


@pytest.mark.parametrize("script", [None, "#!/bin/bash\necho ready\n", "echo ready\n"])
def test_setup_says_which_required_programs_are_missing(script: str | None) -> None:
    made = reading.setup_script(["bash", "no-such-tool", "nor-this"], script)
    assert made is not None
    ended = subprocess.run(
        ["sh", "-e"], input=made, capture_output=True, text=True, check=False, timeout=10
    )
    assert ended.returncode == reading.MISSING_TOOL_CODE
    assert ended.stdout == ""
    assert ended.stderr.strip().endswith("does not have: no-such-tool nor-this")


def test_setup_runs_when_every_required_program_is_there() -> None:
    made = reading.setup_script(["bash", "cat"], "#!/bin/bash\necho ready\n")
    assert made is not None
    assert made.startswith("#!/bin/bash\n")
    ended = subprocess.run(
        ["sh", "-e"], input=made, capture_output=True, text=True, check=False, timeout=10
    )
    assert (ended.returncode, ended.stdout) == (0, "ready\n")

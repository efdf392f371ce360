"""Images with a setup done: what makes them, and what a machine made from one leaves out."""

from __future__ import annotations

import base64
import gzip
import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from brihaspati.domain import bakery, firstboot, labs
from house import a_lab

FILE = labs.LabFile("/srv/words", b"as delivered\n")
SPEC = labs.MachineSpec("main", files=(FILE,), setup='echo set up >>"$DISK/srv/words"', bake=True)


class Disk:
    """A folder that stands for a machine's disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("run", "srv", "root", "var/lib/brihaspati"):
            (folder / name).mkdir(parents=True)

    def run(self, script: bytes) -> int:
        """A script whose paths lead here."""
        done = subprocess.run(
            ["sh", "-s"],
            input=self._here(script),
            env={**os.environ, "DISK": str(self.folder)},
            check=False,
        )
        return done.returncode

    @property
    def words(self) -> str:
        """What the lab's file says now."""
        return (self.folder / "srv/words").read_text()

    def bake(self, spec: labs.MachineSpec) -> int:
        """Do what a builder does, but for the end of it; then as from a snapshot of it."""
        files = files_of(spec)
        setup = self._here(files["/var/lib/brihaspati/setup"])
        (self.folder / "var/lib/brihaspati/setup").write_bytes(setup)
        code = self.run(files["/var/lib/brihaspati/bake"].partition(b"rm -f")[0])
        (self.folder / "run/.brihaspati-ready").unlink(missing_ok=True)
        return code

    def _here(self, script: bytes) -> bytes:
        for name in (b"run", b"srv", b"root", b"var/lib/brihaspati"):
            script = script.replace(b"/" + name, bytes(self.folder / name.decode()))
        return script


def files_of(spec: labs.MachineSpec) -> dict[str, bytes]:
    """The files that a builder's user data writes."""
    config = json.loads(bakery.user_data(spec).removeprefix("#cloud-config\n"))
    return {
        one["path"]: gzip.decompress(base64.b64decode(one["content"]))
        for one in config["write_files"]
    }


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    return Disk(tmp_path)


def test_a_machine_from_a_baked_image_does_no_setup_again(disk: Disk) -> None:
    assert disk.bake(SPEC) == 0
    assert disk.words == "as delivered\nset up\n"
    (disk.folder / "srv/words").write_text("as it was baked\n")
    assert disk.run(bakery.first_boot(SPEC)) == 0
    assert disk.words == "as it was baked\n"
    assert (disk.folder / "run/.brihaspati-ready").exists()


def test_a_machine_from_a_plain_image_does_its_setup(disk: Disk) -> None:
    assert disk.run(bakery.first_boot(SPEC)) == 0
    assert disk.words == "as delivered\nset up\n"


@pytest.mark.parametrize(
    "other",
    [
        replace(SPEC, setup='echo otherwise >>"$DISK/srv/words"'),
        replace(SPEC, files=(replace(FILE, content=b"newer\n"),)),
        replace(SPEC, environment=(("A", "b"),)),
    ],
)
def test_a_lab_with_another_content_does_not_believe_the_mark(
    disk: Disk, other: labs.MachineSpec
) -> None:
    assert disk.bake(SPEC) == 0
    (disk.folder / "srv/words").write_text("as it was baked\n")
    assert disk.run(bakery.first_boot(other)) == 0
    assert "as it was baked" not in disk.words


def test_who_did_not_say_that_it_may_be_baked_sets_up_each_machine() -> None:
    plain = replace(SPEC, bake=False)
    assert bakery.first_boot(plain) == firstboot.script(plain)
    assert not bakery.can_bake(plain)
    assert not bakery.can_bake(labs.MachineSpec("main", bake=True))
    assert bakery.unbaked(a_lab(machines=("main",))) == []
    assert bakery.unbaked(replace(a_lab(), machines=(SPEC, plain))) == ["main"]


def test_a_setup_that_fails_leaves_no_mark(disk: Disk) -> None:
    assert disk.bake(replace(SPEC, setup="exit 3")) == 3
    assert not (disk.folder / "var/lib/brihaspati/baked").exists()


def test_a_builder_takes_a_lab_of_some_size() -> None:
    text = b"".join(b"line %d of a log that a lab brings\n" % n for n in range(1_000))
    large = replace(SPEC, files=(labs.LabFile("/srv/log", text),))
    assert len(bakery.user_data(large).encode()) < 16 * 1024

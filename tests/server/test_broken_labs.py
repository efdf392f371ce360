"""A lab folder with faults beside good ones."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from attending import Student
from brihaspati import wiring
from brihaspati.entrypoints.cli.fresh import FreshServer, fresh_server


@pytest.fixture
def labs(tmp_path: Path) -> Path:
    """A copy of the labs that this test may break."""
    return Path(shutil.copytree("labs", tmp_path / "labs"))


def labs_of(server: FreshServer, name: str) -> set[str]:
    """What a student who joins finds on the class page."""
    page = Student(server, name).do(lambda portal: portal.send("GET", "/v1/classes/demo"))
    return {lab["name"] for lab in page["labs"]}


def test_a_broken_lab_is_left_out_with_its_file_and_line_and_the_others_play(labs: Path) -> None:
    (labs / "notes.txt").write_text("no lab\n")
    yaml = labs / "web/lab.yaml"
    good = yaml.read_text()
    yaml.write_text(good.replace("title: Speak HTTP", "titel: Speak HTTP"))
    with fresh_server(wiring.open_shop({}), seats=5, pool=0, labs=labs) as server:
        assert labs_of(server, "Asha") == {"hello", "attack"}
        lines = (server.folder / "server.log").read_text().splitlines()
        said = [json.loads(line) for line in lines if line.startswith("{")]
        (fault,) = [line for line in said if line["message"] == "a lab is left out"]
        assert f"{yaml}:3:" in fault["problems"]
        assert "`titel` is not known" in fault["problems"]
        asha = Student(server, "Ravi")
        asha.play()
        yaml.write_text(good)
        server.stop()
        server.start()
        assert labs_of(server, "Meera") == {"hello", "attack", "web"}

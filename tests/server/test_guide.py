"""The guide of a real lab through a real server: the check fails, the student works, it passes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from attending import HELLO, Student
from brihaspati import wiring
from brihaspati.entrypoints.cli.client import Portal
from brihaspati.entrypoints.cli.fresh import FreshServer, fresh_server

STEP = HELLO.removesuffix("sandbox") + "steps/01-greet"
LAB = """
schema: 1
name: hello
title: Greet the machine
summary: The student leaves a note.
machines:
  - name: box
    user: student
steps:
  - file: steps/01-greet.md
    checks:
      - {file: checks/note.sh, title: There is a note, watch: true}
      - {file: checks/said.sh, title: It says hello}
    solve: solves/01-greet.sh
    quiz:
      - {question: "Which user are you?", answers: [student]}
  - file: steps/02-endless.md
    checks:
      - {file: checks/endless.sh, title: This never ends, seconds_max: 1}
"""
FILES = {
    "lab.yaml": LAB,
    "steps/01-greet.md": "# Greet\n\nLeave a note.\n",
    "steps/02-endless.md": "# Wait\n\nFor ever.\n",
    # It is root who looks, and nobody finds the answer in the process list.
    "checks/note.sh": 'test "$(id -u)" = 0 && test -f /home/student/note && echo "Found." '
    '|| { printf "There is no \\033[1mnote\\033[0m yet.\\n"; exit 1; }\n',
    "checks/said.sh": 'grep -q hello /home/student/note && exit 0\necho "Not hello."; exit 1\n',
    "checks/endless.sh": "while :; do sleep 1; done\n",
    "solves/01-greet.sh": "echo hello > /home/student/note\n",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FreshServer]:
    folder = tmp_path_factory.mktemp("labs")
    for name, text in FILES.items():
        path: Path = folder / "hello" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    with fresh_server(wiring.open_shop({}), seats=5, pool=0, labs=folder) as started:
        yield started


def pressed(student: Student, what: str, body: Any = None) -> dict[str, Any]:
    """The progress after a press that waits for its verdict."""

    async def press(portal: Portal) -> Any:
        return await portal.send("POST", f"{STEP}/{what}", body, wait=True)

    progress: dict[str, Any] = student.do(press)["progress"]
    assert progress["busy"] is None
    return progress


def said(progress: dict[str, Any]) -> list[tuple[bool, str]]:
    return [(v["ok"], v["text"]) for v in progress["steps"][0]["verdicts"]]


def test_a_check_fails_the_student_does_the_step_in_the_terminal_and_it_passes(
    server: FreshServer,
) -> None:
    asha = Student(server, "Asha")
    asha.play()
    failed = pressed(asha, "check", {})
    assert said(failed) == [(False, "There is no note yet."), (False, "Not hello.")]
    assert (failed["steps"][0]["state"], failed["problem"]) == ("failing", None)
    asha.type("echo hello > ~/note; echo do''ne", "done")
    checked = pressed(asha, "check", {})
    assert said(checked) == [(True, "Found."), (True, "")]
    assert (checked["steps"][0]["state"], checked["done"]) == ("seen", 0)
    answer = {"question": question_of(asha), "text": " STUDENT "}
    passed = asha.do(lambda portal: portal.send("POST", f"{STEP}/quiz", answer))["progress"]
    assert (passed["steps"][0]["state"], passed["done"]) == ("passed", 1)


def question_of(student: Student) -> str:
    """The id of the question on the lab page."""
    page = student.do(lambda portal: portal.send("GET", HELLO.removesuffix("/sandbox")))
    (question,) = page["lab"]["steps"][0]["quiz"]
    return str(question["id"])


def test_a_solution_does_the_step_and_a_quiet_check_finds_it(server: FreshServer) -> None:
    ravi = Student(server, "Ravi")
    ravi.play()
    assert pressed(ravi, "check", {"quiet": True})["steps"][0]["verdicts"] == []
    solved = pressed(ravi, "solve")
    assert said(solved) == [(True, "Found."), (True, "")]
    assert solved["problem"] is None


def test_a_check_without_end_is_ended_and_the_lab_goes_on(server: FreshServer) -> None:
    meera = Student(server, "Meera")
    meera.play()
    begun = time.monotonic()
    endless = STEP.replace("01-greet", "02-endless")
    answer = meera.do(lambda portal: portal.send("POST", f"{endless}/check", {}, wait=True))
    (verdict,) = answer["progress"]["steps"][1]["verdicts"]
    assert (verdict["ok"], verdict["text"]) == (False, "It was not done in time (1 s).")
    assert time.monotonic() - begun < 40  # the check would never end
    meera.type("echo still-$((6*7)); pgrep -f '[s]leep 1' || echo al''one", "alone")


def test_a_lab_that_is_stopped_while_its_check_runs_says_so(server: FreshServer) -> None:
    kavya = Student(server, "Kavya")
    kavya.play()
    endless = STEP.replace("01-greet", "02-endless")
    begun = kavya.do(lambda portal: portal.send("POST", f"{endless}/check", {}))
    assert begun["progress"]["busy"] == "02-endless"
    kavya.stop()
    after = kavya.do(lambda portal: portal.send("GET", HELLO, wait=True))["progress"]
    assert (after["busy"], after["problem"]) == (None, "The lab ended while this ran.")
    assert after["steps"][1]["verdicts"] == []

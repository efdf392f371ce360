"""Checks, hints and questions, from lab.yaml to the step a student gets."""

from __future__ import annotations

from pathlib import Path

from brihaspati.adapters import labfolder
from brihaspati.domain import labs
from labfolder import folders

STEP = """\
    machine: db
    checks:
      - {file: checks/file.sh, title: The file is there, watch: true}
      - file: checks/server.sh
        title: The server answers
        machine: box
        seconds_max: 20
    hints:
      - Look *there*.
      - |
        Do this:

        ```sh run terminal=db
        ls
        ```
    quiz:
      - question: |
          Which of these **adds**?
        options:
          - {text: "`>`", why: It replaces.}
          - {text: "`>>`", right: true}
        why: Two signs.
      - question: Which are even?
        options:
          - {text: "2", right: true, why: Half of it is whole.}
          - {text: "3"}
          - {text: "4", right: true}
      - question: Which one is odd?
        many: true
        options: [{text: "3", right: true}, {text: "4"}]
      - question: How many?
        answers: [seven, "7"]
        why: Count them.
"""
FILES: dict[str, str | bytes | None] = {
    "lab.yaml": folders.YAML.replace("steps:\n", "  - name: db\nsteps:\n").replace(
        "    check: one.sh\n", STEP
    ),
    "checks/file.sh": "echo file\n",
    "checks/server.sh": "echo server\n",
}


def step(root: Path, old: str = "", new: str = "") -> labs.Step:
    """The step, with one piece of it replaced."""
    text = str(FILES["lab.yaml"])
    assert text.count(old) == 1 or not old
    return labfolder.read(folders.make(root, {**FILES, "lab.yaml": text.replace(old, new)})).steps[
        0
    ]


def test_checks_have_a_name_a_machine_and_a_time_of_their_own(tmp_path: Path) -> None:
    assert step(tmp_path).checks == (
        labs.Check("file", "The file is there", "echo file\n", "db", watch=True),
        labs.Check("server", "The server answers", "echo server\n", "box", seconds_max=20),
    )


def test_a_check_alone_is_titled_like_the_step_and_may_be_watched(tmp_path: Path) -> None:
    changes = folders.spoil("check: one.sh", "check: one.sh\n    watch: true")
    (one,) = labfolder.read(folders.make(tmp_path, changes)).steps
    assert one.checks == (labs.Check("one", "First", folders.FILES["one.sh"], None, watch=True),)


def test_hints_are_pages_of_their_own(tmp_path: Path) -> None:
    one, two = step(tmp_path).hints
    assert one == "<p>Look <em>there</em>.</p>"
    assert two.startswith("<p>Do this:</p>\n<pre class=")
    assert 'data-terminal="db"' in two


def test_the_kind_of_a_question_follows_from_its_answers(tmp_path: Path) -> None:
    quiz = step(tmp_path).quiz
    assert [question.kind for question in quiz] == ["one", "many", "many", "text"]
    assert quiz[3].answers == ("seven", "7")
    assert quiz[3].choices == ()


def test_what_is_asked_and_said_is_html(tmp_path: Path) -> None:
    first = step(tmp_path).quiz[0]
    assert first.html == "<p>Which of these <strong>adds</strong>?</p>"
    assert first.why == "<p>Two signs.</p>"
    assert first.choices == (
        labs.Choice("a", "<code>&gt;</code>", right=False, why="<p>It replaces.</p>"),
        labs.Choice("b", "<code>&gt;&gt;</code>", right=True),
    )


def test_ids_stay_when_other_questions_come_and_go(tmp_path: Path) -> None:
    before = [question.id for question in step(tmp_path / "a").quiz]
    extra = "    quiz:\n      - {question: New, answers: [yes]}\n"
    after = [question.id for question in step(tmp_path / "b", "    quiz:\n", extra).quiz]
    assert after[1:] == before
    assert len(set(after)) == 5
    assert all(len(name) <= 60 and name.isalnum() for name in after)


def test_another_explanation_keeps_the_answers_and_another_option_does_not(tmp_path: Path) -> None:
    before = step(tmp_path / "a").quiz[0].id
    assert step(tmp_path / "b", "why: Two signs.", "why: Two of them.").quiz[0].id == before
    assert (
        step(tmp_path / "c", "  Which of these **adds**?", "  Which of\n          these **adds**?")
        .quiz[0]
        .id
        == before
    )
    assert step(tmp_path / "d", '"`>>`"', '"`tee -a`"').quiz[0].id != before


def test_the_version_changes_with_a_hint_a_question_and_a_check(tmp_path: Path) -> None:
    def version(root: Path, old: str, new: str) -> str:
        text = str(FILES["lab.yaml"]).replace(old, new)
        return labfolder.read(folders.make(root, {**FILES, "lab.yaml": text})).version

    changes = (
        ("", ""),
        ("Look *there*", "Look here"),
        ("Count them", "Count all"),
        ("watch: true", "watch: false"),
        ("answers: [seven", "answers: [eight"),
    )
    seen = {version(tmp_path / str(at), *change) for at, change in enumerate(changes)}
    assert len(seen) == len(changes)

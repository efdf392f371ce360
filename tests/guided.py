"""A lab with a guide that has everything: checks, hints, a quiz, a solution; and who does it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from brihaspati import ports
from brihaspati.adapters import memory
from brihaspati.domain import progress
from brihaspati.domain.labs import Check, Choice, Lab, Question, Step
from brihaspati.domain.progress import Given
from brihaspati.domain.sandboxes import Slot
from brihaspati.engine.engine import Engine
from brihaspati.engine.membership import Membership
from brihaspati.engine.records import Record, Standing
from brihaspati.engine.scripts import Page
from house import House, ScriptEnd, a_lab

WHERE = Question(
    "where",
    "one",
    "<p>Where are the settings?</p>",
    (
        Choice("etc", "/etc", right=True, why="<p>WHY-RIGHT</p>"),
        Choice("var", "/var", right=False, why="<p>WHY-WRONG</p>"),
    ),
    why="<p>WHY-ALL</p>",
)
SECRET = Question("secret", "text", "<p>What does it say?</p>", answers=("Marigold",))
STEPS = (
    Step("read", "Read", "<p>Welcome.</p>"),
    Step(
        "serve",
        "Serve",
        "<p>Start it.</p>",
        checks=(
            Check("page", "The page is there", "check page"),
            Check("port", "The port answers", "check port", machine="db", watch=True),
        ),
        solve="solve serve",
        machine="db",
        hints=("<p>HINT-1</p>", "<p>HINT-2</p>"),
    ),
    Step("ask", "Ask", "<p>Say.</p>", quiz=(WHERE, SECRET), hints=("<p>HINT-3</p>",)),
    Step("end", "Well done", "<p>Bye.</p>"),
)
PASS = ports.ScriptOutcome(0, "It is there.\n")
FAIL = ports.ScriptOutcome(1, "Not there: \x1b[31mport 80\x1b[0m is closed.\n")


def guided_lab(**more: Any) -> Lab:
    """The lab, of two machines; `more` replaces fields."""
    return a_lab(machines=("web", "db"), **{"steps": STEPS, **more})


class Pupil:
    """A student of a house of their own, in whose lab scripts run when the test says so."""

    def __init__(self, lab: Lab | None = None, faults: memory.Faults | None = None) -> None:
        self.house = House(faults=faults)
        self.later: list[Callable[[], None]] = []
        self.told: list[tuple[str, bool]] = []
        world = replace(
            self.house.world,
            aside=self.later.append,
            checking=lambda sandbox, busy: self.told.append((sandbox, busy)),
        )
        self.house.engine = Engine(world)
        self.room = self.house.classroom(lab or guided_lab())
        self.person = self.house.student(self.room)

    @property
    def member(self) -> Membership:
        """The student as a request that comes now would find them."""
        return self.house.engine.member(self.person.id)

    @property
    def standing(self) -> Standing:
        """How far they are, as stored."""
        return self.member.standing(self.room.id, "hello")

    @property
    def sandbox(self) -> Record | None:
        """Their sandbox, as stored."""
        return self.member.sandbox(self.room.id, "hello")

    def play(self) -> str:
        """Press Play and wait until the lab is ready; its id."""
        lab = self.house.engine.classes.lab_in(self.room, "hello")
        self.house.engine.playing.play(self.room, lab, self.member)
        self.house.run()
        assert self.sandbox is not None
        assert self.sandbox.sandbox.phase == "ready"
        return self.sandbox.sandbox.id

    def stop(self) -> None:
        """Press Stop and wait until the lab is gone."""
        self.house.engine.playing.stop(Slot(self.room.id, "hello", user=self.person.id), "stopped")
        self.house.run()

    def page(self, step: str) -> Page:
        """A step as it is before them now."""
        lab = self.house.engine.reading.guide(self.member, self.room.id, "hello")
        assert lab is not None
        return self.house.engine.learning.page(self.standing, lab, step)

    def turn(self, step: str) -> Standing:
        """Turn to a step."""
        return self.house.engine.learning.turn(self.page(step))

    def check(self, step: str = "serve", *, quiet: bool = False) -> Standing:
        """Press Check; or the page does so by itself."""
        return self.house.engine.learning.check(self.page(step), self.sandbox, quiet=quiet)

    def solve(self, step: str = "serve") -> Standing:
        """Have it done."""
        return self.house.engine.learning.solve(self.page(step), self.sandbox)

    def answer(self, question: str, *choices: str, text: str | None = None) -> Standing:
        """Answer a question of the quiz."""
        given = Given(choices, text)
        return self.house.engine.learning.answer(self.page("ask"), question, given)

    def scripts(self, **ends: ScriptEnd) -> None:
        """Say how the checks `page` and `port`, or the solution, end from now on."""
        names = {"page": "check page", "port": "check port", "solve": "solve serve"}
        self.house.agents.scripts = {names[name]: end for name, end in ends.items()}

    def states(self) -> list[str]:
        """How every step is doing, as stored."""
        return [progress.state(self.standing.progress, step) for step in STEPS]

    def verdicts(self) -> list[tuple[str, bool, str]]:
        """What the checks of the step `serve` said last."""
        found = self.standing.progress.at("serve").verdicts
        return [(verdict.check, verdict.ok, verdict.text) for verdict in found]

    def wait(self) -> Standing:
        """Let the scripts that were begun run to their end."""
        waiting, self.later[:] = list(self.later), []
        for call in waiting:
            call()
        return self.standing

"""Routes of the guide: where a student is, checks, hints, quiz, the raised hand."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Body

from brihaspati.domain.labs import Lab
from brihaspati.domain.progress import Given
from brihaspati.engine.problems import Problem
from brihaspati.engine.records import Standing
from brihaspati.engine.scripts import Page
from brihaspati.entrypoints.http import guide_models, guide_views
from brihaspati.entrypoints.http.routes import Student, call, route

LAB = "/v1/classes/<class_id>/labs/<lab>"
STEP = f"{LAB}/steps/<step>"


@route("PUT", f"{LAB}/progress", action="learn", scope="seat")
def turn_to(
    class_id: str, lab: str, body: Annotated[guide_models.StepBody, Body()]
) -> guide_models.ProgressAnswer:
    """Remember the step the student has turned to."""
    page = _page(class_id, lab, body.step)
    return _progress(page.lab, call().engine.learning.turn(page))


@route("POST", f"{STEP}/check", action="learn", scope="seat", status=202)
def check(
    class_id: str, lab: str, step: str, body: Annotated[guide_models.CheckBody, Body()]
) -> guide_models.SandboxAnswer:
    """Run the checks of a step; the verdict is in the progress once `busy` is null again."""
    page, record = _page(class_id, lab, step), call().owner.sandbox(class_id, lab)
    standing = call().engine.learning.check(page, record, quiet=body.quiet)
    return guide_views.answer(class_id, page.lab, record, standing)


@route("POST", f"{STEP}/solve", action="learn", scope="seat", status=202)
def solve(class_id: str, lab: str, step: str) -> guide_models.SandboxAnswer:
    """Have the step done, then checked; it counts as solved, not as passed."""
    page, record = _page(class_id, lab, step), call().owner.sandbox(class_id, lab)
    standing = call().engine.learning.solve(page, record)
    return guide_views.answer(class_id, page.lab, record, standing)


@route("POST", f"{STEP}/hint", action="learn", scope="seat")
def hint(
    class_id: str, lab: str, step: str, body: Annotated[guide_models.HintBody, Body()]
) -> guide_models.HintAnswer:
    """Reveal the next hint of a step."""
    page = _page(class_id, lab, step)
    standing = call().engine.learning.hint(page, body.seen)
    hints = guide_views.hints(page.step, standing.progress)
    return guide_models.HintAnswer(hints=hints, progress=_progress(page.lab, standing).progress)


@route("POST", f"{STEP}/quiz", action="learn", scope="seat")
def quiz(
    class_id: str, lab: str, step: str, body: Annotated[guide_models.QuizBody, Body()]
) -> guide_models.ProgressAnswer:
    """Answer a question of a step; it is graded here."""
    page = _page(class_id, lab, step)
    given = Given(tuple(body.choices), body.text)
    return _progress(page.lab, call().engine.learning.answer(page, body.question, given))


@route("PUT", f"{LAB}/hand", action="raise_hand", scope="seat")
def raise_hand(
    class_id: str, lab: str, body: Annotated[guide_models.HandBody, Body()]
) -> guide_models.ProgressAnswer:
    """Ask the trainer to come. Repeating it changes nothing but the words."""
    found, standing = _guide(class_id, lab)
    return _progress(found, call().engine.learning.raise_hand(standing, body.text))


@route("DELETE", f"{LAB}/hand", action="raise_hand", scope="seat")
def lower_hand(
    class_id: str,
    lab: str,
    student: Student = None,  # noqa: ARG001
) -> guide_models.ProgressAnswer:
    """The help has come, or is not needed any more. Trainers name the ?student=."""
    found, standing = _guide(class_id, lab)
    return _progress(found, call().engine.learning.lower_hand(standing))


def _guide(class_id: str, lab: str) -> tuple[Lab, Standing]:
    """The lab as the owner of the seat reads it, and how far they are. Raises Problem."""
    owner = call().owner
    found = call().engine.reading.guide(owner, class_id, lab)
    if found is None:
        raise Problem("not_found", f"This class has no lab called {lab}.", "See the class page.")
    return found, owner.standing(class_id, lab)


def _page(class_id: str, lab: str, step: str) -> Page:
    found, standing = _guide(class_id, lab)
    return call().engine.learning.page(standing, found, step)


def _progress(lab: Lab, standing: Standing) -> guide_models.ProgressAnswer:
    now = call().engine.world.clock.now()
    return guide_models.ProgressAnswer(progress=guide_views.of(standing, lab, now), now=now)

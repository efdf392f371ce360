"""The guide of a lab and a student's progress as they look on the wire."""

from __future__ import annotations

from brihaspati.domain import progress
from brihaspati.domain.labs import Lab, Question, Step
from brihaspati.domain.progress import Progress
from brihaspati.engine.records import Record, Standing
from brihaspati.entrypoints.http import guide_models, models
from brihaspati.entrypoints.http.routes import call


def answer(
    class_id: str, lab: Lab | None, record: Record | None, standing: Standing
) -> guide_models.SandboxAnswer:
    """A sandbox with all that changes beside it."""
    engine = call().engine
    now = engine.world.clock.now()
    return guide_models.SandboxAnswer(
        sandbox=engine.reading.view(record.sandbox) if record is not None else None,
        progress=of(standing, lab, now) if lab is not None else None,
        messages=messages(class_id),
        now=now,
        look_ms=engine.reading.look_after_ms(record.sandbox if record is not None else None),
    )


def status(class_id: str, name: str, record: Record | None) -> guide_models.SandboxAnswer:
    """As `answer`, where only the sandbox may have changed since the request was authorised."""
    owner = call().owner
    guide = call().engine.reading.guide(owner, class_id, name)
    return answer(class_id, guide, record, owner.standing(class_id, name))


def messages(class_id: str) -> list[models.MessageView]:
    """What the trainer said that is for the person a request is about."""
    owner = call().owner
    return [
        models.MessageView(
            id=message.id,
            text=message.text,
            sender=message.sender,
            at=message.at,
            to_me=message.students is not None,
        )
        for message in call().engine.teaching.messages_for(class_id, owner.person.id)
    ]


def of(standing: Standing, lab: Lab, now: int) -> guide_models.ProgressView:
    """How far a student is, by the steps of the lab they read."""
    own = standing.progress
    run = progress.under_way(own, now)
    watching = run is not None and run.kind == "watch"
    return guide_models.ProgressView(
        step=own.step,
        done=progress.done(own, lab.steps),
        of=len(lab.steps),
        busy=run.step if run is not None and not watching else None,
        watching=run.step if run is not None and watching else None,
        problem=progress.problem(own, now),
        hand_at=own.hand.at if own.hand is not None else None,
        revision=standing.version,
        steps=[_step(own, step) for step in lab.steps],
    )


def _step(own: Progress, step: Step) -> guide_models.StepProgressView:
    mine = own.at(step.id)
    titles = {check.id: check.title for check in step.checks}
    return guide_models.StepProgressView(
        id=step.id,
        state=progress.state(own, step),
        tries=mine.tries,
        hints=min(mine.hints, len(step.hints)),
        passed_at=mine.passed_at,
        verdicts=[
            guide_models.VerdictView(
                check=v.check, title=titles[v.check], ok=v.ok, text=v.text, at=v.at
            )
            for v in mine.verdicts
            if v.check in titles
        ],
        quiz=[
            guide_models.AnsweredView(
                question=question.id,
                right=given.right,
                tries=given.tries,
                choices=list(given.choices),
                text=given.text,
                why=progress.why(question, given),
            )
            for question in step.quiz
            if (given := mine.answer(question.id)) is not None
        ],
    )


def content(lab: Lab, own: Progress, number: int) -> guide_models.LabContent:
    """The guide: what the student may know of it by now."""
    return guide_models.LabContent(
        name=lab.name,
        title=lab.title,
        summary=lab.summary,
        minutes=lab.minutes,
        number=number,
        lifetime_minutes=lab.lifetime_minutes,
        steps=[_content(step, own) for step in lab.steps],
    )


def _content(step: Step, own: Progress) -> guide_models.StepContent:
    return guide_models.StepContent(
        id=step.id,
        title=step.title,
        html=step.html,
        minutes=step.minutes,
        checks=[guide_models.CheckView(id=c.id, title=c.title, watch=c.watch) for c in step.checks],
        quiz=[_question(question) for question in step.quiz],
        hints=hints(step, own),
        hints_total=len(step.hints),
        solvable=step.solve is not None,
    )


def hints(step: Step, own: Progress) -> list[str]:
    """The hints of a step that the student has asked for."""
    return list(step.hints[: own.at(step.id).hints])


def _question(question: Question) -> guide_models.QuestionView:
    choices = [guide_models.ChoiceView(id=c.id, html=c.html) for c in question.choices]
    return guide_models.QuestionView(
        id=question.id, kind=question.kind, html=question.html, choices=choices
    )


def place(class_id: str, name: str) -> int:
    """The place of a lab in its class, from 1; after all others when it was taken out."""
    names = [lab for lab, _ in call().engine.classes.get(class_id).labs]
    return names.index(name) + 1 if name in names else len(names) + 1

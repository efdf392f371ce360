"""The guide of a lab: its steps with checks, hints and questions, from a checked tree."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath

from brihaspati.adapters.labfolder import actions, contents, guide, marked
from brihaspati.adapters.labfolder.problems import Report
from brihaspati.domain import labs

FILE = "lab.yaml"
ID_LETTERS_MAX = 60
Fault = Callable[[int, str, str], None]


def known_machine(tree: marked.Tree, names: Sequence[str], fault: Fault) -> str | None:
    """The machine a part of lab.yaml names, if it does."""
    name = tree.text("machine")
    if name and name not in names:
        fix = f"Known: {', '.join(names)}." if names else "Add it under machines."
        fault(tree.line_of("machine"), f"There is no machine `{name}`.", fix)
    return name or None


class Pages:
    """Reads the steps of one lab, whose machines and terminals are known already."""

    def __init__(
        self,
        inside: contents.Contents,
        report: Report,
        machines: Sequence[labs.MachineSpec],
        terminals: Sequence[labs.Terminal],
    ) -> None:
        self.inside = inside
        self.report = report
        self.terminals = [terminal.name for terminal in terminals]
        self.ports = {m.name: frozenset(p.port for p in m.ports) for m in machines if m.name}
        self.machines = list(self.ports)
        self.seen = frozenset(terminal.machine for terminal in terminals)
        self.links: dict[str, str] = {}

    def _fault(self, line: int, message: str, fix: str) -> None:
        self.report.add(FILE, line, message, fix)

    def steps(self, trees: Sequence[marked.Tree]) -> tuple[labs.Step, ...]:
        """The steps in order. What the schema refused is simply absent."""
        written = [item for item in trees if item.text("file")]
        ids = self._ids(written)
        self.links = guide.step_links([(file, step) for step, file in ids.items()])
        return tuple(self._step(item) for item in written)

    def _ids(self, trees: Sequence[marked.Tree]) -> dict[str, str]:
        """The ids of steps, or of the checks of one step, and the files they come from."""
        ids: dict[str, str] = {}
        for item in trees:
            file, line = item.text("file"), item.line_of("file")
            stem = PurePosixPath(file).stem
            if stem in ids and ids[stem] != file:
                message = f"{file} and {ids[stem]} would have the same id, {stem}."
                self._fault(line, message, "Rename one of the two files.")
            if len(stem) > ID_LETTERS_MAX:
                message = f"The name {stem} is {len(stem)} letters long, too long for an id."
                self._fault(line, message, f"Use at most {ID_LETTERS_MAX} before the ending.")
            ids.setdefault(stem, file)
        return ids

    def _step(self, item: marked.Tree) -> labs.Step:
        file, line = item.text("file"), item.line_of("file")
        machine = known_machine(item, self.machines, self._fault)
        page = self._page(file, machine)
        text = self.inside.text(file, FILE, line)
        if text is not None and not text.strip():
            self.report.add(file, 1, "The step is empty.", "Write it, or remove it from lab.yaml.")
        rendered = guide.render(text, page) if text else ""
        title = self._title(item, page, readable=bool(text))
        return labs.Step(
            id=PurePosixPath(file).stem,
            title=title,
            html=rendered,
            minutes=item.whole("minutes"),
            machine=machine,
            checks=self._checks(item, title, machine),
            solve=self._script(item, "solve"),
            hints=tuple(self._markdown(hint, machine) for hint in item.each("hints")),
            quiz=self._quiz(item, machine),
        )

    def _page(self, file: str, machine: str | None) -> guide.Page:
        first = self.machines[0] if self.machines else ""
        return guide.Page(
            file,
            self.report,
            self.terminals,
            self.links,
            image=lambda name, at: self.inside.image(name, file, at),
            reach=actions.Reach(self.ports, self.seen, machine or first),
        )

    def _markdown(self, tree: marked.Tree, machine: str | None, *, line: bool = False) -> str:
        """A text of lab.yaml as HTML; a `line` may stand in a label."""
        page = self._page(FILE, machine)
        page.first_line, page.titled = tree.text_line or tree.line, False
        text = str(tree.value)
        if not text.strip():
            self._fault(tree.line, "There is nothing but space in this text.", "Write it.")
        return (guide.render_line(text.strip(), page) if line else guide.render(text, page)).strip()

    def _script(self, item: marked.Tree, key: str) -> str | None:
        name = item.text(key)
        return self.inside.script(name, FILE, item.line_of(key)) if name else None

    def _title(self, item: marked.Tree, page: guide.Page, *, readable: bool) -> str:
        given = item.text("title")
        if given and page.title:
            self.report.add(
                page.file,
                page.title_line,
                "The step has a title here and another one in lab.yaml.",
                "Remove one of the two.",
            )
        if not given and not page.title and readable:
            self.report.add(
                page.file, 1, "The step has no title.", "Start it with a line `# Its title`."
            )
        return given or page.title or ""

    # --- Checks ---------------------------------------------------------------------------------
    def _checks(self, item: marked.Tree, title: str, machine: str | None) -> tuple[labs.Check, ...]:
        short, trees = item.text("check"), item.each("checks")
        if short and trees:
            message = "The step has both `check` and `checks`."
            self._fault(item.line_of("check"), message, "Move the one into the list.")
        if item.truth("watch") and not short:
            fix = "Write it at one of the `checks`." if trees else "Add a check, or remove it."
            self._fault(item.line_of("watch"), "`watch` has no `check` to belong to.", fix)
        if short:
            script = self._script(item, "check") or ""
            watch = item.truth("watch")
            return (labs.Check(PurePosixPath(short).stem, title, script, machine, watch),)
        written = [tree for tree in trees if tree.text("file")]
        self._twice(written, "file")
        self._ids(written)
        return tuple(self._check(tree, machine) for tree in written)

    def _check(self, tree: marked.Tree, machine: str | None) -> labs.Check:
        return labs.Check(
            id=PurePosixPath(tree.text("file")).stem,
            title=tree.text("title"),
            script=self._script(tree, "file") or "",
            machine=known_machine(tree, self.machines, self._fault) or machine,
            watch=tree.truth("watch"),
            seconds_max=tree.whole("seconds_max"),
        )

    def _twice(self, trees: Sequence[marked.Tree], key: str) -> None:
        seen: dict[str, int] = {}
        for tree in trees:
            value, line = tree.text(key), tree.line_of(key)
            if value in seen:
                message = f"`{value}` is here twice (first on line {seen[value]})."
                self._fault(line, message, "Remove one of the two.")
            seen.setdefault(value, line)

    # --- Quiz -----------------------------------------------------------------------------------
    def _quiz(self, item: marked.Tree, machine: str | None) -> tuple[labs.Question, ...]:
        trees = [tree for tree in item.each("quiz") if tree.text("question")]
        self._twice(trees, "question")
        return tuple(self._question(tree, machine) for tree in trees)

    def _question(self, tree: marked.Tree, machine: str | None) -> labs.Question:
        options, answers = tree.each("options"), tree.texts("answers")
        self._judge(tree, options, answers)
        self._twice(options, "text")
        kind: labs.QuestionKind = "one"
        if answers and not options:
            kind = "text"
        elif tree.truth("many") or sum(option.truth("right") for option in options) > 1:
            kind = "many"
        return labs.Question(
            id=_question_id(tree),
            kind=kind,
            html=self._member(tree, "question", machine) or "",
            choices=tuple(
                labs.Choice(
                    id=chr(ord("a") + at),
                    html=self._member(option, "text", machine, line=True) or "",
                    right=option.truth("right"),
                    why=self._member(option, "why", machine),
                )
                for at, option in enumerate(options)
            ),
            answers=answers,
            why=self._member(tree, "why", machine),
        )

    def _judge(
        self, tree: marked.Tree, options: Sequence[marked.Tree], answers: Sequence[str]
    ) -> None:
        """What the schema cannot say of a question."""
        line = tree.line
        if options and answers:
            message = "The question has both `options` and `answers`."
            self._fault(tree.line_of("answers"), message, "Keep one of the two.")
        if "options" not in tree.members and "answers" not in tree.members:
            fix = "Add `options` to choose from, or `answers` that are right when typed."
            self._fault(line, "The question has no answers.", fix)
        if options and not any(option.truth("right") for option in options):
            message = "None of the options is right."
            self._fault(tree.line_of("options"), message, "Write `right: true` at one or more.")
        if tree.truth("many") and answers and not options:
            message = "`many` is for `options`; these answers are typed."
            self._fault(tree.line_of("many"), message, "Remove it.")
        for answer in tree.each("answers"):
            if not str(answer.value).strip():
                self._fault(answer.line, "An answer of spaces cannot be typed.", "Write one.")

    def _member(
        self, tree: marked.Tree, key: str, machine: str | None, *, line: bool = False
    ) -> str | None:
        found = tree.get(key)
        return self._markdown(found, machine, line=line) if found else None


def _question_id(tree: marked.Tree) -> str:
    """The same while the question and its options are: an answer never counts for another one."""
    said = [tree.text("question"), *(option.text("text") for option in tree.each("options"))]
    words = "\0".join(" ".join(text.split()) for text in said)
    return "q" + hashlib.sha256(words.encode()).hexdigest()[:10]

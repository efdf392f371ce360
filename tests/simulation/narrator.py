"""Says in plain words what happens in a scene: each sentence comes from a call or a write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from brihaspati.domain import sandboxes
from brihaspati.domain.sandboxes import Slot
from brihaspati.simulation.agenda import START, Agenda

MICROS_PER_CENT = 10_000
Body = Mapping[str, Any]


def cents(micros: int) -> str:
    """An amount of money, as people say it."""
    return f"{micros / MICROS_PER_CENT:.2f} cents"


def duration(ms: int) -> str:
    """How long something took."""
    minutes, seconds = divmod(round(ms / 1000), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def moment(at: int) -> str:
    """A moment of the scene, to the second."""
    seconds = (at - START) // 1000
    return f"{seconds // 60:02d}:{seconds % 60:02d}"


@dataclass
class Narrator:
    """Keeps the lines of a story. Ids become names in the order in which they turn up."""

    agenda: Agenda
    lines: list[str] = field(default_factory=list)
    people: dict[str, str] = field(default_factory=dict)
    labs: dict[str, str] = field(default_factory=dict)
    slots: dict[str, str] = field(default_factory=dict)
    _before: dict[str, Body] = field(default_factory=dict)

    def say(self, what: str) -> None:
        """One line, with the time."""
        self.lines.append(f"{self.agenda.clock_face()} {what}")

    # --- names -----------------------------------------------------------------------------------
    def _lab(self, body: Body) -> str:
        """What a sandbox is called, from its first write on."""
        if body["id"] not in self.labs:
            user = body["slot"]["user"]
            whose = f"{self.people[user]}'s lab" if user else "warm lab"
            count = sum(whose in name for name in self.labs.values()) + 1
            numbered = count > 1 or not user
            self.labs[body["id"]] = f"{whose} {count}" if numbered else whose
        slot = str(Slot(**body["slot"]))
        self.slots[slot] = self.labs[body["id"]]
        return self.slots[slot]

    def machine(self, label: str) -> str:
        """Whose machine a label names."""
        lab = self.labs.get(sandboxes.sandbox_of(label))
        if lab is None:
            return f"the machine {label}"
        attempt = int(label.split("-")[3].removeprefix("a"))
        return f"the machine of {lab}" + (f" (attempt {attempt})" if attempt > 1 else "")

    # --- what is written -------------------------------------------------------------------------
    def wrote(self, body: Body, effects: Sequence[Body]) -> None:
        """A sandbox was saved, together with what is to be done about it."""
        before, lab = self._before.get(body["id"]), self._lab(body)
        self._before[body["id"]] = body
        news = self._news(before, body, lab)
        if news:
            to_do = ", ".join(self._effect(effect) for effect in effects)
            self.say(news + (f"; to do: {to_do}" if to_do else ""))

    def _news(self, before: Body | None, body: Body, lab: str) -> str:
        """What is new in a write for somebody who looks from outside; empty: nothing."""
        if before is None or before["phase"] != body["phase"]:
            return self._phase(before, body, lab)
        if before["slot"] != body["slot"]:
            owner = self.people[body["slot"]["user"]]
            self.labs[body["id"]] = f"{owner}'s lab ({lab})"
            self.slots[str(Slot(**body["slot"]))] = self.labs[body["id"]]
            return f"{lab} belongs to {owner} now, until {moment(body['deadline_at'])}"
        if before["deadline_at"] != body["deadline_at"]:
            return f"{lab} may go on until {moment(body['deadline_at'])}"
        states = {machine["label"]: machine["state"] for machine in before["machines"]}
        for machine in body["machines"]:
            if machine["state"] == "doomed" and states.get(machine["label"]) != "doomed":
                return f"{machine['machine_id']} turns up, and {lab} does not want it any more"
        if before["ended_at"] is None and body["ended_at"] is not None:
            return f"{lab} is at rest: nothing of it is left"
        return ""

    def _phase(self, before: Body | None, body: Body, lab: str) -> str:  # noqa: PLR0911
        match body["phase"]:
            case "queued" if before is None:
                return f"{lab} is written down, and queued"
            case "queued":
                return f"{lab} is queued again"
            case "starting":
                return f"{lab} is starting, attempt {body['attempt']}"
            case "ready":
                return f"{lab} is ready, until {moment(body['deadline_at'])}"
            case "gone":
                return f"{lab} is gone: nothing of it is left"
            case "failed":
                return f'{lab} has failed: "{body["reason"]}"'
            case _:
                return f'{lab} is stopping: "{body["reason"]}"'

    def _effect(self, effect: Body) -> str:  # noqa: PLR0911
        waits = effect["not_before"] > self.agenda.now
        when = f" at {moment(effect['not_before'])}" if waits else ""
        match effect["kind"]:
            case "ask_for_turn":
                return f"take a turn{when}"
            case "set_alarm":
                return f"set the alarm to {moment(effect['at'])}"
            case "create_machine":
                return "create the machine"
            case "find_machine":
                return f"look for {self.machine(effect['label'])}{when}"
            case "delete_machine":
                return f"delete {effect['machine_id']}{when}"
            case "open_doors":
                return "open the terminals"
            case "close_doors":
                return "close the terminals"
            case _:
                return f"write down the end of {effect['machine_id'] or 'a machine never seen'}"

    def proved(self, entry: Body) -> None:
        """A link of the scrub record was written."""
        end = entry["end"]
        who = end["machine_id"] or self.machine(end["label"])
        lived = ""
        if end["created_at"] is not None:
            lived = f" after {duration(end['gone_at'] - end['created_at'])}"
            lived += f", {cents(entry['cost_micros'])}"
        self.say(f"the scrub record: {who} is gone{lived} ({end['how']})")

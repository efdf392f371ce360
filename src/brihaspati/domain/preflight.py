"""Whether a class can have its machines, days before it begins; and what to write if it cannot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from brihaspati.domain import pace
from brihaspati.domain.pace import Ledger, Window

Verdict = Literal["ok", "warn", "missing"]
# What a student thinks is for ever when a whole class waits.
SLOW_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Standing:
    """What a provider says about a lab's machine. None: it does not tell.

    `fault`: why it could not be asked; then nothing else counts. `size` None: there is none.
    """

    provider: str
    region: str = ""
    region_fit: bool = True
    size: str | None = None
    price_micros_per_hour: int = 0
    machines_max: int | None = None
    machines_now: int = 0
    image_ready: bool | None = None
    windows: tuple[Window, ...] = ()
    boot_seconds: int = 0
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """A class as a provider meets it. `lab` is one of its labs; moments in milliseconds."""

    title: str
    lab: str
    students: int
    at_once: int
    hours: float
    opens_on: str
    budget_micros: int | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `fix`: what to do; `letter`: the text to send."""

    name: str
    verdict: Verdict
    text: str
    fix: str | None = None
    letter: str | None = None


def look(standing: Standing, wanted: Wanted) -> tuple[Finding, ...]:
    """What to know about a class at one provider, the worst not first but in the order of work."""
    if standing.fault is not None:
        fix = "Check the token and the address of the API, then look again."
        return (Finding("account", "missing", standing.fault, fix),)
    found = [_region(standing, wanted), _limit(standing, wanted), _rush(standing, wanted)]
    return (*found, _image(standing, wanted), _budget(standing, wanted))


def _region(standing: Standing, wanted: Wanted) -> Finding:
    if not standing.region_fit:
        text = f"{standing.region} takes no machines as we need them."
        return Finding("region", "missing", text, "Choose another region.")
    if standing.size is None:
        text = f"{standing.region} has no machine as large as {wanted.lab} asks for."
        return Finding("region", "missing", text, "Ask for less memory, or choose another region.")
    return Finding("region", "ok", f"{standing.region} has {standing.size}.")


def _limit(standing: Standing, wanted: Wanted) -> Finding:
    needed = wanted.students * wanted.at_once
    if standing.machines_max is None:
        text = f"The account does not tell how many machines it may have; {needed} are needed."
        fix = "Ask, unless it had as many before."
        return Finding("limit", "warn", text, fix, _letter(standing, wanted, needed))
    left = standing.machines_max - standing.machines_now
    text = (
        f"{standing.machines_max} machines allowed, {standing.machines_now} there, {needed} needed."
    )
    if left >= needed:
        return Finding("limit", "ok", text)
    fix = "Have the limit raised; that may take days."
    return Finding("limit", "missing", text, fix, _letter(standing, wanted, needed))


def _letter(standing: Standing, wanted: Wanted, needed: int) -> str:
    total = needed + standing.machines_now
    return (
        f"Hello,\n\nwe teach a class on {wanted.opens_on} in which {wanted.students} students have"
        f" a machine of their own for about {wanted.hours:g} hours. Each is made by the API when a"
        " student starts, and deleted when they are done.\n\nPlease raise the limit of our account"
        f" to {total} machines of type {standing.size or 'as below'} in {standing.region} by then."
        f" Outgoing mail and unlisted ports are closed by firewall.\n\nThank you."
    )


def rush_seconds(windows: tuple[Window, ...], students: int) -> float:
    """How long it takes until the last of so many that come at once may begin."""
    ledger, at = Ledger(), 0
    for _ in range(students):
        ledger, at = pace.give(ledger, windows, 0)
    return at / 1000


def _rush(standing: Standing, wanted: Wanted) -> Finding:
    seconds = rush_seconds(standing.windows, wanted.students)
    text = (
        f"If all {wanted.students} press Play at once, the last begins after {seconds:.0f} s and is"
        f" ready after {seconds + standing.boot_seconds:.0f} s."
    )
    if seconds <= SLOW_SECONDS:
        return Finding("rate", "ok", text)
    return Finding("rate", "warn", text, "Let the class spill over, or keep some labs warm.")


def _image(standing: Standing, wanted: Wanted) -> Finding:
    if standing.image_ready is None:
        return Finding("image", "ok", f"{wanted.lab} has no setup to bake.")
    if standing.image_ready:
        return Finding("image", "ok", f"The image of {wanted.lab} is in {standing.region}.")
    text = f"Each machine of {wanted.lab} runs its setup while the student waits."
    return Finding("image", "warn", text, f"Run: brihaspati image bake {wanted.lab}")


def _budget(standing: Standing, wanted: Wanted) -> Finding:
    price = standing.price_micros_per_hour
    cost = round(price * wanted.students * wanted.hours)
    text = f"About {cost / 1_000_000:.2f} at {price / 1_000_000:.4f} an hour for each machine."
    if wanted.budget_micros is None:
        return Finding("budget", "ok", text)
    if cost <= wanted.budget_micros:
        return Finding("budget", "ok", f"{text} The budget has {wanted.budget_micros / 1e6:.2f}.")
    fix = "Raise the budget of the class, or shorten its labs."
    return Finding(
        "budget", "warn", f"{text} The budget has {wanted.budget_micros / 1e6:.2f}.", fix
    )

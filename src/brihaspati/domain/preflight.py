"""Whether a class can have its machines, days before it begins; and what to write if it cannot."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from brihaspati.domain import pace
from brihaspati.domain.pace import Ledger, Window

Verdict = Literal["ok", "warn", "missing"]
Name = Literal["account", "region", "limit", "rate", "image", "certificates", "budget", "time"]
# What a student thinks is for ever when a whole class waits.
SLOW_SECONDS = 300
# Providers answer a letter about a limit in one to three working days.
DAYS_FOR_A_LETTER = 5
LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/"
# https://letsencrypt.org/docs/rate-limits/: certificates for exactly one address, in seven days.
# Each machine is an account of its own, so no limit counts a whole class together.
CERTIFICATES_PER_ADDRESS = 5
# Likewise for new names below one registered domain, unless they raised it.
CERTIFICATES_PER_DOMAIN = 50


@dataclass(frozen=True, slots=True)
class Standing:
    """What a provider says about a lab's machine. None: it does not tell.

    `fault`: why it could not be asked; then nothing else counts. `size` None: there is none.
    `issuer`: the ACME directory that certifies machines' addresses; empty: they serve without TLS.
    `names`: how many names for machines are certified already; None: they have addresses only.
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
    issuer: str = LETS_ENCRYPT
    names: int | None = None
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """A class as a provider meets it. `lab` is one of its labs.

    `at_once`: labs a student may have side by side; `rounds`: how often that many until all labs
    of the class were played. `days`: until it opens, below 0 once it has.
    """

    title: str
    lab: str
    students: int
    at_once: int
    hours: float
    opens_on: str
    budget_micros: int | None = None
    rounds: int = 1
    days: float = 30

    @property
    def machines(self) -> int:
        """How many there are when everybody has all they may have."""
        return self.students * self.at_once


@dataclass(frozen=True, slots=True)
class Figures:
    """What the findings are about, in numbers. `begins_seconds`: until the last of a rush may."""

    needed: int
    machines_max: int | None
    machines_now: int
    begins_seconds: float
    boot_seconds: int
    micros_per_hour: int
    cost_micros: int


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `fix`: what to do; `letter`: the text to send.

    `state` is the text in one word, for whoever has words of their own.
    """

    name: Name
    state: str
    verdict: Verdict
    text: str
    fix: str | None = None
    letter: str | None = None


def figures(standing: Standing, wanted: Wanted) -> Figures | None:
    """The numbers; None where nobody could be asked."""
    if standing.fault is not None:
        return None
    price = standing.price_micros_per_hour
    return Figures(
        needed=wanted.machines,
        machines_max=standing.machines_max,
        machines_now=standing.machines_now,
        begins_seconds=rush_seconds(standing.windows, wanted.students),
        boot_seconds=standing.boot_seconds,
        micros_per_hour=price,
        cost_micros=round(price * wanted.students * wanted.hours),
    )


def look(standing: Standing, wanted: Wanted) -> tuple[Finding, ...]:
    """What to know about a class at one provider, the worst not first but in the order of work."""
    told = figures(standing, wanted)
    if told is None:
        fix = "Check the token and the address of the API, then look again."
        return (Finding("account", "fault", "missing", standing.fault or "", fix),)
    limit = _limit(standing, wanted, told)
    return (
        _region(standing, wanted),
        limit,
        _time(wanted, limit),
        _rush(wanted, told),
        _image(standing, wanted),
        _certificates(standing, wanted),
        _budget(wanted, told),
    )


def _region(standing: Standing, wanted: Wanted) -> Finding:
    if not standing.region_fit:
        text = f"{standing.region} takes no machines as we need them."
        return Finding("region", "unfit", "missing", text, "Choose another region.")
    if standing.size is None:
        text = f"{standing.region} has no machine as large as {wanted.lab} asks for."
        fix = "Ask for less memory, or choose another region."
        return Finding("region", "too_small", "missing", text, fix)
    return Finding("region", "fits", "ok", f"{standing.region} has {standing.size}.")


def _limit(standing: Standing, wanted: Wanted, told: Figures) -> Finding:
    if told.machines_max is None:
        text = f"The account does not tell how many machines it may have; {told.needed} are needed."
        fix = "Ask, unless it had as many before."
        return Finding("limit", "unknown", "warn", text, fix, _letter(standing, wanted))
    text = f"{told.machines_max} machines allowed, {told.machines_now} there, {told.needed} needed."
    if told.machines_max - told.machines_now >= told.needed:
        return Finding("limit", "enough", "ok", text)
    fix = "Have the limit raised; that may take days."
    return Finding("limit", "low", "missing", text, fix, _letter(standing, wanted))


def _letter(standing: Standing, wanted: Wanted) -> str:
    total = wanted.machines + standing.machines_now
    return (
        f"Hello,\n\nwe teach a class on {wanted.opens_on} in which {wanted.students} students have"
        f" a machine of their own for about {wanted.hours:g} hours. Each is made by the API when a"
        " student starts, and deleted when they are done.\n\nPlease raise the limit of our account"
        f" to {total} machines of type {standing.size or 'as below'} in {standing.region} by then."
        f" Outgoing mail and unlisted ports are closed by firewall.\n\nThank you."
    )


def _time(wanted: Wanted, limit: Finding) -> Finding:
    """Whether there is time for what needs an answer."""
    days = math.floor(wanted.days)
    text = "The class has begun." if wanted.days < 0 else f"The class opens in {days} days."
    if limit.letter is None or wanted.days >= DAYS_FOR_A_LETTER:
        return Finding("time", "enough", "ok", text)
    fix = "Send the letter today, and let the class spill over to another cloud."
    return Finding("time", "short", "warn", f"{text} An answer may take that long.", fix)


def rush_seconds(windows: tuple[Window, ...], students: int) -> float:
    """How long it takes until the last of so many that come at once may begin."""
    ledger, at = Ledger(), 0
    for _ in range(students):
        ledger, at = pace.give(ledger, windows, 0)
    return at / 1000


def _rush(wanted: Wanted, told: Figures) -> Finding:
    seconds = told.begins_seconds
    text = (
        f"If all {wanted.students} press Play at once, the last begins after {seconds:.0f} s and is"
        f" ready after {seconds + told.boot_seconds:.0f} s."
    )
    if seconds <= SLOW_SECONDS:
        return Finding("rate", "quick", "ok", text)
    return Finding("rate", "slow", "warn", text, "Let the class spill over, or keep labs warm.")


def _image(standing: Standing, wanted: Wanted) -> Finding:
    if standing.image_ready is None:
        return Finding("image", "none", "ok", f"{wanted.lab} has nothing to bake.")
    if standing.image_ready:
        text = f"The image of {wanted.lab} is in {standing.region}."
        return Finding("image", "baked", "ok", text)
    text = f"Each machine of {wanted.lab} installs its programs while the student waits."
    fix = f"Run: brihaspati image bake {wanted.lab}"
    return Finding("image", "unbaked", "warn", text, fix)


def _certificates(standing: Standing, wanted: Wanted) -> Finding:
    """Whether every machine gets the certificate that browsers want of it."""
    if not standing.issuer:
        text = "Machines serve without TLS; browsers open such terminals only from plain http."
        return Finding("certificates", "off", "warn", text, "Leave BRIHASPATI_ACME out.")
    if standing.names is not None:
        text = (
            f"{standing.names} names are certified ahead, one for each machine; {wanted.machines}"
        )
        if standing.names >= wanted.machines:
            return Finding("certificates", "named", "ok", f"{text} are needed.")
        fix = (
            f"Set BRIHASPATI_NAMES_STOCK={wanted.machines * wanted.rounds} now: Let's Encrypt gives"
            f" a domain {CERTIFICATES_PER_DOMAIN} a week. Whoever gets none has an address."
        )
        return Finding("certificates", "few_names", "warn", f"{text} are needed.", fix)
    if not standing.issuer.startswith(LETS_ENCRYPT):
        text = f"What {standing.issuer} allows is not known here; {wanted.machines} are needed."
        fix = "Ask who runs it whether so many are issued at once."
        return Finding("certificates", "unknown", "warn", text, fix)
    text = (
        f"{wanted.machines} at once, one for each machine's address. Let's Encrypt counts by"
        f" address and takes {CERTIFICATES_PER_ADDRESS} a week for each"
    )
    if wanted.rounds <= CERTIFICATES_PER_ADDRESS:
        return Finding("certificates", "enough", "ok", f"{text}.")
    text = f"{text}; should the cloud hand out the same ones again, {wanted.rounds} are needed."
    fix = "Spread the labs over more than a week, or over another region or cloud."
    return Finding("certificates", "scarce", "warn", text, fix)


def _budget(wanted: Wanted, told: Figures) -> Finding:
    text = (
        f"About {told.cost_micros / 1e6:.2f} at {told.micros_per_hour / 1e6:.4f} an hour for each"
        " machine."
    )
    if wanted.budget_micros is None:
        return Finding("budget", "none", "ok", text)
    text = f"{text} The budget has {wanted.budget_micros / 1e6:.2f}."
    if told.cost_micros <= wanted.budget_micros:
        return Finding("budget", "enough", "ok", text)
    fix = "Raise the budget of the class, or shorten its labs."
    return Finding("budget", "over", "warn", text, fix)

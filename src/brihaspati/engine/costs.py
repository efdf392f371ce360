"""What the machines of a class have cost: ended ones by their proofs, the others by the clock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from brihaspati.domain import money
from brihaspati.domain.sandboxes import Sandbox
from brihaspati.ports import Item

PROOFS = "x#"


@dataclass(slots=True)
class Proven:
    """The proofs of a class: what each student's lab cost ("": a warm sandbox), and whose they are.

    Read it after the sandboxes: a machine that ends in between has its proof here, and is not
    counted again.
    """

    micros: dict[tuple[str, str], int] = field(default_factory=dict)
    labels: set[str] = field(default_factory=set)

    def beside(self, sandbox: Sandbox, now: int) -> int:
        """What a sandbox's machines cost of which there is no proof: they run, or it is coming."""
        price = price_micros_per_hour(sandbox)
        return sum(
            money.cost_micros(price, m.created_at, m.gone_at if m.gone_at is not None else now)
            for m in sandbox.machines
            if m.created_at is not None and m.label not in self.labels
        )


def proven_by(proofs: Iterable[Item]) -> Proven:
    """What the proofs of a class come to: its items that begin with `PROOFS`."""
    proven = Proven()
    for item in proofs:
        at = item.body["user"] or "", item.body["lab"]
        proven.micros[at] = proven.micros.get(at, 0) + int(item.body["cost_micros"])
        # Proofs of before there were chains have the label in their key.
        end = item.body.get("end")
        proven.labels.add(end["label"] if end else item.key.sort.removeprefix("x#"))
    return proven


def hour_micros(sandbox: Sandbox) -> int:
    """What an hour of a sandbox costs as it is now."""
    alive = [m for m in sandbox.machines if m.created_at is not None and m.state != "gone"]
    return price_micros_per_hour(sandbox) * len(alive)


def price_micros_per_hour(sandbox: Sandbox) -> int:
    """Of one machine, as its proof will have it."""
    return sandbox.terms.price_micros_per_hour // max(1, len(sandbox.terms.machines))

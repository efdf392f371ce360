"""The parts of functions that move machines, each with one duty and the token for it."""

from __future__ import annotations

from brihaspati.domain.effects import Duty
from brihaspati.engine.engine import Engine
from brihaspati.entrypoints.aws_lambda.batches import Batches
from brihaspati.entrypoints.aws_lambda.minutes import Sweep
from brihaspati.wiring import cloud, renting
from brihaspati.wiring.functions import surroundings


def starter() -> Batches:
    """The function that rents machines."""
    return Batches(_engine("start").handle)


def ender() -> Batches:
    """The function that deletes machines."""
    return Batches(_engine("end").handle)


def sweep() -> Sweep:
    """The function that looks at everything each minute."""
    return Sweep(_engine("end"))


def _engine(duty: Duty) -> Engine:
    house = cloud.cloud(surroundings.read(), duties=frozenset({duty}), renting=renting.providers)
    return house.engine

"""The parts of functions that move machines, each with one duty and the token for it."""

from __future__ import annotations

from brihaspati.domain.effects import Duty
from brihaspati.engine.engine import Engine
from brihaspati.entrypoints.aws_lambda.batches import Batches
from brihaspati.entrypoints.aws_lambda.minutes import Sweep
from brihaspati.wiring import booting, cloud, renting
from brihaspati.wiring.functions import surroundings


def starter(agent_sha256: str) -> Batches:
    """The function that rents machines, which run the agent of this digest."""
    return Batches(_engine("start", agent_sha256).handle)


def ender() -> Batches:
    """The function that deletes machines."""
    return Batches(_engine("end").handle)


def sweep() -> Sweep:
    """The function that looks at everything each minute."""
    return Sweep(_engine("end"))


def _engine(duty: Duty, agent_sha256: str | None = None) -> Engine:
    chosen = surroundings.read()
    boot = booting.boot(chosen, agent_sha256) if agent_sha256 and chosen.clouds else None
    house = cloud.cloud(chosen, duties=frozenset({duty}), renting=renting.providers, boot=boot)
    return house.engine

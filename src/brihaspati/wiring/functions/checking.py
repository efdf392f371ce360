"""The parts of the function that runs scripts of labs: no duties, and the way to agents."""

from __future__ import annotations

from brihaspati.adapters.agentlink import AgentLink
from brihaspati.entrypoints.aws_lambda.batches import Batches
from brihaspati.wiring import agents, booting, cloud
from brihaspati.wiring.functions import surroundings


def checker() -> Batches:
    """The function, which asks agents where the table says they are."""
    chosen = surroundings.read()
    link = AgentLink(booting.tls(chosen))
    engine = cloud.cloud(chosen, agents=link).engine
    agents.serve(link, engine.machines)
    return Batches(engine.handle)

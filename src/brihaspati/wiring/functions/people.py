"""The parts of functions that answer people: no duties, and no token of any provider."""

from __future__ import annotations

from brihaspati.entrypoints.aws_lambda.boundaries import BOUNDARIES
from brihaspati.entrypoints.aws_lambda.web import Web
from brihaspati.entrypoints.http.addresses import Addresses
from brihaspati.entrypoints.http.api import Api
from brihaspati.wiring import cloud
from brihaspati.wiring.functions import surroundings


def web(function: str) -> Web:
    """The function of these routes."""
    chosen = surroundings.read()
    addresses = Addresses(frozenset(chosen.origins), chosen.lab_domain, chosen.secure)
    return Web(Api(cloud.cloud(chosen).engine, addresses, modules=BOUNDARIES[function]))

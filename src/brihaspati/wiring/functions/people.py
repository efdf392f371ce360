"""The parts of functions that answer people and machines: no duties, no token of any provider."""

from __future__ import annotations

from brihaspati.entrypoints.aws_lambda.boundaries import BOUNDARIES
from brihaspati.entrypoints.aws_lambda.web import Web
from brihaspati.entrypoints.http.addresses import Addresses
from brihaspati.entrypoints.http.api import Api
from brihaspati.entrypoints.http.routes import Archive
from brihaspati.wiring import cloud
from brihaspati.wiring.functions import surroundings


def web(function: str, archive: Archive | None = None) -> Web:
    """The function of these routes. `archive`: the program that rented machines run."""
    chosen = surroundings.read()
    addresses = Addresses(
        frozenset(chosen.origins), chosen.lab_domain, chosen.secure, chosen.acme, rents=True
    )
    engine = cloud.cloud(chosen).engine
    return Web(Api(engine, addresses, archive, modules=BOUNDARIES[function]))

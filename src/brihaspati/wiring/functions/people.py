"""The parts of functions that answer people and machines: no duties, no token of any provider."""

from __future__ import annotations

from types import ModuleType

from brihaspati.entrypoints.aws_lambda import boundaries
from brihaspati.entrypoints.aws_lambda.web import Web
from brihaspati.entrypoints.http.addresses import Addresses
from brihaspati.entrypoints.http.gate import Gate
from brihaspati.entrypoints.http.routes import Archive
from brihaspati.wiring import cloud
from brihaspati.wiring.functions import surroundings

# What a first request asks beside the table: the key of sessions, and whose turn it is to work.
ASKED = ("ssm", "sqs")


def web(function: str, *modules: ModuleType, archive: Archive | None = None) -> Web:
    """The function of the routes of its modules. `archive`: the program that rented machines run.

    Raises ValueError when these are not the routes of this function.
    """
    boundaries.check(function, modules)
    chosen = surroundings.read()
    addresses = Addresses(
        frozenset(chosen.origins), chosen.lab_domain, chosen.secure, chosen.acme, rents=True
    )
    house = cloud.cloud(chosen)
    answer = Web(Gate(house.engine, addresses, archive, modules=modules))
    if chosen.aws.snapshot:
        # What is loaded now, nobody waits for. Without a snapshot the first who needs it does.
        house.ready(*ASKED)
    return answer

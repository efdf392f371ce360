"""Where a browser goes with a ticket: behind our own address, or to the rented machine itself."""

from __future__ import annotations

from dataclasses import dataclass

from brihaspati.domain import labs, previews
from brihaspati.engine.playing import Opening
from brihaspati.engine.records import Record
from brihaspati.entrypoints.http.addresses import preview_name
from brihaspati.entrypoints.http.models import TicketAnswer
from brihaspati.entrypoints.http.routes import call


@dataclass(frozen=True, slots=True)
class Sealed:
    """A ticket, and until when it is good."""

    text: str
    expires_at: int


def to_agent(record: Record, what: str, ticket: Sealed) -> TicketAnswer:
    """The WebSocket of the agent for terminals or files."""
    asked, host = call(), _machine(record)
    if host is None:
        return _answer(ticket, asked.addresses.socket(asked.host, what))
    direct = asked.addresses.machine_socket(host, what)
    return _answer(ticket, direct, asked.addresses.relayed(asked.host, what))


def to_preview(record: Record, lab: labs.Lab, opening: Opening, ticket: Sealed) -> TicketAnswer:
    """A port of the lab, on an origin of its own."""
    asked, host = call(), _machine(record)
    machine, port = opening.machine, opening.port
    assert machine is not None
    assert port is not None
    name = preview_name(port, record.sandbox.id, machine)
    ours = asked.addresses.preview(asked.host, name, ticket.text)
    if host is None:
        return _answer(ticket, ours)
    shown = previews.ports_of_address(next(m for m in lab.machines if m.name == machine))
    return _answer(ticket, asked.addresses.machine_preview(host, shown[port], ticket.text), ours)


def _machine(record: Record) -> str | None:
    """Where the sandbox's rented machine is; None: it runs behind our own address."""
    sandbox = record.sandbox
    provider = call().engine.world.providers.get(sandbox.terms.provider)
    if provider is None or not provider.rented or not sandbox.current:
        return None
    return sandbox.current[0].address


def _answer(ticket: Sealed, url: str, relay: str | None = None) -> TicketAnswer:
    wanted = call().addresses.relay
    if relay is None or wanted == "never":
        return TicketAnswer(ticket=ticket.text, expires_at=ticket.expires_at, url=url)
    if wanted == "always":
        url = relay
    return TicketAnswer(ticket=ticket.text, expires_at=ticket.expires_at, url=url, relay=relay)

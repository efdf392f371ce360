"""Routes of rented machines: the program they run, their first boot, their signs of life."""

from __future__ import annotations

import base64
from typing import Annotated, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body
from pydantic import BaseModel, Field

from brihaspati.domain import bakery, labs, previews
from brihaspati.engine.machines import Asked, Beat, key_of
from brihaspati.engine.problems import Problem
from brihaspati.engine.records import Record
from brihaspati.entrypoints.http import routes
from brihaspati.entrypoints.http.models import Nothing, Strict
from brihaspati.entrypoints.http.routes import call, route

IMMUTABLE = "public, max-age=31536000, immutable"


class BootBody(Strict):
    """A machine at its first boot: its label, the provider's id of it, its public key."""

    label: Annotated[str, Field(pattern=r"^bh-[a-z0-9-]{1,61}$")]
    machine_id: Annotated[str, Field(min_length=1, max_length=64)]
    key: Annotated[str, Field(description="Ed25519, 32 bytes in base64", max_length=44)]


class LabSetup(BaseModel):
    """What makes the lab on the machine: a shell script as root, and for how long it may run."""

    script: Annotated[str, Field(description="base64")]
    seconds_max: int
    user: labs.User
    environment: dict[str, str]
    terminals: dict[str, tuple[str, tuple[str, ...] | None]]


class Issuer(BaseModel):
    """Where the machine gets its certificate by ACME, and with which profile."""

    directory: str
    profile: str | None


class Identity(BaseModel):
    """The certificate of the machine's own name and all below it, and its key; PEM."""

    chain: str
    key: str


class Booted(BaseModel):
    """All a machine needs to be a lab. `host`: by what name or address browsers will come.

    `previews`: on which port of an address each published port of the machine is shown; none where
    `host` is a name, for which `identity` is there until the machine has once been ready.
    `walls` are what its own firewall lets out, for `nft -f`.
    """

    now: int
    env: str
    sandbox: str
    machine: str
    public_key: Annotated[str, Field(description="the control plane's, Ed25519, base64")]
    origins: list[str]
    host: str
    address: str
    identity: Identity | None
    issuer: Issuer | None
    walls: str
    previews: dict[int, int]
    lab: LabSetup


class BeatBody(Strict):
    """A sign of life, as often as the last answer said, and when the state changes."""

    state: Literal["starting", "ready", "failed"]
    reason: Annotated[str, Field(max_length=500)] = ""
    input_at: int | None = None
    line: Annotated[str, Field(max_length=400)] = ""
    load: Annotated[float, Field(ge=0, le=100_000)] = 0
    cpu: Annotated[float, Field(ge=0, le=1)] = 0
    viewers: Annotated[int, Field(ge=0, le=10_000)] = 0
    busy_seconds: Annotated[float, Field(ge=0)] = 0
    sent_bytes_per_minute: Annotated[int, Field(ge=0)] = 0
    connections_per_minute: Annotated[int, Field(ge=0)] = 0


class BeatAnswer(BaseModel):
    """What time it is, and until when the machine is wanted; `over`: it is not, any more.

    `again_seconds`: when the next sign of life is due, unless the state changes before.
    """

    now: int
    phase: str
    deadline_at: int | None
    over: bool
    again_seconds: int


class CheckTicket(BaseModel):
    """A ticket for the terminal `check`, which answers `got` and the line that was typed."""

    now: int
    ticket: str


class StopBody(Strict):
    """Why a machine asks to be deleted."""

    reason: Annotated[str, Field(min_length=1, max_length=300)]


@route("GET", "/v1/agent/<name>", action="look_around", scope="public")
def agent_archive(name: str) -> Response[str]:
    """The program that rented machines run, `<sha256>.pyz`; it never changes under its name."""
    archive = call().archive
    if archive is None or name != f"{archive.sha256}.pyz":
        raise Problem("not_found", "There is no such program.", "Start a new lab.")
    headers = {"Cache-Control": IMMUTABLE}
    return Response(200, routes.ZIP, base64.b64encode(archive.data).decode(), headers=headers)


@route("POST", "/v1/machines/bootstrap", action="boot", scope="machine")
def bootstrap(body: Annotated[BootBody, Body()]) -> Booted:
    """Spend a boot token: the lab, for being known by a key from now on."""
    asked, engine = call(), call().engine
    assert asked.visitor is not None
    assert asked.visitor.token is not None
    key = key_of(body.key)
    if key is None:
        raise Problem("bad_field", "This is no key.", "Send 32 bytes in base64.", field="key")
    said = Asked(body.label, asked.visitor.token, body.machine_id, asked.visitor.source, key)
    known, lab = engine.machines.begin(said)
    machine = known.machine
    spec = next(spec for spec in lab.machines if spec.name == machine.name)
    directory = asked.addresses.issuer
    named = engine.machines.named(known)
    identity = named.identity if named is not None else None
    return Booted(
        now=engine.world.clock.now(),
        env=engine.world.env,
        sandbox=known.sandbox.id,
        machine=machine.name,
        public_key=base64.b64encode(engine.world.secrets.public_key()).decode(),
        origins=sorted(asked.addresses.origins),
        host=named.host if named is not None else machine.address or "",
        address=machine.address or "",
        identity=Identity(chain=identity.chain, key=identity.key) if identity else None,
        issuer=Issuer(directory=directory, profile="shortlived") if directory else None,
        walls=engine.machines.walls(known, lab),
        previews=previews.ports_of_address(spec) if named is None else {},
        lab=_setup(lab, spec),
    )


def _setup(lab: labs.Lab, spec: labs.MachineSpec) -> LabSetup:
    return LabSetup(
        script=base64.b64encode(bakery.first_boot(spec)).decode(),
        seconds_max=spec.setup_seconds_max,
        user=spec.user,
        environment=dict(spec.environment),
        terminals={t.name: (t.machine, t.command) for t in lab.terminals},
    )


@route("POST", "/v1/machines/beat", action="report", scope="machine")
def beat(body: Annotated[BeatBody, Body()]) -> BeatAnswer:
    """A sign of life, and what follows from it."""
    asked = call()
    record = asked.engine.machines.hear(asked.machine, Beat(**body.model_dump()))
    return _answer(record)


@route("POST", "/v1/machines/ticket", action="report", scope="machine")
def check_ticket(body: Annotated[Nothing, Body()]) -> CheckTicket:  # noqa: ARG001 - it is empty
    """A ticket with which the machine tries its own terminal, as a browser would."""
    asked = call()
    return CheckTicket(
        now=asked.engine.world.clock.now(), ticket=asked.engine.machines.check(asked.machine)
    )


@route("POST", "/v1/machines/stop", action="report", scope="machine")
def stop_machine(body: Annotated[StopBody, Body()]) -> BeatAnswer:
    """The machine asks to be deleted."""
    asked = call()
    return _answer(asked.engine.machines.stop(asked.machine, body.reason))


def _answer(record: Record) -> BeatAnswer:
    sandbox, world = record.sandbox, call().engine.world
    return BeatAnswer(
        now=world.clock.now(),
        phase=sandbox.phase,
        deadline_at=sandbox.deadline_at,
        over=sandbox.phase not in ("starting", "ready"),
        again_seconds=world.bounds.beat_seconds,
    )

"""The cloud mode: the same engine over AWS. Functions import this, so it imports little.

No client is made and nothing connects before it is needed. What a function was not given, by its
settings or its role, it hears of when it comes to need it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

from brihaspati import ports
from brihaspati.adapters import (
    amazon,
    clocks,
    dynamodb,
    elsewhere,
    emf,
    eventbridge,
    ses,
    sqs,
    ssm,
)
from brihaspati.domain.boot import Boot
from brihaspati.domain.effects import Duty
from brihaspati.domain.looks import AFAR
from brihaspati.domain.pace import Pace
from brihaspati.engine import prices, warming
from brihaspati.engine.engine import Engine
from brihaspati.engine.world import Bounds, World
from brihaspati.settings import AwsSettings, Settings, SettingsError

# Clouds list a machine up to seconds late, and boot one in a minute or so.
BOUNDS = Bounds(start_seconds_max=300, lookup_grace_ms=8_000, beat_seconds=120)
# DynamoDB takes a thousand writes a second for one key of an index; a class starts in less time.
DUE_SHARDS = 8
# The topics of messages for those who may delete, and for those who run scripts of labs.
ENDING = "ending"
SCRIPT = "script"


# Providers of the settings' accounts, given how to read a secret, for one's duties.
Renting = Callable[[Settings, Callable[[str], str], frozenset[Duty]], Mapping[str, ports.Provider]]


@runtime_checkable
class Paced(Protocol):
    """A provider that may not be asked at any time."""

    def pace(self) -> Pace:
        """How to treat it now."""
        ...


@runtime_checkable
class Sharing(Protocol):
    """A provider that may share what it was told with other processes."""

    def share(self, store: ports.Store, clock: ports.Clock) -> None:
        """From now on, by this store."""
        ...


@dataclass(frozen=True, slots=True)
class Cloud:
    """Everything of the cloud mode, none of it connected yet."""

    settings: Settings
    services: amazon.Services
    connection: dynamodb.Connection
    queue: sqs.Queue
    parameters: ssm.Parameters
    secrets: ssm.Keys
    mail: ses.Letters
    engine: Engine

    def ready(self, *services: str) -> None:
        """Make the clients of DynamoDB and of these services now: ahead of a snapshot."""
        self.connection.client()
        for service in services:
            self.services.client(service)


def cloud(
    chosen: Settings,
    *,
    duties: frozenset[Duty] = frozenset(),
    renting: Renting | None = None,
    providers: Mapping[str, ports.Provider] | None = None,
    agents: ports.Agents | None = None,
    boot: Boot | None = None,
) -> Cloud:
    """The parts of a function. `renting` reads tokens; `boot` is what new machines are told.

    `providers` replace the settings'; who has `agents` runs scripts of labs. Raises SettingsError.
    """
    services, connection = _ways(chosen.aws)
    parameters = ssm.Parameters(services.of("ssm"), chosen.aws.parameters)
    clock, chance, secrets = clocks.SystemClock(), clocks.SystemChance(), ssm.Keys(parameters)
    queue, timer = _queue_and_timer(chosen, services, clock, chance)
    store = dynamodb.Store(connection, clock, chance)
    named = providers or _named(chosen, store, clock)
    rented = renting(chosen, parameters.text, duties) if renting else named
    world = World(
        env=chosen.env,
        store=_shared(rented, store, clock),
        queue=queue,
        timer=timer,
        providers=rented,
        paces=_paces(rented),
        agents=agents or elsewhere.NoAgents(),
        clock=clock,
        chance=chance,
        secrets=secrets,
        bounds=replace(BOUNDS, abuse=chosen.abuse),
        due_shards=DUE_SHARDS,
        duties=duties,
        metrics=emf.Lines(chosen.env, clock),
        pool=chosen.pool,
        currency=chosen.currency,
        runs_scripts=agents is not None,
        boot=boot,
        verify=ssm.verify,
        looks=AFAR,
    )
    parts = (chosen, services, connection, queue, parameters, secrets)
    return Cloud(*parts, _mail(chosen.aws, services), Engine(world))


def _ways(aws: AwsSettings) -> tuple[amazon.Services, dynamodb.Connection]:
    """To the services, and to the table. Raises SettingsError."""
    if not aws.table:
        raise SettingsError("BRIHASPATI_TABLE is not set: name the DynamoDB table")
    region, endpoint = aws.region or None, aws.endpoint or None
    place = dynamodb.Place(aws.table, region, endpoint)
    return amazon.Services(region, endpoint), dynamodb.Connection(place)


def _mail(aws: AwsSettings, services: amazon.Services) -> ses.Letters:
    ask = _if_set(services.of("sesv2"), BRIHASPATI_MAIL_FROM=aws.mail_from)
    return ses.Letters(ask, aws.mail_from)


def _queue_and_timer(
    chosen: Settings, services: amazon.Services, clock: ports.Clock, chance: ports.Chance
) -> tuple[sqs.Queue, eventbridge.Timer]:
    """Each needs the other: long delays are alarms, and alarms of the past are messages."""
    aws = chosen.aws
    routes = {ENDING: aws.ending_queue_url, SCRIPT: aws.checking_queue_url}
    routes = {topic: url for topic, url in routes.items() if url}
    place = sqs.Place(aws.queue_url, aws.dead_queue_url, routes)
    ask = _if_set(services.of("sqs"), BRIHASPATI_QUEUE_URL=aws.queue_url)

    def later(name: str, at: ports.Moment, message: ports.Message) -> None:
        timer.set(name, at, message)

    queue = sqs.Queue(ask, place, clock, chance, later)
    schedules = _if_set(
        services.of("scheduler"),
        BRIHASPATI_ALARM_GROUP=aws.alarm_group,
        BRIHASPATI_ALARM_QUEUE_ARN=aws.alarm_queue_arn,
        BRIHASPATI_ALARM_DEAD_ARN=aws.alarm_dead_arn,
        BRIHASPATI_ALARM_ROLE_ARN=aws.alarm_role_arn,
    )
    group = eventbridge.Place(
        aws.alarm_group,
        aws.alarm_queue_arn,
        aws.alarm_dead_arn,
        aws.alarm_role_arn,
        aws.alarm_jitter_seconds,
        {warming.WARM_TOPIC: aws.warm_arn} if aws.warm_arn else {},
    )
    timer = eventbridge.Timer(schedules, group, queue, clock, sqs.text_of)
    return queue, timer


def _if_set(ask: amazon.Ask, **needed: str) -> amazon.Ask:
    """A service that is asked only when its settings are there."""
    missing = [name for name, text in needed.items() if not text]

    def refuse(operation: str, **_: Any) -> dict[str, Any]:
        raise SettingsError(
            f"{' and '.join(missing)} not set: this function was not meant to {operation}"
        )

    return refuse if missing else ask


def _shared(
    providers: Mapping[str, ports.Provider], store: dynamodb.Store, clock: ports.Clock
) -> dynamodb.Store:
    """The store, by which processes that ask clouds at the same time share what they hear."""
    for provider in providers.values():
        if isinstance(provider, Sharing):
            provider.share(store, clock)
    return store


def _paces(providers: Mapping[str, ports.Provider]) -> dict[str, Callable[[], Pace]]:
    return {name: one.pace for name, one in providers.items() if isinstance(one, Paced)}


def _named(chosen: Settings, store: ports.Store, clock: ports.Clock) -> dict[str, ports.Provider]:
    """Providers in name and price, for functions that have no token."""
    names = [
        account.name if at == 0 else f"{account.name}-{region}"
        for account in chosen.clouds
        for at, region in enumerate(account.regions)
    ]
    micros = chosen.host_price_micros
    return {
        name: elsewhere.Elsewhere(name, micros, prices.Told(store, clock, name)) for name in names
    }

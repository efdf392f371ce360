"""The functions as Lambda has them, in this process: AWS is an emulator, the cloud a stand-in.

Each is put together by its own module's parts from an environment like the template's.
"""

from __future__ import annotations

import base64
import contextlib
import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from botocore import exceptions

from brihaspati import settings
from brihaspati.adapters import agentarchive, dynamodb, keyring, ssm
from brihaspati.adapters.amazon import Services
from brihaspati.entrypoints.aws_lambda import boundaries
from brihaspati.entrypoints.aws_lambda.minutes import Warmth
from brihaspati.entrypoints.http.routes import Archive
from brihaspati.wiring import cloud
from brihaspati.wiring.functions import checking, people, workers
from brihaspati_cloudsim import server
from brihaspati_cloudsim.account import Lags
from brihaspati_cloudsim.agenda import real_clock
from brihaspati_cloudsim.world import World
from emulators import amazon_stand, servers
from emulators.amazon_stand import Made

ROLE = "arn:aws:iam::000000000000:role/alarms"
ORIGIN = "https://labs.example.org"
API = "https://api.example.org"
ENV = "prod"
ROUNDS_MAX = 200
SECONDS_MAX = 60

Handler = Callable[..., Any]


@dataclass
class Deployed:
    """Functions by name, each made when it is first called. `calling`: who is called now.

    `answered`: function, method, path and status of every request.
    """

    made: Made
    ending_url: str
    checking_url: str
    services: Services
    world: World
    table: str
    handlers: dict[str, Handler] = field(default_factory=dict)
    calling: str = ""
    answered: list[tuple[str, str, str, int]] = field(default_factory=list)

    def call(self, function: str, event: Any) -> Any:
        """One invocation."""
        outer, self.calling = self.calling, function
        try:
            if function not in self.handlers:
                self.handlers[function] = MAKERS[function]()
            return self.handlers[function](event)
        finally:
            self.calling = outer

    def ask(
        self,
        function: str,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        cookie: str = "",
    ) -> dict[str, Any]:
        """One request by the gateway: its answer."""
        event = self.event(method, path, body, headers=headers, cookie=cookie)
        answer: dict[str, Any] = self.call(function, event)
        self.answered.append((function, method, path.partition("?")[0], answer["statusCode"]))
        return answer

    def event(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        cookie: str = "",
    ) -> dict[str, Any]:
        """A request as the gateway hands it to a function."""
        given = {"content-type": "application/json", "origin": ORIGIN, **(headers or {})}
        path, _, query = path.partition("?")
        return {
            "version": "2.0",
            "rawPath": path,
            "rawQueryString": query,
            "queryStringParameters": dict(part.split("=") for part in query.split("&") if part),
            "headers": given,
            "cookies": [cookie] if cookie else [],
            "requestContext": {
                "http": {"method": method, "path": path, "sourceIp": self.source},
                "domainName": "api.example.org",
                "stage": "$default",
            },
            "body": None if body is None else json.dumps(body),
            "isBase64Encoded": False,
        }

    source = "198.51.100.9"

    def work(self) -> None:
        """Hand messages to who works until there are none, as SQS does."""
        queues = {
            "provision": self.made.place.url,
            "deprovision": self.ending_url,
            "check": self.checking_url,
        }
        for _ in range(ROUNDS_MAX):
            self.made.clock.set(round(time.time() * 1000) + 60_000)  # what waits a little is due
            self.world.settle()
            taken = {name: self._batch(url) for name, url in queues.items()}
            for name, records in taken.items():
                if records:
                    answer = self.call(name, {"Records": records})
                    assert answer == {"batchItemFailures": []}
                for one in records:
                    self.made.ask(
                        "delete_message", QueueUrl=queues[name], ReceiptHandle=one["receiptHandle"]
                    )
            if not any(taken.values()):
                return
        raise AssertionError("the work never ends")

    def until(self, seen: Callable[[], bool]) -> None:
        """Work, and wait for what waits, until something is seen."""
        ends = time.monotonic() + SECONDS_MAX
        while True:
            self.work()
            if seen():
                return
            assert time.monotonic() < ends, "it never comes to be so"
            time.sleep(0.05)

    def _batch(self, url: str) -> list[dict[str, Any]]:
        names = ["ApproximateReceiveCount"]
        found = self.made.ask("receive_message", QueueUrl=url, MessageSystemAttributeNames=names)
        return [
            {
                "messageId": one["MessageId"],
                "receiptHandle": one["ReceiptHandle"],
                "body": one["Body"],
                "attributes": one["Attributes"],
            }
            for one in found.get("Messages", [])
        ]


def _machines() -> Handler:
    program = agentarchive.build()
    return _web("machines", Archive(program.data, program.sha256))


def _web(function: str, archive: Archive | None = None) -> Handler:
    return people.web(function, *boundaries.modules(function), archive=archive)


def _warm() -> Handler:
    house = cloud.cloud(settings.read())
    ask = house.services.of("lambda")

    def invoke(operation: str, **said: Any) -> None:
        with contextlib.suppress(exceptions.ClientError):  # the emulator has no such function
            ask(operation, **said)

    return Warmth(house.engine, invoke, ("auth", "api_student"))


MAKERS: dict[str, Callable[[], Handler]] = {
    "auth": lambda: _web("auth"),
    "api_student": lambda: _web("api_student"),
    "api_trainer": lambda: _web("api_trainer"),
    "machines": _machines,
    "provision": lambda: workers.starter(agentarchive.build().sha256),
    "deprovision": workers.ender,
    "sweep": workers.sweep,
    "check": checking.checker,
    "warm": _warm,
}


@contextlib.contextmanager
def deployed(
    made: Made, address: str, folder: Path, told: pytest.MonkeyPatch
) -> Iterator[Deployed]:
    """All of it, with an empty table."""
    world = World(real_clock(), lags=Lags.none())
    tokens = world.add_usual_tokens()
    services = amazon_stand.services_at(address)
    made.clock.set(round(time.time() * 1000))  # or else what is put would be older than is kept
    with contextlib.ExitStack() as leaving:
        ending_url, ending_arn = leaving.enter_context(amazon_stand.another_queue(address))
        checking_url, _ = leaving.enter_context(amazon_stand.another_queue(address))
        cloud = leaving.enter_context(server.serving(world)).digitalocean
        house = Deployed(
            made, ending_url, checking_url, services, world, f"bh-{secrets.token_hex(6)}"
        )
        environment = {
            **_told(made, cloud, address),
            "BRIHASPATI_TABLE": house.table,
            "BRIHASPATI_ENDING_QUEUE_URL": ending_url,
            "BRIHASPATI_CHECKING_QUEUE_URL": checking_url,
            "BRIHASPATI_ALARM_QUEUE_ARN": ending_arn,
            "BRIHASPATI_ALARM_DEAD_ARN": ending_arn,
        }
        for name, value in environment.items():
            told.setenv(name, value)
        services.of("dynamodb")("create_table", **dynamodb.definition(house.table))
        _put_parameters(services, environment["BRIHASPATI_PARAMETERS"], tokens, folder)
        yield house
        services.of("dynamodb")("delete_table", TableName=house.table)


def _told(made: Made, cloud: str, address: str) -> dict[str, str]:
    """What the template tells the functions, all but the names that the test makes."""
    return {
        "BRIHASPATI_ENV": ENV,
        "BRIHASPATI_PROVIDER": "digitalocean",
        "BRIHASPATI_PARAMETERS": f"/brihaspati/{secrets.token_hex(6)}",
        "BRIHASPATI_ORIGINS": ORIGIN,
        "BRIHASPATI_SECURE": "1",
        "BRIHASPATI_HOST_PRICE": "0.00893",
        "BRIHASPATI_QUEUE_URL": made.place.url,
        "BRIHASPATI_DEAD_QUEUE_URL": made.place.dead_url,
        "BRIHASPATI_ALARM_GROUP": amazon_stand.GROUP,
        "BRIHASPATI_ALARM_ROLE_ARN": ROLE,
        "BRIHASPATI_WARM_ARN": f"arn:aws:lambda:{servers.REGION}:000000000000:function:warm",
        "BRIHASPATI_MACHINE_URL": API,
        "BRIHASPATI_ACME": "https://acme.example.org/directory",
        "DIGITALOCEAN_REGIONS": "fra1",
        "DIGITALOCEAN_API_URL": cloud,
        "AWS_REGION": servers.REGION,
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": servers.KEYS[0],
        "AWS_SECRET_ACCESS_KEY": servers.KEYS[1],
    }


def _put_parameters(
    services: Services, prefix: str, tokens: Mapping[str, str], folder: Path
) -> None:
    """Every secret that the how-to says to make."""
    keyring.Keyring(folder)
    values = {
        ssm.SIGNING_NAME: (folder / keyring.SIGNING_FILE).read_text(),
        ssm.MAC_NAME: (folder / keyring.MAC_FILE).read_text(),
        "digitalocean-token": tokens["digitalocean"],
        "digitalocean-sweep-token": tokens["digitalocean"],
    }
    ask = services.of("ssm")
    for name, value in values.items():
        ask("put_parameter", Name=f"{prefix}/{name}", Value=value, Type="SecureString")


def zip_of(answer: Mapping[str, Any]) -> bytes:
    """The bytes of an answer that is not text."""
    assert answer["isBase64Encoded"]
    return base64.b64decode(answer["body"])

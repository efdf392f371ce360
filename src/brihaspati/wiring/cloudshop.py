"""A deployment on AWS as the command line opens it: with the keys of whoever types, from afar."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from botocore import exceptions as wire

from brihaspati import ports
from brihaspati.adapters import amazon, clocks, dynamodb, sqs, ssm
from brihaspati.domain.labs import Lab
from brihaspati.engine import prices
from brihaspati.engine.engine import Engine
from brihaspati.engine.world import Unwatched
from brihaspati.entrypoints.cli.shop import CannotRun, Fact, Progress, Report, Serving
from brihaspati.settings import Settings
from brihaspati.wiring import cloud, predeploy, rented
from brihaspati.wiring.shop import LocalShop

# Those that the template makes, each with its dead letters.
QUEUES = ("starting", "ending", "checking")
# What AWS and our adapters say of the account and the deployment; the text says what to do.
_TELL = (
    wire.BotoCoreError,
    wire.ClientError,
    dynamodb.Unusable,
    ssm.MissingSecret,
    ports.Busy,
    ports.Refused,
)


class CloudShop(LocalShop):
    """The commands that look at a deployment and change it; labs are started by its functions."""

    def elsewhere(self, folder: Path) -> LocalShop:
        """Another data folder is of this machine. Raises CannotRun."""
        self._refuse(f"the data folder {folder}")

    @contextlib.contextmanager
    def engine(self) -> Iterator[Engine]:
        """The engine over the deployed table; what it leaves to do goes to the functions."""
        with _plain_words():
            house = cloud.cloud(self._with_queues())
            house.ready()
            # Metrics are lines that only the logs of functions take for what they are.
            yield Engine(replace(house.engine.world, metrics=Unwatched()))

    @contextlib.contextmanager
    def queues(self) -> Iterator[Mapping[str, ports.Queue]]:
        """The queues of the functions that work."""
        with _plain_words():
            yield {name: self._queue(name) for name in QUEUES}

    @contextlib.contextmanager
    def serving(self, progress: Progress) -> Iterator[Serving]:  # noqa: ARG002
        """The portal, which is there or not without us."""
        if not self.settings.origins:
            raise CannotRun("set BRIHASPATI_ORIGINS to the portal's address, as it was deployed")
        yield Serving(self.settings.origins[0].rstrip("/"), ours=False)

    def studio(self, labs: Sequence[Lab], progress: Progress) -> NoReturn:  # noqa: ARG002
        """Labs are tried on this machine. Raises CannotRun."""
        self._refuse("trying labs")

    def publish(self, labs: Sequence[Lab], progress: Progress) -> Sequence[str]:
        """Offer labs to new classes; the names of those that no rented machine can run."""
        fit = [lab for lab in labs if rented.can_rent(lab)]
        with self.engine() as engine:
            for at, lab in enumerate(fit):
                progress(f"publishing {lab.name}", at / len(fit))
                engine.classes.publish(lab)
            engine.world.queue.put(prices.MESSAGE)
        return [lab.name for lab in labs if lab not in fit]

    def up(self, progress: Progress, ready: Callable[[str], None]) -> None:  # noqa: ARG002
        """It is up, or not, without us. Raises CannotRun."""
        self._refuse("serving")

    def before_deploy(self) -> Sequence[Fact]:
        """What a deployment of this stage finds in its account."""
        aws = self.settings.aws
        services = amazon.Services(aws.region or None, aws.endpoint or None)
        return predeploy.facts(self.settings, services.of)

    def report(self) -> Report:
        """What this host can do says nothing of a deployment. Raises CannotRun."""
        self._refuse("looking at this host")

    def _refuse(self, what: str) -> NoReturn:
        raise CannotRun(f"{what} is of this machine: leave out --stage {self.settings.aws.stage}")

    @functools.cached_property
    def _sqs(self) -> amazon.Ask:
        aws = self.settings.aws
        return amazon.Services(aws.region or None, aws.endpoint or None).of("sqs")

    def _url(self, name: str) -> str:
        """The address of a queue that the template made."""
        whole = f"brihaspati-{self.settings.aws.stage}-{name}"
        return str(self._sqs("get_queue_url", QueueName=whole)["QueueUrl"])

    def _with_queues(self) -> Settings:
        aws = self.settings.aws
        found = replace(
            aws,
            queue_url=aws.queue_url or self._url("starting"),
            ending_queue_url=aws.ending_queue_url or self._url("ending"),
        )
        return replace(self.settings, aws=found)

    def _queue(self, name: str) -> sqs.Queue:
        """A queue by itself: what it takes stays its own."""
        place = sqs.Place(self._url(name), self._url(f"{name}-dead"))
        return sqs.Queue(
            self._sqs, place, clocks.SystemClock(), clocks.SystemChance(), _nothing_waits
        )


def _nothing_waits(name: str, at: ports.Moment, message: ports.Message) -> None:
    raise CannotRun(f"{message.topic} may not wait until {at} by the alarm {name}")


@contextlib.contextmanager
def _plain_words() -> Iterator[None]:
    try:
        yield
    except wire.ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if "NonExistentQueue" in code or "QueueDoesNotExist" in code:
            raise CannotRun(
                f"its queues are not there ({error}): compare the stage and AWS_REGION with the "
                "deployment, or deploy first"
            ) from error
        raise CannotRun(f"AWS refuses: {error}") from error
    except wire.NoRegionError as error:
        raise CannotRun("set AWS_REGION to where the stage is deployed, as eu-central-1") from error
    except _TELL as error:
        raise CannotRun(str(error)) from error

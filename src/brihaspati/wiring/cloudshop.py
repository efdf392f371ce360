"""A deployment on AWS as the command line opens it: with the keys of whoever types, from afar."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from botocore import exceptions as wire

from brihaspati import ports
from brihaspati.adapters import amazon, dynamodb, ssm
from brihaspati.domain.labs import Lab
from brihaspati.engine.engine import Engine
from brihaspati.engine.world import Unwatched
from brihaspati.entrypoints.cli.shop import CannotRun, Progress, Report, Serving
from brihaspati.settings import Settings
from brihaspati.wiring import cloud, rented
from brihaspati.wiring.shop import LocalShop

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
        return [lab.name for lab in labs if lab not in fit]

    def up(self, progress: Progress, ready: Callable[[str], None]) -> None:  # noqa: ARG002
        """It is up, or not, without us. Raises CannotRun."""
        self._refuse("serving")

    def report(self) -> Report:
        """What this host can do says nothing of a deployment. Raises CannotRun."""
        self._refuse("looking at this host")

    def _refuse(self, what: str) -> NoReturn:
        raise CannotRun(f"{what} is of this machine: leave out --stage {self.settings.aws.stage}")

    def _with_queues(self) -> Settings:
        """The settings with the addresses of the queues that the template made."""
        aws, stage = self.settings.aws, self.settings.aws.stage
        services = amazon.Services(aws.region or None, aws.endpoint or None)
        find = services.of("sqs")

        def url(known: str, name: str) -> str:
            if known:
                return known
            return str(find("get_queue_url", QueueName=f"brihaspati-{stage}-{name}")["QueueUrl"])

        found = replace(
            aws,
            queue_url=url(aws.queue_url, "starting"),
            ending_queue_url=url(aws.ending_queue_url, "ending"),
        )
        return replace(self.settings, aws=found)


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
    except _TELL as error:
        raise CannotRun(str(error)) from error

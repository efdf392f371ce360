"""The stage of the rehearsal: an account of AWS, a cloud to rent from, and what stands before."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from brihaspati import settings
from brihaspati.adapters import labfolder
from brihaspati.domain.classrooms import Classroom
from brihaspati.domain.labs import Lab
from brihaspati.engine.engine import Engine
from brihaspati.wiring import cloud
from brihaspati_cloudsim import running, server
from brihaspati_cloudsim.account import Lags
from brihaspati_cloudsim.agenda import real_clock
from brihaspati_cloudsim.machines.pool import Pool, missing
from brihaspati_cloudsim.world import World
from emulators import servers
from rehearsal import account, front
from rehearsal.account import Account, Failed

# Machines may leave by port 443 only, so whoever they call home to is there.
HOST, PORT = "127.50.0.1", 443
PORTAL = f"http://{HOST}:{PORT}"
NETWORKS = {"digitalocean": "127.51", "linode": "127.52"}
CLASS = "rehearsal"


@dataclass
class Stage:
    """All there is. `world` tells the truth about rented machines; `pool` runs them."""

    folder: Path
    aws: Account
    front: front.Front
    world: World
    pool: Pool
    tokens: Mapping[str, str]
    environment: Mapping[str, str]
    begun: float = field(default_factory=time.monotonic)

    def deploy(self) -> None:
        """Deploy, first or anew, and answer for it. Raises Failed."""
        self.aws.osls("deploy", self.environment)
        self.front.api = self.aws.api()

    def remove(self) -> set[str]:
        """Remove it as the guide says; what is left. Raises Failed."""
        self.aws.osls("remove", self.environment)
        self.aws.delete_parameters()
        return self.aws.there()

    def engine(self) -> Engine:
        """The engine over the deployed table, with an owner's rights and no duties."""
        # The AWS environment of this process is the account's from here on.
        os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"] = servers.KEYS
        given = {
            "BRIHASPATI_ENV": account.STAGE,
            "BRIHASPATI_PROVIDER": "digitalocean",
            "BRIHASPATI_TABLE": account.STACK,
            "BRIHASPATI_PARAMETERS": account.PARAMETERS,
            "AWS_REGION": servers.REGION,
            "AWS_ENDPOINT_URL": self.aws.address,
        }
        return cloud.cloud(settings.read(environment=given)).engine

    def labels(self) -> list[str]:
        """The machines that are paid for now."""
        return [one.name for one in self.world.running()]

    def consoles(self) -> str:
        """What the machines said last."""
        logs = [*self.pool.folder.glob("*/console.log"), *self.pool.folder.glob("*/root/var/log/*")]
        return "\n".join(f"{p}:\n{p.read_text()[-1500:]}" for p in logs if p.is_file())


def seed(engine: Engine, lab: Lab, seats: int) -> Classroom:
    """A class that is open now, with one lab."""
    engine.classes.publish(lab)
    now = engine.world.clock.now()
    room = Classroom(
        id=CLASS,
        title="Rehearsal",
        instructor="Prof. Iyer",
        code=engine.classes.free_code(),
        opens_at=now - 1000,
        closes_at=now + 4 * 3_600_000,
        seats=seats,
        labs=((lab.name, lab.version),),
        provider="digitalocean",
    )
    engine.classes.create(room)
    return room


def lab(**changes: object) -> Lab:
    """The lab `hello` as it is, but for these fields."""
    found = labfolder.read(servers.ROOT / "labs/hello")
    return replace(found, **changes)  # type: ignore[arg-type]  # fields of Lab


@contextlib.contextmanager
def opened() -> Iterator[Stage]:
    """Everything, until the block ends; nothing of it stays then. Raises Failed."""
    if why := _missing():
        raise Failed(why)
    with contextlib.ExitStack() as leaving:
        folder = Path(leaving.enter_context(tempfile.TemporaryDirectory(prefix="bh-rehearsal-")))
        aws = leaving.enter_context(account.opened(folder))
        world = World(real_clock(), lags=Lags.none(), networks=NETWORKS)
        tokens = world.add_usual_tokens()
        pool = leaving.enter_context(running.bodies(world, "light"))
        assert pool is not None
        rented_from = leaving.enter_context(server.serving(world))
        before = front.Front(aws.address)
        leaving.enter_context(front.serving(before, HOST, PORT))
        environment = {
            "REHEARSAL_CLOUD": rented_from.digitalocean,
            "REHEARSAL_URL": PORTAL,
        }
        yield Stage(folder, aws, before, world, pool, tokens, environment)


def _missing() -> str | None:
    """What this host lacks, in words."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "the rehearsal runs machines and takes port 443 of 127.50.0.1: root on Linux"
    for path in (account.PYTHON, account.OSLS):
        if not path.exists():
            return f"{path} is missing: `make cloud-test` installs it"
    if shutil.which("node") is None:
        return "node is not installed: osls runs on it"
    return missing()

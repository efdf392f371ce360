"""The stage of the rehearsal: an account of AWS, a cloud to rent from, and what stands before."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from brihaspati import settings
from brihaspati.adapters import labfolder
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
LOG_LETTERS_MAX = 3000
SHOWN = 4
# As deploy/stages/local.yml has it.
ORIGIN = "http://localhost:8000"


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
        self.aws.deploy(self.environment)
        self.front.api = self.aws.api()

    def remove(self) -> set[str]:
        """Remove it as the guide says; what is left. Raises Failed."""
        self.aws.osls(self.environment, "remove")
        self.aws.delete_parameters()
        return self.aws.there()

    def brihaspati(self, *words: str) -> Any:
        """What an operator's command says of the deployment. Raises Failed."""
        program = servers.ROOT / ".venv/bin/brihaspati"
        given = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "AWS_ENDPOINT_URL": self.aws.address,
            "AWS_REGION": servers.REGION,
            "AWS_ACCESS_KEY_ID": servers.KEYS[0],
            "AWS_SECRET_ACCESS_KEY": servers.KEYS[1],
            "BRIHASPATI_ORIGINS": ORIGIN,
            "BRIHASPATI_PROVIDER": "digitalocean",
            "BRIHASPATI_HOST_PRICE": "0.00893",
        }
        command = [str(program), "--stage", account.STAGE, *words, "--json"]
        done = subprocess.run(command, env=given, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Failed(f"brihaspati {' '.join(words)}:\n{done.stdout}{done.stderr}")
        return json.loads(done.stdout)

    def engine(self) -> Engine:
        """The engine over the deployed table, with an owner's rights and no duties."""
        # The AWS environment of this process is the account's from here on.
        os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"] = servers.KEYS
        starting = f"{account.STACK}-starting"
        given = {
            "BRIHASPATI_QUEUE_URL": self.aws.services.of("sqs")(
                "get_queue_url", QueueName=starting
            )["QueueUrl"],
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

    def made(self) -> list[str]:
        """Every machine that there ever was."""
        with self.world.lock:
            accounts = self.world.accounts.values()
            return [one.name for account in accounts for one in account.servers.values()]

    def what_was(self) -> str:
        """What functions were refused, and the logs of those that failed or ran last."""
        refused = [note for note in self.aws.notes("asked") if note["refused"]]
        lines = [f"refused: {n['role']} {n['action']} {n['resource']}" for n in refused]
        ran = self.aws.notes("ran")
        troubled = [note for note in ran if note["failed"] or "Error" in note["log"]]
        for note in [*troubled[-SHOWN:], *ran[-SHOWN:]]:
            what = f"{note['function']} {note['route'] or ''} {note['seconds']:.1f} s"
            lines += [f"--- {what}: {note['answer']}", note["log"]]
        lines += [f"machines: {self.labels()}", self.consoles()]
        log = (self.folder / "emulator.log").read_text()
        return "\n".join([*lines, "--- the emulator said last", log[-LOG_LETTERS_MAX:], ""])

    def consoles(self) -> str:
        """What the machines said last."""
        logs = [*self.pool.folder.glob("*/console.log"), *self.pool.folder.glob("*/root/var/log/*")]
        return "\n".join(f"{p}:\n{p.read_text()[-1500:]}" for p in logs if p.is_file())


def lab(**changes: object) -> Lab:
    """The lab `hello` as it is, but for these fields."""
    found = labfolder.read(servers.ROOT / "labs/hello")
    return replace(found, **changes)  # type: ignore[arg-type]  # fields of Lab


@contextlib.contextmanager
def opened() -> Iterator[Stage]:
    """Everything, until the block ends; nothing of it stays then. Raises Failed."""
    if why := missing_here():
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


def missing_here() -> str | None:
    """What this host lacks, in words."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "the rehearsal runs machines and takes port 443 of 127.50.0.1: root on Linux"
    for path in (account.PYTHON, account.OSLS):
        if not path.exists():
            return f"{path} is missing: `make cloud-test` installs it"
    if shutil.which("node") is None:
        return "node is not installed: osls runs on it"
    return missing()

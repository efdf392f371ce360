"""A rented machine as it speaks: what its boot's text told it, and its own key."""

from __future__ import annotations

import base64
import json
import re
import time
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from amazon.deployed import Deployed
from brihaspati.entrypoints.http import authorisation
from brihaspati_cloudsim.servers import Server


@dataclass
class Machine:
    """What a rented machine knows of itself and says, as its boot's text told it."""

    house: Deployed
    boot: dict[str, Any]
    id: str
    address: str
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    def begin(self, source: str | None = None) -> dict[str, Any]:
        public = base64.b64encode(self.key.public_key().public_bytes_raw()).decode()
        self.house.source = source or self.address
        body = {"label": self.boot["label"], "machine_id": self.id, "key": public}
        headers = {"authorization": f"Bearer {self.boot['token']}"}
        return self.house.ask("machines", "POST", "/v1/machines/bootstrap", body, headers=headers)

    def say(self, path: str, body: Any) -> dict[str, Any]:
        at = round(time.time() * 1000)
        text = authorisation.signed_text("POST", path, at, json.dumps(body))
        signature = base64.b64encode(self.key.sign(text)).decode()
        said = f"Machine label={self.boot['label']}, at={at}, signature={signature}"
        return self.house.ask("machines", "POST", path, body, headers={"authorization": said})


def rented(house: Deployed) -> Machine:
    """The one machine that runs, which has just booted."""
    (machine,) = every(house)
    return machine


def every(house: Deployed) -> list[Machine]:
    """All machines that run."""
    return [_machine(house, server) for server in house.world.running()]


def _machine(house: Deployed, server: Server) -> Machine:
    config = re.search(r"^write_files: (.*)$", server.user_data or "", re.MULTILINE)
    assert config is not None
    files = {one["path"]: one["content"] for one in json.loads(config[1])}
    boot = json.loads(files["/opt/brihaspati/boot.json"])
    return Machine(house, boot, str(server.id), server.address)

"""The two clouds' stand-in for tests: in this process, on a virtual clock, every answer checked."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import jsonschema

from brihaspati_cloudsim import contracts
from brihaspati_cloudsim.account import Bodies, Lags, NoBodies
from brihaspati_cloudsim.agenda import VirtualClock
from brihaspati_cloudsim.exchange import Answer, Request
from brihaspati_cloudsim.world import World

DROPLET = {"name": "one", "size": "s-1vcpu-2gb", "image": "debian-12-x64", "region": "fra1"}
INSTANCE = {"label": "one", "type": "g6-standard-1", "region": "de-fra-2"}
BOOTED = {"image": "linode/debian12", "root_pass": "thrown-away-1!"}


@dataclass
class Standin:
    """Both clouds, asked without a socket. An answer its document does not allow fails the test."""

    lags: Lags = field(default_factory=Lags.none)
    seed: int = 1
    bodies: Bodies = field(default_factory=NoBodies)

    def __post_init__(self) -> None:
        self.clock = VirtualClock()
        self.world = World(self.clock, self.seed, self.lags, self.bodies)
        self.secrets = self.world.add_usual_tokens()

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        secret: str | None = None,
        **headers: str,
    ) -> Answer:
        """One request; the path may hold a query."""
        provider = "digitalocean" if path.startswith("/v2") else "linode"
        path, _, query = path.partition("?")
        pairs = dict(part.split("=", 1) for part in query.split("&") if part)
        sent = {"authorization": f"Bearer {secret or self.secrets[provider]}"}
        sent |= {name.replace("_", "-").lower(): text for name, text in headers.items()}
        content = b"" if body is None else json.dumps(body).encode()
        answer = self.world.handle(Request(method, path, pairs, sent, content))
        if answer.status < 300 and not (answer.cut or isinstance(answer.body, bytes)):
            check(provider, method, path, answer)
        return answer

    def droplet(self, **fields: Any) -> Any:
        """A droplet that was accepted."""
        answer = self.ask("POST", "/v2/droplets", DROPLET | fields)
        assert answer.status == 202, answer.body
        return answer.body["droplet"]

    def instance(self, **fields: Any) -> Any:
        """An instance that was accepted, on paper unless `BOOTED` is given."""
        answer = self.ask("POST", "/v4/linode/instances", INSTANCE | fields)
        assert answer.status == 200, answer.body
        return answer.body

    def names(self, provider: str) -> list[str]:
        """The names a list shows."""
        if provider == "digitalocean":
            shown = self.ask("GET", "/v2/droplets?per_page=200").body["droplets"]
            return [droplet["name"] for droplet in shown]
        shown = self.ask("GET", "/v4/linode/instances?page_size=500").body["data"]
        return [instance["label"] for instance in shown]


def _as_recorded(error: jsonschema.ValidationError) -> bool:
    """Whether all that is wrong is null or "" where the document has neither."""
    branches: dict[object, list[jsonschema.ValidationError]] = {}
    for inner in error.context or ():
        branches.setdefault(inner.schema_path[0], []).append(inner)
    return error.instance in (None, "") or any(
        all(_as_recorded(inner) for inner in branch) for branch in branches.values()
    )


def check(provider: str, method: str, path: str, answer: Answer) -> None:
    """Fail unless the provider's document allows this answer.

    Linode's real answers hold null and "" where its document knows neither (`last_successful`,
    `description`, …: test_recorded.py), so for those the recordings are the measure.
    """
    found = contracts.contract(provider).find(method, path.replace("/v4beta/", "/v4/"))
    assert found is not None, path
    validator = found[0].answers.get(answer.status)
    if validator is None:
        assert answer.body in (None, {}), (path, answer.status, answer.body)
        return
    # What a program reads is the JSON, so that is what is checked.
    errors = [
        error
        for error in validator.iter_errors(json.loads(answer.content()))
        if not (provider == "linode" and _as_recorded(error))
    ]
    assert not errors, f"{method} {path}: {errors[0].json_path}: {errors[0].message}"

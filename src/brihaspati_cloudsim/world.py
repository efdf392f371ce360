"""Both clouds without a socket: a request goes in, and what the provider would answer comes out."""

from __future__ import annotations

import json
import random
import threading
from dataclasses import dataclass, field, replace

from brihaspati_cloudsim import desks
from brihaspati_cloudsim.account import Account, Bodies, Lags, NoBodies, Token
from brihaspati_cloudsim.agenda import Agenda, Now
from brihaspati_cloudsim.digitalocean import others as digitalocean_others
from brihaspati_cloudsim.exchange import Answer, Json, Refusal, Request
from brihaspati_cloudsim.faults import Faults
from brihaspati_cloudsim.rates import DigitalOceanRates, LinodeRates
from brihaspati_cloudsim.servers import Server, cost_micros

PREFIXES = {"v2": "digitalocean", "v4": "linode", "v4beta": "linode"}
USUAL_TOKENS = {"digitalocean": "dop_v1_stand-in", "linode": "linode-stand-in"}
NETWORKS = {"digitalocean": "127.40", "linode": "127.41"}


@dataclass(frozen=True, slots=True)
class Asked:
    """One request of the past. `token` is a name, never the secret."""

    at: int
    provider: str
    method: str
    path: str
    operation: str
    token: str
    status: int | None


@dataclass
class World:
    """Both accounts on one clock. Safe to use from several threads through `handle` and `lock`."""

    now: Now
    seed: int = 1
    lags: Lags = field(default_factory=Lags)
    bodies: Bodies = field(default_factory=NoBodies)
    networks: dict[str, str] = field(default_factory=lambda: dict(NETWORKS))

    def __post_init__(self) -> None:
        self.lock = threading.RLock()
        self.dice = random.Random(self.seed)  # noqa: S311 - repeatable on purpose
        self.agenda = Agenda()
        self.faults = Faults(self.dice)
        self.asked: list[Asked] = []
        self.accounts = {
            name: Account(
                provider=name,
                now=self.now,
                dice=self.dice,
                agenda=self.agenda,
                faults=self.faults,
                bodies=self.bodies,
                lags=self.lags,
                network=self.networks[name],
            )
            for name in NETWORKS
        }

    def add_token(
        self,
        provider: str,
        secret: str,
        *,
        name: str | None = None,
        scopes: frozenset[str] | None = None,
    ) -> Token:
        """Let a secret in. Linode counts requests per user, so its tokens share one count."""
        account = self.accounts[provider]
        shared = next((token.rates for token in account.tokens.values()), LinodeRates())
        rates = DigitalOceanRates() if provider == "digitalocean" else shared
        token = Token(name or f"token{len(account.tokens) + 1}", rates, scopes)
        account.tokens[secret] = token
        return token

    def add_usual_tokens(self) -> dict[str, str]:
        """One token for each provider that may do everything: provider to secret."""
        for provider, secret in USUAL_TOKENS.items():
            self.add_token(provider, secret, name="usual")
        return dict(USUAL_TOKENS)

    def settle(self) -> None:
        """Do what is due by now."""
        with self.lock:
            self.agenda.settle(self.now())

    def handle(self, request: Request) -> Answer:
        """Answer one request."""
        with self.lock:
            self.settle()
            provider = PREFIXES.get(request.path.strip("/").split("/")[0], "")
            if not provider:
                return Answer(404, {"errors": [{"reason": "neither /v2 nor /v4: no cloud here"}]})
            desk = desks.Desk(self.accounts[provider])
            try:
                answer = desk.answer(request)
            except Refusal as refusal:
                answer = desk.refused(refusal)
            self.asked.append(
                Asked(
                    at=self.now(),
                    provider=provider,
                    method=request.method,
                    path=request.path,
                    operation=desk.operation,
                    token=desk.token,
                    status=None if answer.cut else answer.status,
                )
            )
            return answer

    # --- what tests ask --------------------------------------------------------------------------
    def running(self, provider: str | None = None) -> list[Server]:
        """Servers that cost money now, of one provider or of both."""
        with self.lock:
            self.settle()
            chosen = [provider] if provider else [*self.accounts]
            return [server for name in chosen for server in self.accounts[name].billed()]

    def cost_micros(self) -> int:
        """What everything but strangers' servers has cost until now."""
        now = self.now()
        return sum(
            cost_micros(server, now)
            for account in self.accounts.values()
            for server in account.servers.values()
            if not server.stranger
        )

    def add_stranger(self, provider: str, name: str, tags: list[str] | None = None) -> Server:
        """Somebody else's server in the same account, there for an hour already."""
        secret = f"stranger-{provider}"
        account = self.accounts[provider]
        if secret not in account.tokens:
            self.add_token(provider, secret, name="somebody else")
        account.tokens[secret].rates = (
            DigitalOceanRates() if provider == "digitalocean" else LinodeRates()
        )
        body: Json = {"name": name, "size": "s-1vcpu-1gb", "image": "debian-12-x64"}
        path = "/v2/droplets"
        if provider == "linode":
            path = "/v4/linode/instances"
            body = {"label": name, "type": "g6-nanode-1", "region": "de-fra-2"}
        headers = {"authorization": f"Bearer {secret}", "content-type": "application/json"}
        sent = json.dumps(body | {"tags": tags or []}).encode()
        mails, calm = account.mails, replace(self.lags, listed=(0, 0), active=(0, 0))
        account.lags, before = calm, account.lags
        quiet, self.faults.active = self.faults.active, []
        answer = self.handle(Request("POST", path, {}, headers, sent))
        account.lags, account.mails, self.faults.active = before, mails, quiet
        server = account.servers[_made_id(answer)]
        server.stranger = True
        server.created_at -= 3_600_000
        return server

    def add_key(self, name: str, public_key: str) -> Json:
        """Register a public key at DigitalOcean, as its owner would in the console."""
        return digitalocean_others.add_key(self.accounts["digitalocean"], name, public_key)


def _made_id(answer: Answer) -> int:
    made = answer.body.get("droplet", answer.body)
    if "id" not in made:
        raise ValueError(f"not made: {answer.body}")
    return int(made["id"])

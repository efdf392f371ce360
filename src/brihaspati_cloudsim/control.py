"""What `/_sim` answers: the truth about the account, and the bad days to come.

- GET /_sim/ledger what is paid for, what it cost, who was mailed
- GET /_sim/servers every server there ever was; ?running keeps those that are billed
- GET /_sim/requests what was asked, in order
- GET /_sim/faults the faults in force; POST adds one, DELETE ends all
- POST /_sim/strangers {"provider", "name", "tags"}: somebody else's server
- POST /_sim/tokens {"provider", "secret", "scopes", "revoked"}: let in, or shut out
- POST /_sim/account {"provider", "server_limit", "sold_out": [[region, size]]}
- POST /_sim/keys {"name", "public_key"}: an SSH key at DigitalOcean
- POST /_sim/clock {"advance_seconds"}: only where the clock is virtual
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from brihaspati_cloudsim.account import Account
from brihaspati_cloudsim.agenda import VirtualClock
from brihaspati_cloudsim.exchange import Answer, Json
from brihaspati_cloudsim.servers import Server, cost_micros
from brihaspati_cloudsim.world import World


@dataclass(frozen=True, slots=True)
class Asked:
    """One request to the control endpoint."""

    method: str
    what: str
    body: bytes

    def fields(self) -> Json:
        """The JSON object of the body.

        Raises:
            ValueError: it is none.
        """
        try:
            found = json.loads(self.body or b"{}")
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise ValueError("the body must be a JSON object")  # noqa: TRY004 - of the caller
        return found


def answer(world: World, asked: Asked) -> Answer:
    """Answer one control request.

    Raises:
        ValueError: names what is wrong with it.
    """
    handler = HANDLERS.get((asked.method, asked.what.strip("/")))
    if handler is None:
        known = sorted({f"{method} /_sim/{what}" for method, what in HANDLERS})
        return Answer(404, {"error": f"one of: {', '.join(known)}"})
    try:
        with world.lock:
            world.settle()
            return Answer(200, handler(world, asked))
    except KeyError as missing:
        raise ValueError(f"{missing.args[0]}: is needed") from None


def ledger(world: World) -> Json:
    """What exists and what it cost, in all and for each provider."""
    now = world.now()
    return {
        "now": now,
        "cost_micros": world.cost_micros(),
        "accounts": {
            name: {
                "running": sum(not server.stranger for server in account.billed()),
                "strangers": sum(server.stranger for server in account.billed()),
                "made": sum(not server.stranger for server in account.servers.values()),
                "mails": account.mails,
                "images": len(account.images),
                "requests": sum(asked.provider == name for asked in world.asked),
                "refused_for_rate": sum(
                    asked.provider == name and asked.status == 429 for asked in world.asked
                ),
            }
            for name, account in world.accounts.items()
        },
    }


def server_row(world: World, server: Server) -> Json:
    """One server, as it truly is."""
    now = world.now()
    return {
        "id": server.id,
        "provider": server.provider,
        "name": server.name,
        "address": server.address,
        "tags": [*server.tags],
        "created_at": server.created_at,
        "gone_at": server.gone_at,
        "billed": server.is_billed(now),
        "visible": server.is_there(now),
        "stranger": server.stranger,
        "vanished": server.vanished,
        "cost_micros": cost_micros(server, now),
    }


def _servers(world: World, _asked: Asked) -> Any:
    every = [server for account in world.accounts.values() for server in account.servers.values()]
    return [server_row(world, server) for server in every]


def _requests(world: World, _asked: Asked) -> Any:
    return [dataclasses.asdict(asked) for asked in world.asked]


def _faults(world: World, _asked: Asked) -> Any:
    return [dataclasses.asdict(fault) for fault in world.faults.active]


def _add_fault(world: World, asked: Asked) -> Any:
    fields = asked.fields()
    return dataclasses.asdict(world.faults.add(fields.pop("kind", None), **fields))


def _end_faults(world: World, _asked: Asked) -> Any:
    world.faults.active.clear()
    return {}


def _account(world: World, fields: Mapping[str, Any]) -> Account:
    account = world.accounts.get(fields.get("provider", ""))
    if account is None:
        raise ValueError(f"provider: one of {', '.join(world.accounts)}")
    return account


def _stranger(world: World, asked: Asked) -> Any:
    fields = asked.fields()
    account = _account(world, fields)
    made = world.add_stranger(account.provider, fields["name"], fields.get("tags"))
    return server_row(world, made)


def _token(world: World, asked: Asked) -> Any:
    fields = asked.fields()
    account, secret = _account(world, fields), str(fields.get("secret", ""))
    if not secret:
        raise ValueError("secret: the token itself")
    if secret not in account.tokens:
        scopes = fields.get("scopes")
        world.add_token(
            account.provider, secret, scopes=None if scopes is None else frozenset(scopes)
        )
    account.tokens[secret].revoked = bool(fields.get("revoked", False))
    return {}


def _change_account(world: World, asked: Asked) -> Any:
    fields = asked.fields()
    account = _account(world, fields)
    account.server_limit = int(fields.get("server_limit", account.server_limit))
    if "sold_out" in fields:
        account.sold_out = {(region, size) for region, size in fields["sold_out"]}
    return {}


def _key(world: World, asked: Asked) -> Any:
    fields = asked.fields()
    return world.add_key(fields["name"], fields["public_key"])


def _clock(world: World, asked: Asked) -> Any:
    if not isinstance(world.now, VirtualClock):
        text = "advance_seconds: this stand-in's clock runs by itself"
        raise ValueError(text)  # noqa: TRY004 - of the caller
    world.now.advance(float(asked.fields().get("advance_seconds", 0)))
    world.settle()
    return {"now": world.now()}


HANDLERS: dict[tuple[str, str], Callable[[World, Asked], Any]] = {
    ("GET", "ledger"): lambda world, _asked: ledger(world),
    ("GET", "servers"): _servers,
    ("GET", "requests"): _requests,
    ("GET", "faults"): _faults,
    ("POST", "faults"): _add_fault,
    ("DELETE", "faults"): _end_faults,
    ("POST", "strangers"): _stranger,
    ("POST", "tokens"): _token,
    ("POST", "account"): _change_account,
    ("POST", "keys"): _key,
    ("POST", "clock"): _clock,
}

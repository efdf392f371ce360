"""What happened in the account, and how far it is."""

from __future__ import annotations

from brihaspati_cloudsim.account import Account, Call, iso
from brihaspati_cloudsim.exchange import Json, Refusal
from brihaspati_cloudsim.linode import shapes
from brihaspati_cloudsim.servers import Server

FILTERS = {"action", "created", "entity.id", "entity.type", "id", "status"}


def note(account: Account, action: str, server: Server, done_at: int) -> None:
    """Write down something that is done at `done_at`."""
    number = account.next_id()
    account.actions[number] = {
        "id": number,
        "action": action,
        "started_at": account.now(),
        "done_at": done_at,
        "label": server.name,
        "server": server.id,
    }


def _event(account: Account, made: Json) -> Json:
    done = account.now() >= made["done_at"]
    entity = {
        "label": made["label"],
        "id": made["server"],
        "type": "linode",
        "url": f"/v4/linode/instances/{made['server']}",
    }
    return {
        "id": made["id"],
        "created": iso(made["started_at"]),
        "seen": False,
        "read": False,
        "percent_complete": 100 if done else 0,
        "time_remaining": None,
        "rate": None,
        "duration": (made["done_at"] - made["started_at"]) / 1000 if done else None,
        "action": made["action"],
        "username": "stand-in",
        "entity": entity,
        "status": "finished" if done else "started",
        "secondary_entity": None,
        "message": "",
    }


def show_all(account: Account, call: Call) -> Json:
    """Newest first."""
    shown = [_event(account, made) for made in list(account.actions.values())[::-1]]
    return shapes.page(call, shown, FILTERS)


def show(account: Account, call: Call) -> Json:
    """One event."""
    wanted = call.path["eventId"]
    made = account.actions.get(int(wanted)) if wanted.isdigit() else None
    if made is None:
        raise Refusal(404, "Not found")
    return _event(account, made)

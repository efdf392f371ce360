"""Zones and records of names."""

from __future__ import annotations

from brihaspati_cloudsim.account import Account, Call
from brihaspati_cloudsim.digitalocean import shapes
from brihaspati_cloudsim.exchange import Answer, Json, Refusal, not_found

TTL_SECONDS_MIN = 30


def domain_list(account: Account, call: Call) -> Json:
    """All zones."""
    return shapes.page(call, "domains", [_domain(name) for name in account.domains])


def _domain(name: str) -> Json:
    return {"name": name, "ttl": 1800, "zone_file": f"$ORIGIN {name}.\n$TTL 1800\n"}


def domain_create(account: Account, call: Call) -> Answer:
    """A new zone."""
    name = call.body["name"]
    if name in account.domains:
        raise Refusal(422, "name has already been taken")
    account.domains[name] = {"name": name}
    account.records[name] = {}
    return Answer(201, {"domain": _domain(name)})


def _zone(account: Account, call: Call) -> dict[int, Json]:
    name = call.path["domain_name"]
    if name not in account.domains:
        raise not_found()
    return account.records[name]


def domain_get(account: Account, call: Call) -> Json:
    """One zone."""
    _zone(account, call)
    return {"domain": _domain(call.path["domain_name"])}


def domain_delete(account: Account, call: Call) -> Answer:
    """A zone and its records are no more."""
    _zone(account, call).clear()
    del account.domains[call.path["domain_name"]]
    return Answer(204)


def record_list(account: Account, call: Call) -> Json:
    """Records, by type and full name."""
    zone, query = _zone(account, call), call.query
    name = query.get("name", "").removesuffix("." + call.path["domain_name"])
    shown = [
        record
        for record in zone.values()
        if query.get("type") in (None, record["type"]) and name in ("", record["name"])
    ]
    return shapes.page(call, "domain_records", shown)


def _record(call: Call, number: int, old: Json) -> Json:
    names = ("type", "name", "data", "priority", "port", "ttl", "weight", "flags", "tag")
    blank: Json = dict.fromkeys(names)
    given = {name: call.body[name] for name in names if name in call.body}
    record = blank | {"ttl": 1800} | old | given | {"id": number}
    if not isinstance(record["ttl"], int) or record["ttl"] < TTL_SECONDS_MIN:
        raise Refusal(422, f"TTL must be at least {TTL_SECONDS_MIN}")
    if record["data"] is None:
        raise Refusal(422, "Data can't be blank")
    return record


def record_create(account: Account, call: Call) -> Answer:
    """A new record."""
    zone, number = _zone(account, call), account.next_id()
    zone[number] = _record(call, number, {})
    return Answer(201, {"domain_record": zone[number]})


def _row(account: Account, call: Call) -> tuple[dict[int, Json], int]:
    zone, wanted = _zone(account, call), call.path["domain_record_id"]
    if not wanted.isdigit() or int(wanted) not in zone:
        raise not_found()
    return zone, int(wanted)


def record_get(account: Account, call: Call) -> Json:
    """One record."""
    zone, number = _row(account, call)
    return {"domain_record": zone[number]}


def record_update(account: Account, call: Call) -> Json:
    """Change what is given."""
    zone, number = _row(account, call)
    zone[number] = _record(call, number, zone[number])
    return {"domain_record": zone[number]}


def record_delete(account: Account, call: Call) -> Answer:
    """A record is no more."""
    zone, number = _row(account, call)
    del zone[number]
    return Answer(204)

"""Zones and records of names."""

from __future__ import annotations

from brihaspati_cloudsim.account import Account, Call, iso
from brihaspati_cloudsim.exchange import Json, Refusal
from brihaspati_cloudsim.linode import shapes

RECORD = {
    "type": "A", "name": "", "target": "", "priority": 0, "weight": 0, "port": 0,
    "service": None, "protocol": None, "ttl_sec": 0, "tag": None,
}  # fmt: skip


def domain_list(account: Account, call: Call) -> Json:
    """All zones."""
    allowed = {"id", "domain", "group", "tags", "type"}
    return shapes.page(call, [zone["shown"] for zone in account.domains.values()], allowed)


def domain_create(account: Account, call: Call) -> Json:
    """A new zone; a master needs an address for its SOA record."""
    body, when = call.body, iso(account.now())
    if any(zone["shown"]["domain"] == body["domain"] for zone in account.domains.values()):
        raise Refusal(400, "DNS zone already exists.", field="domain")
    if body["type"] == "master" and not body.get("soa_email"):
        raise Refusal(400, "soa_email required when type=master", field="soa_email")
    number = account.next_id()
    shown = {
        "id": number,
        "type": body["type"],
        "domain": body["domain"],
        "tags": body.get("tags") or [],
        "group": "",
        "status": body.get("status", "active"),
        "errors": "",
        "description": body.get("description", ""),
        "soa_email": body.get("soa_email", ""),
        "master_ips": body.get("master_ips") or [],
        "axfr_ips": body.get("axfr_ips") or [],
        "created": when,
        "updated": when,
    } | {name: body.get(name, 0) for name in ("retry_sec", "expire_sec", "refresh_sec", "ttl_sec")}
    account.domains[str(number)] = {"shown": shown}
    account.records[str(number)] = {}
    return shown


def _zone(account: Account, call: Call) -> str:
    if call.path["domainId"] not in account.domains:
        raise Refusal(404, "Not found")
    return call.path["domainId"]


def domain_get(account: Account, call: Call) -> Json:
    """One zone."""
    shown: Json = account.domains[_zone(account, call)]["shown"]
    return shown


def domain_delete(account: Account, call: Call) -> Json:
    """A zone and its records are no more."""
    zone = _zone(account, call)
    del account.domains[zone], account.records[zone]
    return {}


def record_list(account: Account, call: Call) -> Json:
    """All records of a zone."""
    records = [*account.records[_zone(account, call)].values()]
    return shapes.page(call, records, {"id", "name", "type", "target", "tag"})


def record_create(account: Account, call: Call) -> Json:
    """A new record."""
    zone, number, when = _zone(account, call), account.next_id(), iso(account.now())
    if not call.body.get("target"):
        raise Refusal(400, "target is required", field="target")
    given = {name: call.body[name] for name in RECORD if name in call.body}
    record = {"id": number} | RECORD | given | {"created": when, "updated": when}
    account.records[zone][number] = record
    return record


def _row(account: Account, call: Call) -> tuple[str, int]:
    zone, wanted = _zone(account, call), call.path["recordId"]
    if not wanted.isdigit() or int(wanted) not in account.records[zone]:
        raise Refusal(404, "Not found")
    return zone, int(wanted)


def record_get(account: Account, call: Call) -> Json:
    """One record."""
    zone, number = _row(account, call)
    return account.records[zone][number]


def record_update(account: Account, call: Call) -> Json:
    """Change what is given."""
    zone, number = _row(account, call)
    given = {name: call.body[name] for name in RECORD if name in call.body}
    account.records[zone][number] |= given | {"updated": iso(account.now())}
    return account.records[zone][number]


def record_delete(account: Account, call: Call) -> Json:
    """A record is no more."""
    zone, number = _row(account, call)
    del account.records[zone][number]
    return {}

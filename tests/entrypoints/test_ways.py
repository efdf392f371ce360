"""Where a browser is sent with a ticket: to a rented machine by name, by address, or through us."""

from __future__ import annotations

import pytest

from brihaspati.engine.machines import Beat
from brihaspati.engine.records import Person
from brihaspati.entrypoints.http.addresses import Addresses, Relay
from brihaspati.entrypoints.http.api import Api
from brihaspati.entrypoints.server.web import policy
from engine.test_machines import ADDRESS, Rental
from engine.test_names import ZONE, Named
from house import ORIGIN, Browser

SANDBOX = "/v1/classes/demo/labs/hello/sandbox"
LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"
RELAYED = "ws://localhost:8000/relay/terminal"
DIRECT = f"wss://{ADDRESS}/agent/terminal"


def addresses(relay: Relay = "auto", names: str = "") -> Addresses:
    origins = frozenset({ORIGIN})
    return Addresses(
        origins, "localhost", issuer=LETS_ENCRYPT, rents=True, relay=relay, names=names
    )


def sent(rental: Rental, where: Addresses, **wanted: object) -> tuple[str, str | None]:
    """Where the student of a ready machine is sent, and where else; without the ticket."""
    known, engine = rental.begun(), rental.house.engine
    rental.machines.named(known)
    rental.machines.hear(known, Beat("ready"))
    assert rental.slot.user is not None
    token, _ = engine.classes.invite(engine.member(rental.slot.user).person)
    browser = Browser(rental.house)
    browser.api = Api(engine, where)
    browser.send("POST", "/v1/sign-in", {"token": token})
    said = browser.send("POST", f"{SANDBOX}/ticket", wanted or {"for": "terminal"})
    return said["url"].partition("?")[0], (said["relay"] or "").partition("?")[0] or None


@pytest.mark.parametrize(
    ("relay", "ways"),
    [("auto", (DIRECT, RELAYED)), ("always", (RELAYED, RELAYED)), ("never", (DIRECT, None))],
)
def test_the_relay_is_for_those_it_is_set_for(relay: Relay, ways: tuple[str, str | None]) -> None:
    assert sent(Rental(), addresses(relay)) == ways


def test_a_port_is_seen_on_a_port_of_the_address_or_below_the_name() -> None:
    wanted = {"for": "preview", "port": 8080}
    rental = Rental()
    through = f"http://p8080--{rental.sandbox.id}-main.localhost:8000/_brihaspati/open"
    direct = f"https://{ADDRESS}:8443/_brihaspati/open"
    assert sent(rental, addresses(), **wanted) == (direct, through)
    named = Named()
    named.names.fill()
    url, _ = sent(named, addresses(names=ZONE), **wanted)
    host = named.machines.host(named.sandbox.id, named.label)
    assert url == f"https://p8080--{named.sandbox.id}-main.{host}/_brihaspati/open"


def test_a_machine_with_a_name_is_found_by_it_and_one_without_is_reached_through_us() -> None:
    named = Named()
    named.names.fill()
    url, relay = sent(named, addresses(names=ZONE))
    host = named.machines.host(named.sandbox.id, named.label)
    assert (url, relay) == (f"wss://at.{host}/agent/terminal", RELAYED)
    assert sent(Named(), addresses(names=ZONE)) == (RELAYED, RELAYED)


def test_a_trainer_who_watches_goes_where_the_student_goes() -> None:
    rental = Rental()
    sent(rental, addresses())
    classes = rental.house.engine.classes
    iyer = classes.ensure_person(Person("iyer", "Prof. Iyer", "instructor"))
    classes.instruct(classes.get("demo"), iyer)
    trainer, _ = classes.invite(iyer)
    browser = Browser(rental.house)
    browser.api = Api(rental.house.engine, addresses())
    browser.send("POST", "/v1/sign-in", {"token": trainer})
    said = browser.send("POST", f"{SANDBOX}/watch?student={rental.slot.user}", {})
    assert (said["url"], said["relay"]) == (DIRECT, RELAYED)


@pytest.mark.parametrize(
    ("where", "lines", "frames"),
    [
        (addresses(), " wss:", " https:"),
        (addresses("never", ZONE), " wss:", " https:"),
        (addresses("always"), "", ""),
        (addresses(names=ZONE), f" wss://*.{ZONE}", f" https://*.{ZONE}"),
    ],
)
def test_the_page_may_go_where_it_is_sent_and_with_names_nowhere_else(
    where: Addresses, lines: str, frames: str
) -> None:
    said = policy("<html></html>", "localhost:8000", where)
    assert f"connect-src 'self' ws://localhost:8000{lines};" in said
    assert said.endswith(f"frame-src http://*.localhost:8000{frames}")

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent import stage
from brihaspati.domain import tickets as control_plane
from brihaspati_agent import tickets

CLOCK = stage.Clock()
SIGNER = stage.Signer(CLOCK)


@pytest.fixture
def gate() -> tickets.Gate:
    return tickets.Gate(SIGNER.public, stage.ENV, lambda: CLOCK.at, CLOCK.at - 1000)


def _reason(gate: tickets.Gate, text: str, permission: tickets.Permission = "terminal") -> str:
    with pytest.raises(tickets.Refused) as refused:
        gate.admit(text, permission)
    assert str(refused.value).startswith(refused.value.reason + ": ")
    return refused.value.reason


def test_a_genuine_ticket_says_what_it_opens(gate: tickets.Gate) -> None:
    ticket = gate.admit(SIGNER.ticket(terminals={"web": ["box", None]}), "terminal")
    assert ticket.sandbox == "abc234"
    assert ticket.terminals == {"web": tickets.TerminalChoice("box", None)}
    assert ticket.may == {"terminal"}


def test_a_ticket_of_the_control_plane_is_understood(gate: tickets.Gate) -> None:
    made = control_plane.Ticket(
        id="n" * 20,
        env=stage.ENV,
        sandbox="abc234",
        machines={"main": "l"},
        terminals={"main": ("main", ("top", "-d1")), "sh": ("main", None)},
        user="u",
        name="Zoë",
        may=("preview",),
        issued_at=CLOCK.at,
        expires_at=CLOCK.at + control_plane.LIFE_MS,
        port=8080,
        machine="main",
    )
    ticket = gate.admit(control_plane.seal(made, SIGNER.key.sign), "preview", "watch")
    assert (ticket.name, ticket.port, ticket.machine) == ("Zoë", 8080, "main")
    assert ticket.terminals["main"].command == ("top", "-d1")


def test_a_ticket_works_once(gate: tickets.Gate) -> None:
    text = SIGNER.ticket()
    gate.admit(text, "terminal")
    assert _reason(gate, text) == "used"


def test_a_refused_permission_does_not_use_the_ticket_up(gate: tickets.Gate) -> None:
    text = SIGNER.ticket()
    assert _reason(gate, text, "control") == "forbidden"
    gate.admit(text, "terminal")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"expires_at": CLOCK.at}, "expired"),
        ({"issued_at": CLOCK.at + 5001, "expires_at": CLOCK.at + 9000}, "early"),
        ({"issued_at": CLOCK.at - 1001, "expires_at": CLOCK.at + 9000}, "restarted"),
        ({"expires_at": CLOCK.at + 120_001}, "malformed"),
        ({"env": "other"}, "deployment"),
        ({"may": []}, "forbidden"),
        ({"v": 2}, "malformed"),
        ({"id": "short"}, "malformed"),
        ({"sandbox": ""}, "malformed"),
        ({"machines": []}, "malformed"),
        ({"terminals": {"main": ["main"]}}, "malformed"),
        ({"port": "http"}, "malformed"),
        ({"issued_at": None}, "malformed"),
    ],
)
def test_what_a_signed_ticket_may_not_say(
    gate: tickets.Gate, changes: dict[str, object], reason: str
) -> None:
    assert _reason(gate, SIGNER.ticket(**changes)) == reason


def test_a_little_clock_skew_is_forgiven(gate: tickets.Gate) -> None:
    gate.admit(SIGNER.ticket(issued_at=CLOCK.at + 5000), "terminal")


def test_another_key_is_forged(gate: tickets.Gate) -> None:
    text = stage.seal(SIGNER.payload(), Ed25519PrivateKey.generate().sign)
    assert _reason(gate, text) == "forged"


def test_a_changed_payload_is_forged(gate: tickets.Gate) -> None:
    genuine = SIGNER.ticket()
    other = stage.seal(SIGNER.payload(sandbox="other2"), SIGNER.key.sign)
    assert _reason(gate, f"{other.partition('.')[0]}.{genuine.partition('.')[2]}") == "forged"


def test_a_signature_for_another_purpose_is_forged(gate: tickets.Gate) -> None:
    body = json.dumps(SIGNER.payload()).encode()
    text = stage.seal(SIGNER.payload(), lambda _: SIGNER.key.sign(body))
    assert _reason(gate, text) == "forged"


@pytest.mark.parametrize("text", ["", ".", "a", "a.b", "é.é", "!!.!!", "x" * 9000, "e30=.e30="])
def test_rubbish_is_malformed_or_forged(gate: tickets.Gate, text: str) -> None:
    assert _reason(gate, text) in {"malformed", "forged"}


@pytest.mark.parametrize("body", [b"[]", b"{}", b"null", b"not json"])
def test_a_signed_payload_that_is_no_ticket_is_malformed(gate: tickets.Gate, body: bytes) -> None:
    signature = SIGNER.key.sign(tickets.SIGNED_PREFIX + body)
    text = f"{control_plane._encode(body)}.{control_plane._encode(signature)}"
    assert _reason(gate, text) == "malformed"


def test_used_tickets_are_remembered_only_until_they_expire() -> None:
    clock = stage.Clock()
    signer = stage.Signer(clock)
    gate = tickets.Gate(signer.public, stage.ENV, clock, clock())
    for _ in range(50):
        gate.admit(signer.ticket(), "terminal")
    assert gate.remembered == 50
    clock.at += 60_000
    gate.admit(signer.ticket(), "terminal")
    assert gate.remembered == 1

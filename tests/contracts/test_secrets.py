"""What every keeper of keys keeps."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ed25519

from brihaspati import ports
from brihaspati.adapters import keyring, memory


@pytest.fixture(params=["memory", "keyring"])
def secrets(request: pytest.FixtureRequest, tmp_path: Path) -> ports.Secrets:
    return memory.Secrets() if request.param == "memory" else keyring.Keyring(tmp_path)


def test_a_signature_is_verified_by_the_public_key_alone(secrets: ports.Secrets) -> None:
    public = ed25519.Ed25519PublicKey.from_public_bytes(secrets.public_key())
    signature = secrets.sign(b"ticket")
    assert len(signature) == 64
    public.verify(signature, b"ticket")
    with pytest.raises(InvalidSignature):
        public.verify(signature, b"ticket2")


def test_macs_differ_by_purpose_and_message_and_repeat_otherwise(secrets: ports.Secrets) -> None:
    macs = {secrets.mac(p, m) for p in ("session", "link", "é") for m in (b"", b"a", b"b")}
    assert len(macs) == 9
    assert {len(mac) for mac in macs} == {32}
    assert secrets.mac("session", b"a") == secrets.mac("session", b"a")


def test_purpose_and_message_have_a_border(secrets: ports.Secrets) -> None:
    assert secrets.mac("ab", b"c") != secrets.mac("a", b"bc")

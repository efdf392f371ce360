"""What every keeper of keys keeps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ed25519

from brihaspati import ports
from brihaspati.adapters import keyring, memory, ssm
from contracts import engines
from emulators import amazon_stand


@pytest.fixture(params=["memory", "keyring", "ssm"])
def secrets(request: pytest.FixtureRequest, stand: engines.Stand, tmp_path: Path) -> ports.Secrets:
    if request.param == "memory":
        return memory.Secrets()
    if request.param == "keyring":
        return keyring.Keyring(tmp_path)
    return amazon_stand.keys(stand.address(stand.amazon), tmp_path)


def test_keys_that_move_to_the_cloud_stay_the_same(stand: engines.Stand, tmp_path: Path) -> None:
    # So cookies, links and the machines that run go on.
    files = keyring.Keyring(tmp_path)
    moved = amazon_stand.keys(stand.address(stand.amazon), tmp_path)
    assert moved.public_key() == files.public_key()
    for purpose in ("session", "é", ""):
        assert moved.mac(purpose, b"x") == files.mac(purpose, b"x")


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


@pytest.mark.parametrize("verify", [keyring.verify, ssm.verify])
def test_only_the_right_signature_of_the_right_key_is_believed(
    verify: Callable[[bytes, bytes, bytes], bool], secrets: ports.Secrets
) -> None:
    key, signature = secrets.public_key(), secrets.sign(b"a beat")
    assert verify(key, signature, b"a beat")
    assert not verify(key, signature, b"another")
    assert not verify(bytes(31) + b"\x01", signature, b"a beat")
    for broken in (b"", signature[:-1], signature + b"x", bytes(64)):
        assert not verify(key, broken, b"a beat")
    for short in (b"", key[:-1]):
        assert not verify(short, signature, b"a beat")

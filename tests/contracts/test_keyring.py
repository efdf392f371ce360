"""Keys as files: made once, kept to their owner, refused when they are not."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import x25519

from brihaspati.adapters import keyring

FILES = [keyring.SIGNING_FILE, keyring.MAC_FILE]


def _marks(ring: keyring.Keyring) -> tuple[bytes, bytes]:
    return ring.public_key(), ring.mac("session", b"x")


def test_the_same_keys_are_found_again(tmp_path: Path) -> None:
    assert _marks(keyring.Keyring(tmp_path)) == _marks(keyring.Keyring(tmp_path))


def test_every_folder_has_keys_of_its_own(tmp_path: Path) -> None:
    one, two = _marks(keyring.Keyring(tmp_path / "1")), _marks(keyring.Keyring(tmp_path / "2"))
    assert one[0] != two[0]
    assert one[1] != two[1]


def test_key_files_are_for_their_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        keyring.Keyring(tmp_path / "data")
    finally:
        os.umask(old)
    modes = {p.name: p.stat().st_mode & 0o777 for p in (tmp_path / "data").iterdir()}
    assert modes == dict.fromkeys(FILES, 0o600)
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644])
def test_a_key_others_may_read_is_refused_with_the_remedy(
    tmp_path: Path, name: str, mode: int
) -> None:
    keyring.Keyring(tmp_path)
    (tmp_path / name).chmod(mode)
    with pytest.raises(keyring.KeyringError, match=f"chmod 600 {tmp_path / name}"):
        keyring.Keyring(tmp_path)
    (tmp_path / name).chmod(0o600)
    keyring.Keyring(tmp_path)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("content", [b"", b"garbage\n", b"AAAA\n", b"\xff\xfe", b"x" * 9000])
def test_a_broken_key_is_refused_and_never_replaced(
    tmp_path: Path, name: str, content: bytes
) -> None:
    keyring.Keyring(tmp_path)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(keyring.KeyringError, match=f"{tmp_path / name} holds no key of ours"):
        keyring.Keyring(tmp_path)
    assert (tmp_path / name).read_bytes() == content


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    keyring.Keyring(tmp_path)
    # X25519 is for agreeing on keys, not for signing.
    other = x25519.X25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (tmp_path / keyring.SIGNING_FILE).write_bytes(other)
    with pytest.raises(keyring.KeyringError, match="holds no key of ours"):
        keyring.Keyring(tmp_path)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(keyring.KeyringError, match=f"cannot open or make {tmp_path / 'file'}"):
        keyring.Keyring(tmp_path / "file")


def test_a_link_to_nowhere_is_not_followed_into_a_new_key(tmp_path: Path) -> None:
    (tmp_path / keyring.MAC_FILE).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(keyring.KeyringError, match="cannot open or make"):
        keyring.Keyring(tmp_path)
    assert not (tmp_path / "elsewhere").exists()


def test_all_who_start_at_once_agree_on_the_keys(tmp_path: Path) -> None:
    found: list[tuple[bytes, bytes]] = []
    start = threading.Barrier(8)

    def open_ring() -> None:
        start.wait()
        found.append(_marks(keyring.Keyring(tmp_path)))

    threads = [threading.Thread(target=open_ring) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(FILES)

"""The control plane's keys as files of the data folder, readable by their owner only.

`signing.key` is the Ed25519 key whose public half every agent holds; `mac.key` is the root from
which the keys of cookies and one-time links are derived, one per purpose. Each is made once.
"""

from __future__ import annotations

import base64
import functools
import hmac
import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.kdf import hkdf

SIGNING_FILE = "signing.key"
MAC_FILE = "mac.key"
_FILE_BYTES_MAX = 4096


class KeyringError(Exception):
    """A key file cannot be used. The text names the file and what to do."""


class Keyring:
    """`ports.Secrets` over two files of a folder, created at first use with mode 0600.

    Raises KeyringError when a file may be read by others, is broken or cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self._private = _signing_key(folder / SIGNING_FILE)
        self._public = self._private.public_key().public_bytes_raw()
        self._root = _mac_root(folder / MAC_FILE)
        self._mac_key = functools.lru_cache(maxsize=64)(self._derive)

    def sign(self, message: bytes) -> bytes:
        """Ed25519 signature, 64 bytes."""
        return self._private.sign(message)

    def public_key(self) -> bytes:
        """The raw 32-byte public key."""
        return self._public

    def mac(self, purpose: str, message: bytes) -> bytes:
        """HMAC-SHA256 under the key of this purpose, 32 bytes."""
        return hmac.digest(self._mac_key(purpose), message, "sha256")

    def _derive(self, purpose: str) -> bytes:
        info = b"brihaspati-mac-1\n" + purpose.encode()
        return hkdf.HKDF(hashes.SHA256(), length=32, salt=None, info=info).derive(self._root)


def verify(key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether an Ed25519 key, 32 raw bytes, made this signature of this message."""
    try:
        ed25519.Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _signing_key(path: Path) -> ed25519.Ed25519PrivateKey:
    try:
        content = _load(path, _new_signing_key)
        key: object = serialization.load_pem_private_key(content, password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        raise _broken(path, "labs that run now would refuse their students")
    return key


def _new_signing_key() -> bytes:
    return ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _mac_root(path: Path) -> bytes:
    try:
        root = base64.b64decode(_load(path, _new_mac_root).strip(), validate=True)
    except ValueError:
        root = b""
    if len(root) != 32:
        raise _broken(path, "everybody would have to sign in again")
    return root


def _new_mac_root() -> bytes:
    return base64.b64encode(secrets.token_bytes(32)) + b"\n"


def _broken(path: Path, price: str) -> KeyringError:
    return KeyringError(
        f"{path} holds no key of ours: restore it from a backup, or delete it to have a new one"
        f" made ({price})"
    )


def kept(path: Path, make: Callable[[], bytes]) -> bytes:
    """A key's file, made by whoever is first and readable by us only. Raises KeyringError."""
    return _load(path, make)


def _load(path: Path, make: Callable[[], bytes]) -> bytes:
    """The file's content; made first if it is absent, by exactly one of those who try."""
    try:
        if not path.exists():
            _create(path, make())
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise KeyringError(
            f"cannot open or make {path}: {error.strerror}; run as the owner of the data folder"
        ) from error
    with os.fdopen(descriptor, "rb") as file:
        mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
        if mode & 0o077:
            raise KeyringError(
                f"{path} may be read by other users (mode {mode:04o}): run `chmod 600 {path}`,"
                " and delete it first if somebody may have copied it"
            )
        return file.read(_FILE_BYTES_MAX)


def _create(path: Path, content: bytes) -> None:
    """Appear whole or not at all, never over another's file: write aside, then link."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        try:
            os.link(aside, path)
        except FileExistsError:
            return  # somebody was quicker: theirs is the key
    finally:
        aside.unlink()
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)

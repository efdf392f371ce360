"""`ports.Secrets` over SecureString parameters, each read when it is first needed and then kept.

`<prefix>/signing-key` is the Ed25519 key in PEM, `<prefix>/mac-key` 32 bytes in base64: what the
files `signing.key` and `mac.key` of the embedded mode hold, so keys can move from one to the other.
Only what signs loads the library that can.
"""

from __future__ import annotations

import base64
import functools
import hmac
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from brihaspati import ports

if TYPE_CHECKING:
    from nacl import signing

SIGNING_NAME = "signing-key"
MAC_NAME = "mac-key"
_MAKERS = {
    SIGNING_NAME: "openssl genpkey -algorithm ed25519",
    MAC_NAME: "openssl rand -base64 32",
}
_MAC_BYTES = 32
# A key as openssl writes it: PKCS #8 (RFC 8410), of which the last 32 bytes are the key itself.
_PEM_FRAME = ["-----BEGIN", "PRIVATE", "PRIVATE", "KEY-----"]
_PKCS8_ED25519 = bytes.fromhex("302e020100300506032b657004220420")
_REFUSALS = {
    "AccessDeniedException": "this function's role may not read it",
    "InvalidKeyId": "its encryption key is not there any more",
}
Ask = Callable[..., dict[str, Any]]


class MissingSecret(ports.NotSetUp):
    """A parameter that is not there or cannot be used; the text names it and says what to do."""


class Parameters:
    """Secrets by name under a prefix. Each is read once in a process, by one thread."""

    def __init__(self, ask: Ask, prefix: str) -> None:
        self._ask = ask
        self._prefix = prefix.rstrip("/")
        self._lock = threading.Lock()
        self._known: dict[str, str] = {}

    def path(self, name: str) -> str:
        """The whole name of a parameter."""
        return f"{self._prefix}/{name}"

    def text(self, name: str) -> str:
        """A secret. Raises MissingSecret or Busy; an error is not kept."""
        with self._lock:
            if name not in self._known:
                self._known[name] = self._read(name)
            return self._known[name]

    def maker(self, name: str) -> str:
        """The command that makes a parameter."""
        value = f'"$({_MAKERS[name]})"' if name in _MAKERS else "…"
        return f"aws ssm put-parameter --type SecureString --name {self.path(name)} --value {value}"

    def _read(self, name: str) -> str:
        from botocore import exceptions  # noqa: PLC0415 - only who reads one needs it

        try:
            answer = self._ask("get_parameter", Name=self.path(name), WithDecryption=True)
        except exceptions.ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code == "ParameterNotFound":
                raise MissingSecret(
                    f"the parameter {self.path(name)} is not there; make it: {self.maker(name)}"
                ) from None
            if code in _REFUSALS:
                raise MissingSecret(
                    f"the parameter {self.path(name)} cannot be read: {_REFUSALS[code]}"
                ) from error
            raise
        found = answer["Parameter"]
        if found.get("Type") != "SecureString":
            raise MissingSecret(
                f"the parameter {self.path(name)} is not encrypted: replace what it holds, and"
                f" make it anew: {self.maker(name)} --overwrite"
            )
        text: str = found["Value"]
        return text


class Keys:
    """`ports.Secrets` over two parameters."""

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters
        self._mac_key = functools.lru_cache(maxsize=64)(self._derive)

    def sign(self, message: bytes) -> bytes:
        """Ed25519 signature, 64 bytes. Raises MissingSecret."""
        return self._private.sign(message).signature

    def public_key(self) -> bytes:
        """The raw 32-byte public key. Raises MissingSecret."""
        return bytes(self._private.verify_key)

    def mac(self, purpose: str, message: bytes) -> bytes:
        """HMAC-SHA256 under the key of this purpose, 32 bytes. Raises MissingSecret."""
        return hmac.digest(self._mac_key(purpose), message, "sha256")

    @functools.cached_property
    def _private(self) -> signing.SigningKey:
        # Most functions never sign. PyNaCl is a fifth of cryptography's size.
        from nacl import signing  # noqa: PLC0415

        lines = self._parameters.text(SIGNING_NAME).split()
        try:
            if lines[:2] + lines[-2:] != _PEM_FRAME:
                raise ValueError("another kind of file")
            key = base64.b64decode("".join(lines[3:-3]), validate=True)
            if not key.startswith(_PKCS8_ED25519) or len(key) != len(_PKCS8_ED25519) + 32:
                raise ValueError("another kind of key")
        except ValueError:
            raise self._broken(SIGNING_NAME) from None
        return signing.SigningKey(key[len(_PKCS8_ED25519) :])

    @functools.cached_property
    def _root(self) -> bytes:
        try:
            root = base64.b64decode(self._parameters.text(MAC_NAME).strip(), validate=True)
        except ValueError:
            root = b""
        if len(root) != _MAC_BYTES:
            raise self._broken(MAC_NAME)
        return root

    def _derive(self, purpose: str) -> bytes:
        """HKDF-SHA256 (RFC 5869) to one block, without a salt."""
        info = b"brihaspati-mac-1\n" + purpose.encode()
        extracted = hmac.digest(bytes(_MAC_BYTES), self._root, "sha256")
        return hmac.digest(extracted, info + b"\x01", "sha256")

    def _broken(self, name: str) -> MissingSecret:
        parameters = self._parameters
        return MissingSecret(
            f"the parameter {parameters.path(name)} holds no key of ours: restore it, or make it"
            f" anew: {parameters.maker(name)} --overwrite"
        )


def verify(key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether an Ed25519 key, 32 raw bytes, made this signature of this message."""
    # As above: only who hears machines needs it.
    from nacl import exceptions, signing  # noqa: PLC0415

    try:
        signing.VerifyKey(key).verify(message, signature)
    except (exceptions.CryptoError, ValueError):
        return False
    return True

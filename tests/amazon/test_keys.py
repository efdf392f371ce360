"""Secrets in the parameter store: read once and late, refused in words when they are no use."""

from __future__ import annotations

import secrets
import threading
from typing import Any

import pytest
from botocore import exceptions

from brihaspati.adapters import amazon, ssm
from emulators import amazon_stand


@pytest.fixture
def ask(address: str) -> amazon.Ask:
    return amazon_stand.services_at(address).of("ssm")


@pytest.fixture
def parameters(ask: amazon.Ask) -> ssm.Parameters:
    return ssm.Parameters(ask, f"/brihaspati/{secrets.token_hex(4)}")


def _make(
    ask: amazon.Ask, parameters: ssm.Parameters, name: str, value: str, kind: str = "SecureString"
) -> None:
    ask("put_parameter", Name=parameters.path(name), Value=value, Type=kind, Overwrite=True)


def test_a_missing_secret_names_the_parameter_and_the_command_that_makes_it(
    ask: amazon.Ask, parameters: ssm.Parameters
) -> None:
    keys = ssm.Keys(parameters)
    path = parameters.path("mac-key")
    expected = rf"{path} is not there; make it: aws ssm put-parameter .*{path}.*openssl rand"
    with pytest.raises(ssm.MissingSecret, match=expected):
        keys.mac("session", b"x")
    with pytest.raises(ssm.MissingSecret, match="openssl genpkey -algorithm ed25519"):
        keys.sign(b"x")
    _make(ask, parameters, "mac-key", "A" * 43 + "=")
    assert len(keys.mac("session", b"x")) == 32  # what was missing is looked for again


@pytest.mark.parametrize("name", [ssm.SIGNING_NAME, ssm.MAC_NAME])
@pytest.mark.parametrize("text", ["garbage", "AAAA", "-----BEGIN PRIVATE KEY-----"])
def test_a_broken_secret_is_refused(
    ask: amazon.Ask, parameters: ssm.Parameters, name: str, text: str
) -> None:
    _make(ask, parameters, name, text)
    keys = ssm.Keys(parameters)
    with pytest.raises(ssm.MissingSecret, match=f"{parameters.path(name)} holds no key of ours"):
        _ = keys.sign(b"x") if name == ssm.SIGNING_NAME else keys.mac("session", b"x")


def test_a_secret_that_lies_open_is_refused(ask: amazon.Ask, parameters: ssm.Parameters) -> None:
    _make(ask, parameters, "linode-token", "abc", "String")
    with pytest.raises(ssm.MissingSecret, match=r"not encrypted.*--overwrite"):
        parameters.text("linode-token")


def test_a_secret_is_read_once_by_all_who_need_it_at_once() -> None:
    asked: list[str] = []

    def ask(operation: str, **given: Any) -> dict[str, Any]:
        asked.append(f"{operation} {given['Name']} {given['WithDecryption']}")
        return {"Parameter": {"Type": "SecureString", "Value": "abc"}}

    found: list[str] = []
    parameters = ssm.Parameters(ask, "/p/")
    start = threading.Barrier(6)

    def read() -> None:
        start.wait()
        found.append(parameters.text("token"))

    threads = [threading.Thread(target=read) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["abc"] * 6
    assert asked == ["get_parameter /p/token True"]


def test_a_role_that_may_not_read_is_told_so() -> None:
    def ask(operation: str, **_: Any) -> dict[str, Any]:
        raise exceptions.ClientError({"Error": {"Code": "AccessDeniedException"}}, operation)

    with pytest.raises(ssm.MissingSecret, match=r"/p/token cannot be read: .*role"):
        ssm.Parameters(ask, "/p").text("token")

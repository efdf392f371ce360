"""What is missing before a deployment is said, with what to do about it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore import exceptions as wire

from amazon.deployed import ENV, Deployed
from brihaspati import ports, settings, wiring
from brihaspati.entrypoints.cli import main as cli
from brihaspati.wiring import predeploy

CHOSEN = {
    "BRIHASPATI_STAGE": "prod",
    "BRIHASPATI_ORIGINS": "https://labs.example.org",
    "BRIHASPATI_MAIL_FROM": "labs@example.org",
}
WHOLE: Mapping[str, Any] = {
    "get_caller_identity": {"Account": "1", "Arn": "arn:me"},
    "get_parameter": {"Parameter": {"Type": "SecureString", "Value": "x"}},
    "get_account_settings": {"AccountLimit": {"ConcurrentExecutions": 1000}},
    "describe_table": {"Table": {"DeletionProtectionEnabled": True}},
    "get_email_identity": {"VerifiedForSendingStatus": True},
}


def refusal(code: str) -> wire.ClientError:
    return wire.ClientError({"Error": {"Code": code, "Message": "no"}}, "Ask")


def found(
    clone: Path, answers: Mapping[str, Any] | None = None, **more: str
) -> dict[str, predeploy.Fact]:
    """What is said of an account that answers so, by name."""

    def of(_service: str) -> Callable[..., dict[str, Any]]:
        def ask(operation: str, **_: Any) -> dict[str, Any]:
            answer = {**WHOLE, **(answers or {})}[operation]
            if isinstance(answer, Exception):
                raise answer
            said: dict[str, Any] = answer
            return said

        return ask

    chosen = settings.read(environment={**CHOSEN, **more})
    return {fact.name: fact for fact in predeploy.facts(chosen, of, clone)}


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone in which everything is built."""
    for name in range(predeploy.FUNCTIONS):
        path = tmp_path / f"build/lambda/arm64/{name}.zip"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"zip")
    (tmp_path / predeploy.OSLS).parent.mkdir(parents=True)
    (tmp_path / predeploy.OSLS).write_text("{}")
    return tmp_path


def test_where_everything_is_there_nothing_is_missing(clone: Path) -> None:
    facts = found(clone)
    del facts["node"]  # which this host has or not
    assert {fact.verdict for fact in facts.values()} == {"ok"}
    assert all(fact.fix is None for fact in facts.values())


LACKS: list[tuple[dict[str, Any], dict[str, str], str, str, str]] = [
    ({"get_parameter": refusal("ParameterNotFound")}, {},
     "/brihaspati/prod/mac-key", "missing", "openssl rand -base64 32"),
    ({"get_parameter": refusal("Odd")}, {}, "/brihaspati/prod/mac-key", "warn", "may read it"),
    ({"get_account_settings": {"AccountLimit": {"ConcurrentExecutions": 10}}}, {},
     "executions", "missing", "Service Quotas"),
    ({"get_account_settings": {"AccountLimit": {"ConcurrentExecutions": 500}}}, {},
     "executions", "warn", "Service Quotas"),
    ({"get_account_settings": refusal("AccessDenied")}, {}, "AWS", "warn", "may look"),
    ({"describe_table": {"Table": {}}}, {},
     "brihaspati-prod", "warn", "--deletion-protection-enabled"),
    ({"get_email_identity": {}}, {}, "mail", "missing", "create-email-identity"),
    ({"get_email_identity": refusal("NotFoundException")}, {}, "mail", "missing", "labs@example"),
    ({"get_caller_identity": ports.Busy("no")}, {}, "account", "missing", "AWS_REGION"),
    ({}, {"BRIHASPATI_ORIGINS": "http://labs.example.org"}, "origins", "missing", "https://"),
]  # fmt: skip


@pytest.mark.parametrize(("answers", "more", "name", "verdict", "fix"), LACKS)
def test_each_lack_is_said_with_its_fix(
    clone: Path,
    answers: dict[str, Any],
    more: dict[str, str],
    name: str,
    verdict: str,
    fix: str,
) -> None:
    fact = found(clone, answers, **more)[name]
    assert fact.verdict == verdict
    assert fact.fix is not None
    assert fix in fact.fix


def test_a_table_that_is_not_there_yet_is_no_lack(clone: Path) -> None:
    facts = found(clone, {"describe_table": refusal("ResourceNotFoundException")})
    assert facts["brihaspati-prod"].verdict == "ok"


def test_empty_zips_and_a_missing_osls_are_told(clone: Path) -> None:
    (clone / "build/lambda/arm64/0.zip").write_bytes(b"")
    (clone / predeploy.OSLS).unlink()
    facts = found(clone)
    assert (facts["zips"].text, facts["zips"].fix) == ("8 of 9 are built", "make package")
    assert facts["osls"].fix == "make template"


def test_the_command_asks_the_account_and_fails_while_anything_is_missing(
    house: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    assert house
    assert cli.main(wiring.open_shop, ["--stage", ENV, "deploy", "check", "--json"]) == 1
    facts = {fact["name"]: fact for fact in json.loads(capsys.readouterr().out)}
    assert facts["account"]["verdict"] == "ok"
    secrets = [one for name, one in facts.items() if name.endswith("-key")]
    assert [one["verdict"] for one in secrets] == ["ok", "ok"]


def test_without_a_stage_there_is_nothing_to_check(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(wiring.open_shop, ["deploy", "check"]) == 2
    assert "--stage prod deploy check" in capsys.readouterr().err

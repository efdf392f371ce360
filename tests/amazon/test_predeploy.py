"""What is missing before a deployment is said, with what to do about it."""

from __future__ import annotations

import json
import shutil
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
        def ask(operation: str, **asked: Any) -> dict[str, Any]:
            answer = {**WHOLE, **(answers or {})}[operation]
            if callable(answer):
                answer = answer(**asked)
            if isinstance(answer, Exception):
                raise answer
            said: dict[str, Any] = answer
            return said

        return ask

    chosen = settings.read(environment={**CHOSEN, **more})
    return {fact.name: fact for fact in predeploy.facts(chosen, of, clone)}


def built(clone: Path, architecture: str) -> list[Path]:
    """A zip for each function of the template."""
    modules = (settings.CLONE / "src/brihaspati/wiring/functions").glob("[!_]*.py")
    names = sorted(one.stem for one in modules)
    paths = [clone / f"build/lambda/{architecture}/{name}.zip" for name in names]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"zip")
    return paths


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone in which everything is built."""
    (tmp_path / "serverless.yml").symlink_to(settings.CLONE / "serverless.yml")
    shutil.copytree(settings.CLONE / "deploy/stages", tmp_path / "deploy/stages")
    built(tmp_path, "arm64")
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
    ({"get_email_identity": refusal("NotFoundException")}, {}, "mail", "missing", "org, then"),
    ({"get_email_identity": refusal("AccessDeniedException")}, {}, "AWS", "warn", "may look"),
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


@pytest.mark.parametrize("verified", ["labs@example.org", "example.org", "mail.example.org"])
def test_who_may_send_for_a_domain_may_send_as_its_addresses(clone: Path, verified: str) -> None:
    def identity(**asked: Any) -> Any:
        known = {"labs@mail.example.org": False, verified: True}
        if asked["EmailIdentity"] not in known:
            return refusal("NotFoundException")
        return {"VerifiedForSendingStatus": known[asked["EmailIdentity"]]}

    sender = "labs@example.org" if "@" in verified else "labs@mail.example.org"
    facts = found(clone, {"get_email_identity": identity}, BRIHASPATI_MAIL_FROM=sender)
    assert (facts["mail"].verdict, facts["mail"].text) == ("ok", f"{verified} is verified")


def test_an_address_that_waits_for_its_letter_is_told_as_that(clone: Path) -> None:
    def identity(**asked: Any) -> Any:
        return {} if "@" in asked["EmailIdentity"] else refusal("NotFoundException")

    mail = found(clone, {"get_email_identity": identity})["mail"]
    assert (mail.verdict, mail.text) == ("missing", "labs@example.org is not verified yet")


def test_empty_zips_and_a_missing_osls_are_told(clone: Path) -> None:
    (clone / "build/lambda/arm64/warm.zip").write_bytes(b"")
    (clone / "build/lambda/arm64/auth.zip").unlink()
    (clone / "build/lambda/arm64/left-over.zip").write_bytes(b"of a function that was renamed")
    (clone / predeploy.OSLS).unlink()
    facts = found(clone)
    text = "7 of 9 are built for arm64; not auth, warm"
    assert (facts["zips"].text, facts["zips"].fix) == (text, "make package")
    assert facts["osls"].fix == "make template"


def test_zips_are_those_of_the_processor_that_the_stage_has(clone: Path) -> None:
    stage = (clone / "deploy/stages/prod.yml").read_text()
    (clone / "deploy/stages/old.yml").write_text(stage.replace("arm64", "x86_64"))
    facts = found(clone, BRIHASPATI_STAGE="old")
    assert facts["zips"].text.startswith("0 of 9 are built for x86_64")
    assert facts["zips"].fix == 'make package ARGS="--architecture x86_64"'
    built(clone, "x86_64")
    assert found(clone, BRIHASPATI_STAGE="old")["zips"].verdict == "ok"


def test_outside_a_clone_there_are_no_zips(tmp_path: Path) -> None:
    assert found(tmp_path)["zips"].fix == "run this in a clone of the repository"


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

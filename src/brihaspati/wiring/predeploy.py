"""What is missing before a deployment, in words: `brihaspati --stage prod deploy check`.

Asks AWS with the keys of whoever types, changes nothing, and finds out what a deployment would
otherwise fail at, or the first class after it.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from botocore import exceptions as wire

from brihaspati import ports
from brihaspati.adapters import amazon, ssm
from brihaspati.settings import CLONE, Settings

# With fewer, a deployment's reserved executions are refused, or a class waits.
CONCURRENCY_MIN, CONCURRENCY_WANTED = 121, 1000
NODE_MIN = 20
OSLS = Path("deploy/node_modules/serverless/package.json")
TOKENS = ("digitalocean-token", "digitalocean-sweep-token")
USUAL = "arm64"  # which `make package` builds for when it is told nothing
Ask = Callable[[str], amazon.Ask]


@dataclass(frozen=True, slots=True)
class Fact:
    """`verdict` is ok, warn or missing."""

    name: str
    verdict: str
    text: str
    fix: str | None = None


def facts(chosen: Settings, of: Ask, root: Path = CLONE) -> tuple[Fact, ...]:
    """All there is to say; `of` gives how to ask a service, `root` is the clone."""
    account = _account(of)
    here = (*_tools(root), _zips(root, chosen.aws.stage), _origins(chosen))
    if account.verdict != "ok":
        return (account, *here)
    looks = (
        lambda: _quota(of),
        lambda: _table(of, chosen.aws.table),
        lambda: _mail(of, chosen.aws.mail_from),
    )
    asked = [*_secrets(of, chosen.aws.parameters), *(_told(look) for look in looks)]
    return (account, *asked, *here)


def _told(look: Callable[[], Fact]) -> Fact:
    """What a look found, or that these keys may not look."""
    try:
        return look()
    except (wire.ClientError, ports.Busy) as error:
        return Fact("AWS", "warn", str(error), "ask with keys that may look there")


def _account(of: Ask) -> Fact:
    fix = "set up AWS keys and AWS_REGION; `aws sts get-caller-identity` should answer"
    try:
        said = of("sts")("get_caller_identity")
    except (wire.BotoCoreError, wire.ClientError, ports.Busy) as error:
        return Fact("account", "missing", str(error), fix)
    return Fact("account", "ok", f"{said['Account']}, as {said['Arn']}")


def _secrets(of: Ask, prefix: str) -> Iterator[Fact]:
    kept = ssm.Parameters(of("ssm"), prefix)
    for name in (ssm.SIGNING_NAME, ssm.MAC_NAME, *TOKENS):
        try:
            kept.text(name)
        except ssm.MissingSecret as error:
            said, _, fix = str(error).partition("; make it: ")
            yield Fact(kept.path(name), "missing", said, fix or None)
        except (wire.ClientError, ports.Busy) as error:
            yield Fact(kept.path(name), "warn", str(error), "ask with keys that may read it")
        else:
            yield Fact(kept.path(name), "ok", "there, and encrypted")


def _quota(of: Ask) -> Fact:
    limit = of("lambda")("get_account_settings")["AccountLimit"]["ConcurrentExecutions"]
    fix = "ask for more under Service Quotas: Lambda, Concurrent executions; it takes days"
    verdict = "ok" if limit >= CONCURRENCY_WANTED else "warn"
    verdict = "missing" if limit < CONCURRENCY_MIN else verdict
    text = (
        f"{limit} at a time; {CONCURRENCY_MIN} are needed, {CONCURRENCY_WANTED} for large classes"
    )
    return Fact("executions", verdict, text, fix if verdict != "ok" else None)


def _table(of: Ask, table: str) -> Fact:
    try:
        found = of("dynamodb")("describe_table", TableName=table)["Table"]
    except wire.ClientError as error:
        if error.response.get("Error", {}).get("Code") != "ResourceNotFoundException":
            raise
        return Fact(table, "ok", "not there yet: the deployment makes it")
    if found.get("DeletionProtectionEnabled"):
        return Fact(table, "ok", "there, and protected from deletion")
    fix = f"aws dynamodb update-table --table-name {table} --deletion-protection-enabled"
    return Fact(table, "warn", "there, and anybody with rights may delete it by mistake", fix)


def _mail(of: Ask, sender: str) -> Fact:
    if not sender:
        fix = "set BRIHASPATI_MAIL_FROM to send links by mail"
        return Fact("mail", "ok", f"none is sent; {fix}")
    domain = sender.rpartition("@")[2]
    fix = (
        f"aws sesv2 create-email-identity --email-identity {sender}, then follow its letter; or "
        f"--email-identity {domain}, then put its records into the zone"
    )
    pending = []
    for name in _senders(sender):
        found = _identity(of, name)
        if found is not None and found.get("VerifiedForSendingStatus"):
            return Fact("mail", "ok", f"{name} is verified")
        pending += [name] if found is not None else []
    if pending:
        return Fact("mail", "missing", f"{pending[0]} is not verified yet", fix)
    return Fact("mail", "missing", f"neither {sender} nor {domain} is known to SES", fix)


def _senders(sender: str) -> Iterator[str]:
    """Whose being verified lets this address send: its own, its domain's, the domains' above."""
    yield sender
    labels = sender.rpartition("@")[2].split(".")
    for first in range(len(labels) - 1):
        yield ".".join(labels[first:])


def _identity(of: Ask, name: str) -> dict[str, Any] | None:
    """What SES says of an identity; None when there is none of this name."""
    try:
        return of("sesv2")("get_email_identity", EmailIdentity=name)
    except wire.ClientError as error:
        if error.response.get("Error", {}).get("Code") != "NotFoundException":
            raise
        return None


def _tools(root: Path) -> Iterator[Fact]:
    node = shutil.which("node")
    said = _said([node, "--version"]) if node else ""
    is_new = said[1:].partition(".")[0].isdigit() and int(said[1:].partition(".")[0]) >= NODE_MIN
    fix = f"install Node {NODE_MIN} or later"
    verdict, text = ("ok" if is_new else "missing"), said or "not installed"
    yield Fact("node", verdict, text, None if is_new else fix)
    there = (root / OSLS).exists()
    text = "installed" if there else "not installed"
    yield Fact("osls", "ok" if there else "missing", text, None if there else "make template")


def _said(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    return done.stdout.strip()


class _Template(yaml.SafeLoader):
    """Reads serverless.yml, whose references (`!GetAtt`) mean nothing to us."""


_Template.add_multi_constructor("!", lambda *_: None)


def _read(path: Path) -> Any:
    return yaml.load(path.read_text(), _Template)  # noqa: S506 - a SafeLoader it is


def _zips(root: Path, stage: str) -> Fact:
    """Whether each function of the template has its zip, for the processor of this stage."""
    stages = [root / f"deploy/stages/{name}.yml" for name in (stage, "prod")]
    try:
        wanted = sorted(_read(root / "serverless.yml")["functions"])
        architecture = _read(next(path for path in stages if path.exists()))["architecture"]
    except (OSError, StopIteration) as error:
        text = f"the template cannot be read: {error or 'there is no deploy/stages'}"
        return Fact("zips", "missing", text, "run this in a clone of the repository")
    paths = [root / f"build/lambda/{architecture}/{name}.zip" for name in wanted]
    sizes = {path.stem: path.stat().st_size if path.exists() else 0 for path in paths}
    lacking = [name for name, size in sizes.items() if not size]
    if lacking:
        built = f"{len(wanted) - len(lacking)} of {len(wanted)} are built for {architecture}"
        fix = "make package" + (
            f' ARGS="--architecture {architecture}"' if architecture != USUAL else ""
        )
        return Fact("zips", "missing", f"{built}; not {', '.join(lacking)}", fix)
    text = f"{len(wanted)} for {architecture}, at most {max(sizes.values()):,} bytes"
    return Fact("zips", "ok", text)


def _origins(chosen: Settings) -> Fact:
    fix = "export BRIHASPATI_ORIGINS=https://labs.example.org, where the pages are"
    safe = bool(chosen.origins) and all(one.startswith("https://") for one in chosen.origins)
    text = " ".join(chosen.origins) or "BRIHASPATI_ORIGINS is not set: no page could write"
    return Fact("origins", "ok" if safe else "missing", text, None if safe else fix)

"""What is missing before a deployment, in words: `brihaspati --stage prod deploy check`.

Asks AWS with the keys of whoever types, changes nothing, and finds out what a deployment would
otherwise fail at, or the first class after it.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from botocore import exceptions as wire

from brihaspati import ports
from brihaspati.adapters import amazon, ssm
from brihaspati.settings import CLONE, Settings

# With fewer, a deployment's reserved executions are refused, or a class waits.
CONCURRENCY_MIN, CONCURRENCY_WANTED = 121, 1000
NODE_MIN = 20
OSLS = Path("deploy/node_modules/serverless/package.json")
TOKENS = ("digitalocean-token", "digitalocean-sweep-token")
FUNCTIONS = 9
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
    here = (*_tools(root), _zips(root), _origins(chosen))
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
    fix = f"aws sesv2 create-email-identity --email-identity {sender}, then follow its letter"
    try:
        found = of("sesv2")("get_email_identity", EmailIdentity=sender)
    except wire.ClientError as error:
        return Fact("mail", "missing", f"{sender} is not known to SES: {error}", fix)
    if found.get("VerifiedForSendingStatus"):
        return Fact("mail", "ok", f"{sender} is verified")
    return Fact("mail", "missing", f"{sender} is not verified yet", fix)


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


def _zips(root: Path) -> Fact:
    built: Mapping[str, int] = {
        path.name: path.stat().st_size for path in (root / "build/lambda/arm64").glob("*.zip")
    }
    empty = [name for name, size in built.items() if not size]
    if len(built) < FUNCTIONS or empty:
        text = f"{len(built) - len(empty)} of {FUNCTIONS} are built"
        return Fact("zips", "missing", text, "make package")
    return Fact("zips", "ok", f"{len(built)}, at most {max(built.values()):,} bytes")


def _origins(chosen: Settings) -> Fact:
    fix = "export BRIHASPATI_ORIGINS=https://labs.example.org, where the pages are"
    safe = bool(chosen.origins) and all(one.startswith("https://") for one in chosen.origins)
    text = " ".join(chosen.origins) or "BRIHASPATI_ORIGINS is not set: no page could write"
    return Fact("origins", "ok" if safe else "missing", text, None if safe else fix)

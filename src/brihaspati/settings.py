"""The only reader of the environment. Every setting is listed in docs/reference/settings.md."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args
from urllib.parse import urlsplit

from brihaspati.domain.abuse import USUAL, Limits

ProviderName = Literal["auto", "namespaces", "docker", "bubblewrap", "digitalocean", "linode"]
PROVIDERS: tuple[ProviderName, ...] = get_args(ProviderName)
CloudName = Literal["digitalocean", "linode"]
RelayName = Literal["auto", "always", "never"]
RELAYS: tuple[RelayName, ...] = get_args(RelayName)
Choice = TypeVar("Choice", bound=str)
ENV_PATTERN = r"[a-z][a-z0-9]{0,11}"
CLONE = Path(__file__).resolve().parents[2]


class SettingsError(ValueError):
    """A setting that cannot be used: which variable, and what to set instead."""


@dataclass(frozen=True, slots=True)
class CloudSettings:
    """An account in which machines may be rented. The first of `regions` is the usual one.

    `sweep_token` lists and deletes, `token` creates; they may be the same. `ssh_key` is the id or
    fingerprint of a key of the account; empty for one that nobody has the private half of.
    """

    name: CloudName
    token: str
    sweep_token: str
    url: str
    regions: tuple[str, ...]
    image: str
    ssh_key: str = ""


@dataclass(frozen=True, slots=True)
class NamesSettings:
    """Names for rented machines, below a `zone` that the account `dns` has; "" for none.

    `stock`: how many are certified ahead. `settle_seconds`: how long the zone's servers take.
    """

    zone: str = ""
    dns: CloudName = "digitalocean"
    stock: int = 30
    settle_seconds: int = 60


@dataclass(frozen=True, slots=True)
class AwsSettings:
    """What the cloud mode stands on. Each function has what it needs of it; the rest is empty.

    `stage`: which deployment the command line means; functions need none.
    `table`: DynamoDB; empty in the embedded mode. `alarm_*`: the schedules that end labs.
    `region` and `endpoint` empty: as the AWS environment has them. `parameters`: under which name
    in the parameter store our keys and tokens are. `snapshot`: Lambda keeps what this process has
    loaded, and begins others from it.
    """

    stage: str = ""
    table: str = ""
    region: str = ""
    endpoint: str = ""
    queue_url: str = ""
    ending_queue_url: str = ""
    checking_queue_url: str = ""
    dead_queue_url: str = ""
    alarm_group: str = ""
    alarm_queue_arn: str = ""
    alarm_dead_arn: str = ""
    alarm_role_arn: str = ""
    alarm_jitter_seconds: int = 20
    warm_arn: str = ""
    parameters: str = ""
    mail_from: str = ""
    snapshot: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """How this deployment is set up. Folders are absolute.

    `keep_seconds`: how long labs outlive a server that has gone, for it to come back; 0 ends them
    with the server. `host_price_micros`: what an hour of a machine on our own host costs, in
    millionths of `currency`, a code of three letters. `docker`: addresses at which an engine may
    answer, in order. `clouds`: those there is a token for; their machines find the control plane at
    the networks `cloud_home`, at the address `machine_url`. They get their certificates from the
    ACME directory `acme` (None: they serve without), and trust the certificates in `trust` too.
    Unanswered for `machine_silent_seconds` they end by themselves. `relay`: which browsers we bring
    there through us: those that cannot go there directly, all, or none.
    """

    data: Path
    labs: Path
    web: Path
    host: str
    port: int
    env: str
    provider: ProviderName
    lab_domain: str
    origins: tuple[str, ...]
    secure: bool
    pool: int
    seats: int
    keep_seconds: int
    currency: str
    host_price_micros: int
    docker: tuple[str, ...]
    docker_runtime: str | None
    docker_userns: str | None
    docker_image: str
    clouds: tuple[CloudSettings, ...] = ()
    cloud_home: tuple[str, ...] = ("0.0.0.0/0", "::/0")
    aws: AwsSettings = AwsSettings()
    machine_url: str = ""
    acme: str | None = None
    trust: Path | None = None
    machine_silent_seconds: int = 30 * 60
    abuse: Limits = USUAL
    relay: RelayName = "auto"
    names: NamesSettings = NamesSettings()


def default_data(home: str, *, root: bool) -> Path:
    """Where a deployment keeps its database and keys unless told otherwise."""
    return Path("/var/lib/brihaspati") if root else Path(home) / ".local/share/brihaspati"


def read(
    given: Mapping[str, str] | None = None, environment: Mapping[str, str] | None = None
) -> Settings:
    """The settings in BRIHASPATI_* variables, `given` ones first. Raises SettingsError."""
    found = _staged({**(os.environ if environment is None else environment), **(given or {})})
    host, port = _listen(found.get("BRIHASPATI_LISTEN", "127.0.0.1:8000"))
    env = found.get("BRIHASPATI_ENV", "local")
    if not re.fullmatch(ENV_PATTERN, env):
        raise SettingsError(
            f"BRIHASPATI_ENV={env!r} must be 1 to 12 lower-case letters and digits, as staging1"
        )
    provider = _choice("BRIHASPATI_PROVIDER", found.get("BRIHASPATI_PROVIDER", "auto"), PROVIDERS)
    currency = _currency(found.get("BRIHASPATI_CURRENCY", "USD"))
    clouds = tuple(cloud for name in _CLOUDS if (cloud := _cloud(found, name)) is not None)
    if provider in _CLOUDS and not found.get("BRIHASPATI_TABLE"):
        _check_rented(provider, currency, clouds)
    return Settings(
        data=_data(found),
        labs=Path(found.get("BRIHASPATI_LABS") or CLONE / "labs").absolute(),
        web=Path(found.get("BRIHASPATI_WEB") or CLONE / "web/dist").absolute(),
        host=host,
        port=port,
        env=env,
        provider=provider,
        lab_domain=found.get("BRIHASPATI_LAB_DOMAIN", "localhost"),
        origins=tuple(found.get("BRIHASPATI_ORIGINS", "").split()),
        secure=found.get("BRIHASPATI_SECURE", "") == "1",
        pool=_number(found, "BRIHASPATI_POOL", 2),
        seats=_number(found, "BRIHASPATI_SEATS", 100),
        keep_seconds=_number(found, "BRIHASPATI_KEEP_SECONDS", 120),
        currency=currency,
        host_price_micros=_micros(found, "BRIHASPATI_HOST_PRICE"),
        docker=_engines(found),
        docker_runtime=found.get("BRIHASPATI_DOCKER_RUNTIME") or None,
        docker_userns=found.get("BRIHASPATI_DOCKER_USERNS") or None,
        docker_image=found.get("BRIHASPATI_DOCKER_IMAGE", "docker.io/library/python:3.13"),
        clouds=clouds,
        cloud_home=tuple(found.get("BRIHASPATI_CLOUD_HOME", "0.0.0.0/0 ::/0").split()),
        aws=_aws(found, env),
        **_machines(found),
    )


def _staged(found: dict[str, str]) -> dict[str, str]:
    """The settings with the names that the template gives to what a stage consists of."""
    stage = found.get("BRIHASPATI_STAGE", "")
    if not stage:
        return found
    if not re.fullmatch(ENV_PATTERN, stage):
        raise SettingsError(f"BRIHASPATI_STAGE={stage!r} is no stage of a deployment, as prod")
    usual = {"BRIHASPATI_TABLE": f"brihaspati-{stage}", "BRIHASPATI_PROVIDER": "digitalocean"}
    return {**usual, **found, "BRIHASPATI_ENV": stage}


def _data(found: Mapping[str, str]) -> Path:
    usual = default_data(found.get("HOME", "/root"), root=os.geteuid() == 0)
    return Path(found.get("BRIHASPATI_DATA") or usual).absolute()


def _aws(found: Mapping[str, str], env: str) -> AwsSettings:
    """The cloud mode's parts, by name."""
    table = found.get("BRIHASPATI_TABLE", "")
    if not re.fullmatch(r"|[A-Za-z0-9_.-]{3,255}", table):
        raise SettingsError(f"BRIHASPATI_TABLE={table!r} is no name of a DynamoDB table")
    parameters = found.get("BRIHASPATI_PARAMETERS") or f"/brihaspati/{env}"
    if not re.fullmatch(r"(/[A-Za-z0-9_.-]+){1,14}", parameters):
        raise SettingsError(
            f"BRIHASPATI_PARAMETERS={parameters!r} is no path of parameters; write /brihaspati/prod"
        )
    return AwsSettings(
        stage=found.get("BRIHASPATI_STAGE", ""),
        table=table,
        region=found.get("AWS_REGION", ""),
        endpoint=found.get("AWS_ENDPOINT_URL", ""),
        queue_url=found.get("BRIHASPATI_QUEUE_URL", ""),
        ending_queue_url=found.get("BRIHASPATI_ENDING_QUEUE_URL", ""),
        checking_queue_url=found.get("BRIHASPATI_CHECKING_QUEUE_URL", ""),
        dead_queue_url=found.get("BRIHASPATI_DEAD_QUEUE_URL", ""),
        alarm_group=found.get("BRIHASPATI_ALARM_GROUP", ""),
        alarm_queue_arn=_arn(found, "BRIHASPATI_ALARM_QUEUE_ARN"),
        alarm_dead_arn=_arn(found, "BRIHASPATI_ALARM_DEAD_ARN"),
        alarm_role_arn=_arn(found, "BRIHASPATI_ALARM_ROLE_ARN"),
        alarm_jitter_seconds=_number(found, "BRIHASPATI_ALARM_JITTER_SECONDS", 20),
        warm_arn=_arn(found, "BRIHASPATI_WARM_ARN"),
        parameters=parameters,
        mail_from=found.get("BRIHASPATI_MAIL_FROM", ""),
        snapshot=found.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start",
    )


def _arn(found: Mapping[str, str], name: str) -> str:
    text = found.get(name, "")
    if text and not text.startswith("arn:"):
        raise SettingsError(f"{name}={text!r} is no ARN; it begins with arn:")
    return text


LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"


def _machines(found: Mapping[str, str]) -> dict[str, Any]:
    """What rented machines are told."""
    return {
        "machine_url": _machine_url(found),
        "acme": _acme(found.get("BRIHASPATI_ACME", LETS_ENCRYPT)),
        "trust": Path(trust) if (trust := found.get("BRIHASPATI_TRUST")) else None,
        "machine_silent_seconds": _number(found, "BRIHASPATI_MACHINE_SILENT_SECONDS", 1800, 10),
        "abuse": _abuse(found),
        "names": _names(found),
        "relay": _choice("BRIHASPATI_RELAY", found.get("BRIHASPATI_RELAY", "auto"), RELAYS),
    }


def _abuse(found: Mapping[str, str]) -> Limits:
    busy = _number(found, "BRIHASPATI_SUSPECT_BUSY_MINUTES", 20)
    sent = _number(found, "BRIHASPATI_SUSPECT_MB_PER_MINUTE", 600)
    opened = _number(found, "BRIHASPATI_SUSPECT_CONNECTIONS", 600)
    return Limits(busy, sent, opened, found.get("BRIHASPATI_SUSPECT_ENDS") == "1")


def _names(found: Mapping[str, str]) -> NamesSettings:
    """Names of rented machines."""
    zone = found.get("BRIHASPATI_NAMES", "").lower().strip(".")
    if not zone:
        return NamesSettings()
    if not re.fullmatch(r"([a-z0-9-]{1,63}\.)+[a-z0-9-]{2,63}", zone) or len(zone) > 180:
        raise SettingsError(f"BRIHASPATI_NAMES={zone!r} is no zone; write labs.example.org")
    if found.get("BRIHASPATI_ACME") == "none":
        raise SettingsError("BRIHASPATI_NAMES needs certificates: take BRIHASPATI_ACME=none away")
    if found.get("BRIHASPATI_TABLE"):
        raise SettingsError("BRIHASPATI_NAMES is of one server so far; leave it out here")
    text = found.get("BRIHASPATI_NAMES_DNS") or found.get("BRIHASPATI_PROVIDER", "")
    for dns in _CLOUDS:
        if text == dns and found.get(f"{dns.upper()}_TOKEN"):
            return NamesSettings(
                zone,
                dns,
                _number(found, "BRIHASPATI_NAMES_STOCK", 30),
                _number(found, "BRIHASPATI_NAMES_SETTLE_SECONDS", 60),
            )
    raise SettingsError(
        f"BRIHASPATI_NAMES_DNS={text!r} must be the cloud whose account has the zone, with its "
        f"token: {' or '.join(_CLOUDS)}"
    )


def _machine_url(found: Mapping[str, str]) -> str:
    """Where rented machines find us: as told, else the first of our origins. May be none."""
    origins = found.get("BRIHASPATI_ORIGINS", "").split()
    text = found.get("BRIHASPATI_MACHINE_URL") or (origins[0] if origins else "")
    safe = text.startswith("https://") or re.match(r"http://(127\.|localhost[:/]|localhost$)", text)
    if found.get("BRIHASPATI_MACHINE_URL") and not safe:
        raise SettingsError(
            f"BRIHASPATI_MACHINE_URL={text!r} must begin with https://: a lab's secrets pass there"
        )
    return text.rstrip("/") if safe else ""


def _acme(text: str) -> str | None:
    if text == "none":
        return None
    if not text.startswith("https://"):
        raise SettingsError(f"BRIHASPATI_ACME={text!r} must be an https:// address, or none")
    return text


# Where each cloud answers, where we rent, and the system of labs that ask for no other.
_CLOUDS: dict[CloudName, tuple[str, str, str]] = {
    "digitalocean": ("https://api.digitalocean.com", "fra1", "debian-12-x64"),
    "linode": ("https://api.linode.com/v4", "de-fra-2", "linode/debian12"),
}


def _cloud(found: Mapping[str, str], name: CloudName) -> CloudSettings | None:
    """The account of a cloud, if there is a token for it."""
    prefix = name.upper()
    token = found.get(f"{prefix}_TOKEN", "")
    # In the cloud mode the token is a parameter that only some functions may read.
    kept = found.get("BRIHASPATI_TABLE") and found.get("BRIHASPATI_PROVIDER") == name
    if not token and not kept:
        return None
    url, region, image = _CLOUDS[name]
    return CloudSettings(
        name=name,
        token=token,
        sweep_token=found.get(f"{prefix}_SWEEP_TOKEN") or token,
        url=_api(f"{prefix}_API_URL", found.get(f"{prefix}_API_URL") or url),
        regions=tuple((found.get(f"{prefix}_REGIONS") or region).split()),
        image=found.get(f"{prefix}_IMAGE") or image,
        ssh_key=found.get(f"{prefix}_SSH_KEY", ""),
    )


def _api(name: str, url: str) -> str:
    """An address to which a token may be sent: in the clear only within this machine."""
    parts = urlsplit(url)
    here = parts.hostname in ("localhost", "::1") or (parts.hostname or "").startswith("127.")
    if parts.scheme != "https" and not (parts.scheme == "http" and here):
        raise SettingsError(f"{name}={url!r} must begin with https:// to keep the token secret")
    return url.rstrip("/")


def _check_rented(provider: ProviderName, currency: str, clouds: tuple[CloudSettings, ...]) -> None:
    if all(cloud.name != provider for cloud in clouds):
        raise SettingsError(f"set {provider.upper()}_TOKEN to rent machines of {provider}")
    if currency != "USD":
        raise SettingsError(
            f"BRIHASPATI_CURRENCY={currency!r}: {provider} bills in USD; set USD or leave it out"
        )


def _listen(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise SettingsError(
            f"BRIHASPATI_LISTEN={text!r} is no address; write host:port, as 127.0.0.1:8000"
        )
    return host, int(port)


def _engines(found: Mapping[str, str]) -> tuple[str, ...]:
    """Where a Docker Engine, or Podman's socket, may answer: the first that is there is taken."""
    if found.get("DOCKER_HOST"):
        return (found["DOCKER_HOST"],)
    runtime = found.get("XDG_RUNTIME_DIR", f"/run/user/{os.geteuid()}")
    sockets = ("/var/run/docker.sock", f"{runtime}/podman/podman.sock", "/run/podman/podman.sock")
    return tuple(f"unix://{path}" for path in sockets)


def _choice(name: str, text: str, choices: tuple[Choice, ...]) -> Choice:
    for known in choices:
        if text == known:
            return known
    raise SettingsError(f"{name}={text!r} is none of {', '.join(choices)}")


def _number(found: Mapping[str, str], name: str, default: int, least: int = 0) -> int:
    text = found.get(name, str(default))
    if not text.isdigit() or int(text) < least:
        raise SettingsError(f"{name}={text!r} must be a whole number, {least} or more")
    return int(text)


def _currency(text: str) -> str:
    if not re.fullmatch(r"[A-Z]{3}", text):
        raise SettingsError(f"BRIHASPATI_CURRENCY={text!r} must be a code of ISO 4217, as EUR")
    return text


def _micros(found: Mapping[str, str], name: str) -> int:
    """An amount of money, of which a millionth is the least."""
    text = found.get(name, "0")
    if not re.fullmatch(r"\d{1,9}(\.\d{1,6})?", text, re.ASCII):
        raise SettingsError(f"{name}={text!r} must be an amount of money, 0 or more, as 0.05")
    whole, _, part = text.partition(".")
    return int(whole) * 1_000_000 + int(part.ljust(6, "0"))


def warmed(environment: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """The functions that are to be warm when a class begins."""
    found = os.environ if environment is None else environment
    return tuple(found.get("BRIHASPATI_WARMED", "").split())

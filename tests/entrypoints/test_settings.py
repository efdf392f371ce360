"""Settings: read once, from the environment, with a clear word for what cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from brihaspati import settings
from brihaspati.domain.abuse import Limits


def test_nothing_set_is_a_working_deployment() -> None:
    found = settings.read(environment={"HOME": "/home/asha"})
    assert (found.host, found.port, found.provider) == ("127.0.0.1", 8000, "auto")
    assert found.labs.name == "labs"


def test_what_the_command_line_gives_wins_over_the_environment() -> None:
    found = settings.read({"BRIHASPATI_DATA": "/a"}, {"BRIHASPATI_DATA": "/b"})
    assert found.data == Path("/a")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("BRIHASPATI_LISTEN", "8000"),
        ("BRIHASPATI_LISTEN", "localhost:http"),
        ("BRIHASPATI_LISTEN", "localhost:70000"),
        ("BRIHASPATI_ENV", "My_Env"),
        ("BRIHASPATI_ENV", ""),
        ("BRIHASPATI_PROVIDER", "vmware"),
        ("BRIHASPATI_POOL", "-1"),
        ("BRIHASPATI_SEATS", "many"),
        ("BRIHASPATI_CURRENCY", "euro"),
        ("BRIHASPATI_HOST_PRICE", "0,05"),
        ("BRIHASPATI_HOST_PRICE", "-1"),
        ("BRIHASPATI_HOST_PRICE", "0.0000001"),
        ("BRIHASPATI_MACHINE_SILENT_SECONDS", "9"),
        ("BRIHASPATI_SUSPECT_CONNECTIONS", "few"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(name: str, text: str) -> None:
    with pytest.raises(settings.SettingsError, match=name):
        settings.read(environment={name: text})


def test_when_a_machine_is_suspect_can_be_set() -> None:
    assert settings.read({}, {}).abuse == Limits()
    said = {"BRIHASPATI_SUSPECT_BUSY_MINUTES": "5", "BRIHASPATI_SUSPECT_ENDS": "1"}
    assert settings.read(said, {}).abuse == Limits(busy_minutes=5, ends=True)


@pytest.mark.parametrize(
    ("text", "micros"),
    [("0", 0), ("0.05", 50_000), ("1.5", 1_500_000), ("12", 12_000_000), ("0.000001", 1)],
)
def test_the_price_of_our_own_host_is_counted_in_millionths(text: str, micros: int) -> None:
    found = settings.read(environment={"BRIHASPATI_HOST_PRICE": text, "BRIHASPATI_CURRENCY": "EUR"})
    assert (found.host_price_micros, found.currency) == (micros, "EUR")


@pytest.mark.parametrize("root", [True, False])
def test_data_lives_where_such_data_lives(*, root: bool) -> None:
    found = settings.default_data("/home/asha", root=root)
    assert found == Path("/var/lib/brihaspati" if root else "/home/asha/.local/share/brihaspati")


@pytest.mark.parametrize(
    ("environment", "word"),
    [
        ({"BRIHASPATI_PROVIDER": "linode"}, "LINODE_TOKEN"),
        ({"DIGITALOCEAN_TOKEN": "t", "DIGITALOCEAN_API_URL": "http://example.org"}, "https"),
        (
            {
                "BRIHASPATI_PROVIDER": "linode",
                "LINODE_TOKEN": "t",
                "BRIHASPATI_CURRENCY": "EUR",
            },
            "USD",
        ),
    ],
)
def test_a_cloud_that_cannot_be_rented_from_is_named(
    environment: dict[str, str], word: str
) -> None:
    with pytest.raises(settings.SettingsError, match=word):
        settings.read(environment=environment)


def test_a_token_is_enough_to_rent_and_may_be_sent_in_the_clear_within_this_machine() -> None:
    given = {"DIGITALOCEAN_TOKEN": "t", "DIGITALOCEAN_API_URL": "http://127.0.0.1:9999/"}
    (found,) = settings.read(environment=given).clouds
    assert (found.url, found.sweep_token) == ("http://127.0.0.1:9999", "t")
    assert found.regions == ("fra1",)


NAMES = {
    "BRIHASPATI_NAMES": "Labs.Example.org.",
    "BRIHASPATI_PROVIDER": "digitalocean",
    "DIGITALOCEAN_TOKEN": "dop",
}


def test_names_are_below_a_zone_of_an_account_there_is_a_token_for() -> None:
    found = settings.read(environment=NAMES).names
    assert (found.zone, found.dns, found.stock) == ("labs.example.org", "digitalocean", 30)
    elsewhere = {**NAMES, "BRIHASPATI_NAMES_DNS": "linode", "LINODE_TOKEN": "x"}
    assert settings.read(environment=elsewhere).names.dns == "linode"
    assert settings.read(environment={}).names.zone == ""


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"BRIHASPATI_NAMES": "labs"}, "BRIHASPATI_NAMES="),
        ({"BRIHASPATI_NAMES": "*.example.org"}, "BRIHASPATI_NAMES="),
        ({"BRIHASPATI_NAMES_DNS": "linode"}, "BRIHASPATI_NAMES_DNS="),
        ({"BRIHASPATI_NAMES_DNS": "route53"}, "BRIHASPATI_NAMES_DNS="),
        ({"BRIHASPATI_NAMES_STOCK": "many"}, "BRIHASPATI_NAMES_STOCK="),
        ({"BRIHASPATI_ACME": "none"}, "BRIHASPATI_ACME=none"),
        ({"BRIHASPATI_TABLE": "a-table"}, "BRIHASPATI_NAMES"),
        ({"BRIHASPATI_RELAY": "sometimes"}, "BRIHASPATI_RELAY="),
    ],
)
def test_names_that_cannot_be_had_are_told_of(changes: dict[str, str], named: str) -> None:
    with pytest.raises(settings.SettingsError, match=named):
        settings.read(environment=NAMES | changes)

"""An account whose settings are wrong: one line that says which, before anything is rented."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from brihaspati import wiring
from brihaspati.entrypoints.cli.main import main
from brihaspati_cloudsim import server
from brihaspati_cloudsim.account import Lags
from brihaspati_cloudsim.agenda import real_clock
from brihaspati_cloudsim.world import World
from rented import stand_in


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Both clouds over HTTP, and settings that fit them."""
    found = World(real_clock(), lags=Lags.none())
    tokens = found.add_usual_tokens()
    with server.serving(found) as address:
        urls = {"digitalocean": address.digitalocean, "linode": address.linode}
        for cloud, url in urls.items():
            monkeypatch.setenv(f"{cloud.upper()}_API_URL", url)
            monkeypatch.setenv(f"{cloud.upper()}_TOKEN", tokens[cloud])
        yield found


@pytest.mark.parametrize("cloud", stand_in.CLOUDS)
@pytest.mark.parametrize(
    "wrong",
    [
        ("TOKEN", "", "set {CLOUD}_TOKEN"),
        ("TOKEN", "wrong", "check {CLOUD}_TOKEN"),
        ("SWEEP_TOKEN", "wrong", "check {CLOUD}_SWEEP_TOKEN"),
        ("REGIONS", "mars1", "{CLOUD}_REGIONS='mars1': {cloud} has no such region; choose from"),
        ("IMAGE", "nothing-such", "{CLOUD}_IMAGE='nothing-such': {cloud} has no such image"),
        ("API_URL", "http://127.0.0.1:9", "check {CLOUD}_API_URL"),
    ],
)
def test_a_setting_that_is_wrong_is_named_before_anything_is_rented(
    cloud: str,
    wrong: tuple[str, str, str],
    world: World,
    tmp_path: object,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    setting, value, words = wrong
    monkeypatch.setenv(f"{cloud.upper()}_{setting}", value)
    arguments = ["--data", str(tmp_path), "provider", "smoke", cloud, "--yes"]
    assert main(wiring.open_shop, arguments) == 2
    said = capsys.readouterr().err
    assert words.format(CLOUD=cloud.upper(), cloud=cloud) in said
    assert said.count("\n") == 1
    assert [one for one in world.asked if one.method == "POST"] == []


@pytest.mark.parametrize("cloud", stand_in.CLOUDS)
def test_stopping_everything_names_the_token_that_deletes(
    cloud: str,
    world: World,  # noqa: ARG001 - it is asked
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(f"{cloud.upper()}_SWEEP_TOKEN", "wrong")
    assert main(wiring.open_shop, ["provider", "stop-all", cloud, "--env", "test"]) == 2
    assert f"check {cloud.upper()}_SWEEP_TOKEN" in capsys.readouterr().err


@pytest.mark.parametrize("env", ["Prod", "x y", ""])
def test_stopping_everything_of_a_name_that_cannot_be_says_so_instead_of_none_left(
    env: str,
    world: World,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = ["provider", "stop-all", "linode", "--env", env, "--confirm", env]
    assert main(wiring.open_shop, given) == 2
    said = capsys.readouterr()
    assert ("--env" in said.err, said.err.count("\n"), said.out) == (True, 1, "")
    assert list(world.asked) == []


def test_a_smoke_test_without_anybody_to_ask_rents_nothing(
    world: World,
    tmp_path: object,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = ["--data", str(tmp_path), "provider", "smoke", "linode"]  # no terminal is in a test
    assert main(wiring.open_shop, given) == 2
    assert "--yes" in capsys.readouterr().err
    assert [one for one in world.asked if one.method == "POST"] == []


def test_a_server_does_not_start_where_it_could_not_rent(
    world: World,  # noqa: ARG001 - it is asked
    tmp_path: object,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DIGITALOCEAN_REGIONS", "fra1 pluto2")
    arguments = ["--data", str(tmp_path), "--provider", "digitalocean", "up"]
    monkeypatch.setenv("BRIHASPATI_MACHINE_URL", "https://lab.example.org")
    assert main(wiring.open_shop, arguments) == 2
    assert "DIGITALOCEAN_REGIONS='pluto2'" in capsys.readouterr().err


def test_a_server_does_not_start_where_machines_could_have_no_names(
    world: World,  # noqa: ARG001 - it is asked
    tmp_path: object,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("BRIHASPATI_NAMES", "labs.example.org")
    monkeypatch.setenv("BRIHASPATI_MACHINE_URL", "https://lab.example.org")
    arguments = ["--data", str(tmp_path), "--provider", "digitalocean", "up"]
    assert main(wiring.open_shop, arguments) == 2
    said = capsys.readouterr().err
    assert "BRIHASPATI_NAMES='labs.example.org': digitalocean says" in said
    assert said.count("\n") == 1

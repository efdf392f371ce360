"""A lab of the cloud mode from Play to gone: real functions, and a machine that says its part."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from amazon.classes import SANDBOX, join, open_rented_class
from amazon.deployed import API, ENV, Deployed, zip_of
from amazon.rented import rented
from brihaspati import settings

pytestmark = pytest.mark.slow


def seen(house: Deployed, cookie: str) -> dict[str, Any]:
    answer = house.ask("api_student", "GET", SANDBOX, cookie=cookie)
    found: dict[str, Any] = json.loads(answer["body"])["sandbox"]
    return found


def test_a_rented_lab_becomes_ready_and_goes_again(house: Deployed) -> None:
    open_rented_class()
    cookie = join(house)
    assert house.ask("api_student", "PUT", SANDBOX, cookie=cookie)["statusCode"] == 201
    house.until(lambda: house.world.running() != [])
    machine = rented(house)
    assert machine.boot["url"] == API
    program = house.ask("machines", "GET", f"/v1/agent/{machine.boot['agent_sha256']}.pyz")
    assert program["statusCode"] == 200
    assert hashlib.sha256(zip_of(program)).hexdigest() == machine.boot["agent_sha256"]
    booted = machine.begin()
    assert booted["statusCode"] == 200, booted
    orders = json.loads(booted["body"])
    assert (orders["env"], orders["host"]) == (ENV, machine.address)
    assert orders["issuer"]["directory"] == "https://acme.example.org/directory"
    assert machine.say("/v1/machines/ticket", {})["statusCode"] == 200
    assert machine.say("/v1/machines/beat", {"state": "starting"})["statusCode"] == 200
    assert seen(house, cookie)["phase"] == "starting"
    ready = machine.say("/v1/machines/beat", {"state": "ready", "line": "$"})
    assert json.loads(ready["body"])["phase"] == "ready"
    house.work()
    assert seen(house, cookie)["phase"] == "ready"
    ticket = house.ask(
        "api_student", "POST", f"{SANDBOX}/ticket", {"for": "terminal"}, cookie=cookie
    )
    assert json.loads(ticket["body"])["url"] == f"wss://{machine.address}/agent/terminal"
    assert house.ask("api_student", "DELETE", SANDBOX, cookie=cookie)["statusCode"] == 202
    house.until(lambda: seen(house, cookie)["phase"] == "gone")
    assert house.world.running() == []
    late = machine.say("/v1/machines/beat", {"state": "ready"})
    assert late["statusCode"] in (404, 409, 410), late


def test_a_check_is_answered_at_once_and_run_by_the_one_who_speaks_with_agents(
    house: Deployed,
) -> None:
    open_rented_class()
    cookie = join(house)
    house.ask("api_student", "PUT", SANDBOX, cookie=cookie)
    house.until(lambda: house.world.running() != [])
    machine = rented(house)
    machine.begin()
    machine.say("/v1/machines/beat", {"state": "ready"})
    press = "/v1/classes/demo/labs/hello/steps/one/check"
    pressed = house.ask("api_student", "POST", press, {}, cookie=cookie)
    assert pressed["statusCode"] == 202
    assert json.loads(pressed["body"])["progress"]["busy"] == "one"
    house.work()
    said = house.ask("api_student", "GET", SANDBOX, cookie=cookie)
    after = json.loads(said["body"])["progress"]
    assert after["busy"] is None
    # The stand-in's machine has no body here, and so no agent.
    assert after["problem"] == "The lab cannot be reached now: its machine does not answer."


def test_who_creates_machines_says_what_is_missing_before_any_is_made(
    house: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert house.world.running() == []
    monkeypatch.setenv("BRIHASPATI_MACHINE_URL", "")
    monkeypatch.setenv("BRIHASPATI_ORIGINS", "http://labs.example.org")
    with pytest.raises(settings.SettingsError, match=r"set BRIHASPATI_MACHINE_URL=https://\.\.\."):
        house.call("provision", {"Records": []})


def test_a_token_used_from_elsewhere_is_refused_and_counted(house: Deployed, capsys: Any) -> None:
    open_rented_class()
    house.ask("api_student", "PUT", SANDBOX, cookie=join(house))
    house.until(lambda: house.world.running() != [])
    machine = rented(house)
    assert machine.begin(source="203.0.113.99")["statusCode"] == 403
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line[:1] == "{"]
    assert [line["machine_alarms"] for line in said if "machine_alarms" in line] == [1]
    assert machine.begin()["statusCode"] == 200

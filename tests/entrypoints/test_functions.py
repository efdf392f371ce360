"""What Lambda hands to the functions: whole, broken, too large, twice."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from brihaspati import ports
from brihaspati.adapters import memory, sqs
from brihaspati.engine.engine import Engine
from brihaspati.entrypoints.aws_lambda import boundaries
from brihaspati.entrypoints.aws_lambda.batches import TIME_LEFT_MS_MIN, Batches
from brihaspati.entrypoints.aws_lambda.minutes import Sweep, Warmth
from brihaspati.entrypoints.aws_lambda.web import WARM_SECONDS, Web
from brihaspati.entrypoints.http.addresses import Addresses
from brihaspati.entrypoints.http.gate import BODY_BYTES_MAX, Gate
from engine.test_playing import play
from house import ORIGIN, House


@pytest.fixture
def house() -> House:
    house = House()
    house.classroom()
    return house


def web(house: House, function: str = "auth") -> Web:
    addresses = Addresses(frozenset({ORIGIN}), "localhost")
    return Web(Gate(house.engine, addresses, modules=boundaries.modules(function)))


def request(method: str, path: str, body: str | None = None, **more: Any) -> dict[str, Any]:
    headers = {"Host": "api.example.org", "Origin": ORIGIN, "Content-Type": "application/json"}
    return {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "headers": headers,
        "requestContext": {
            "http": {"method": method, "path": path},
            "domainName": "x",
            "stage": "$default",
        },
        "body": body,
        "isBase64Encoded": False,
        **more,
    }


JOIN = json.dumps({"code": "MARIGOLD", "name": "Asha"})


def test_a_join_by_the_gateway_gives_a_cookie_where_the_gateway_wants_it(house: House) -> None:
    answer = web(house)(request("POST", "/v1/join", JOIN))
    assert answer["statusCode"] == 201
    assert [c.partition("=")[0] for c in answer["cookies"]] == ["bh_session"]
    assert not any(name.lower() == "set-cookie" for name in answer["headers"])
    cookie = answer["cookies"][0].partition(";")[0]
    said = web(house)(request("GET", "/v1/session", cookies=[cookie]))
    assert json.loads(said["body"])["user"]["name"] == "Asha"


def test_a_body_in_base64_is_the_same_request(house: House) -> None:
    body = base64.b64encode(JOIN.encode()).decode()
    answer = web(house)(request("POST", "/v1/join", body, isBase64Encoded=True))
    assert answer["statusCode"] == 201


@pytest.mark.parametrize("body", ["%%%", base64.b64encode(b"\xff\xfe").decode()])
def test_a_body_that_is_no_text_is_refused_in_words(house: House, body: str) -> None:
    answer = web(house)(request("POST", "/v1/join", body, isBase64Encoded=True))
    assert (answer["statusCode"], json.loads(answer["body"])["field"]) == (422, "body")


def test_a_body_that_is_too_large_is_refused(house: House) -> None:
    answer = web(house)(request("POST", "/v1/join", "x" * (BODY_BYTES_MAX + 1)))
    assert answer["statusCode"] == 413


@pytest.mark.parametrize(
    "event", [{}, {"Records": []}, {"requestContext": None}, {"requestContext": {"http": {}}}]
)
def test_what_is_no_request_is_told_so(house: House, event: dict[str, Any]) -> None:
    answer = web(house)(event)
    assert answer["statusCode"] == 400
    assert json.loads(answer["body"])["type"] == "/problems/bad-event"


def test_a_function_answers_no_route_of_another(house: House) -> None:
    board = request("GET", "/v1/classes/demo/board")
    assert web(house, "auth")(board)["statusCode"] == 404
    assert web(house, "api_trainer")(board)["statusCode"] == 401


class Keyless(memory.Secrets):
    """As a parameter store without the key."""

    def mac(self, purpose: str, message: bytes) -> bytes:  # noqa: ARG002 - as the port has it
        raise ports.NotSetUp("the parameter /b/mac-key is not there; make it: aws ssm …")


def test_a_secret_that_is_missing_is_a_problem_of_its_own_with_the_fix_in_the_log(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    house.engine = Engine(replace(house.world, secrets=Keyless()))
    answer = web(house)(request("POST", "/v1/join", JOIN))
    said = json.loads(answer["body"])
    assert (answer["statusCode"], said["type"]) == (500, "/problems/not-set-up")
    assert "log" in said["fix"]
    assert "/b/mac-key" not in answer["body"]  # nothing for strangers
    assert "make it: aws ssm" in caplog.text


def test_a_ping_only_keeps_it_warm(house: House) -> None:
    waited: list[float] = []
    api = Gate(house.engine, Addresses(frozenset(), "localhost"), modules=())
    assert Web(api, waited.append)({"warm": True}) == {}
    assert waited == [WARM_SECONDS]


# --- batches -------------------------------------------------------------------------------------
def record(name: str, body: str, tries: int = 1) -> dict[str, Any]:
    attributes = {"ApproximateReceiveCount": str(tries)}
    return {"messageId": name, "receiptHandle": name, "body": body, "attributes": attributes}


def batch(*records: dict[str, Any]) -> dict[str, Any]:
    return {"Records": list(records)}


class TimeLeft:
    def __init__(self, milliseconds: int) -> None:
        self.milliseconds = milliseconds

    def get_remaining_time_in_millis(self) -> int:
        return self.milliseconds


def look_at(slot: str) -> str:
    return sqs.text_of(ports.Message("sandbox", {"slot": slot}))


def test_one_bad_message_fails_alone(house: House) -> None:
    room = house.engine.classes.get("demo")
    slot = str(play(house, room, house.student(room)).sandbox.slot)
    answer = Batches(house.engine.handle)(
        batch(
            record("broken", "{"),
            record("strange", sqs.text_of(ports.Message("unheard of", {}))),
            record("good", look_at(slot)),
            record("again", look_at(slot)),
        )
    )
    failed = [one["itemIdentifier"] for one in answer["batchItemFailures"]]
    assert failed == ["broken", "strange"]
    assert len(house.provider.machines) == 1


def test_messages_without_time_left_come_back_untouched() -> None:
    handled: list[ports.Message] = []
    answer = Batches(handled.append)(batch(record("a", look_at("x"))), TimeLeft(TIME_LEFT_MS_MIN))
    assert (answer["batchItemFailures"], handled) == ([{"itemIdentifier": "a"}], [])


def test_what_is_no_batch_is_an_error_that_raises_the_alarm() -> None:
    with pytest.raises(sqs.BadDelivery):
        Batches(lambda _: None)({"rawPath": "/"})


# --- each minute ---------------------------------------------------------------------------------
def test_a_sweep_does_the_rest_where_one_duty_fails(house: House) -> None:
    failing = iter([memory_fault()])
    house.engine.sweeping.sweep = lambda **_: (_ for _ in ()).throw(next(failing))  # type: ignore[method-assign]
    filled: list[bool] = []
    house.engine.sweeping.fill_pools = lambda: filled.append(True)  # type: ignore[method-assign]
    with pytest.raises(ports.Busy):
        Sweep(house.engine)()
    assert filled == [True]


def memory_fault() -> Exception:
    return ports.Busy("throttled")


def test_warmth_asks_for_environments_side_by_side(house: House) -> None:
    asked: list[str] = []

    def invoke(operation: str, *, FunctionName: str, InvocationType: str, Payload: bytes) -> None:  # noqa: N803
        assert (operation, InvocationType, json.loads(Payload)) == (
            "invoke",
            "Event",
            {"warm": True},
        )
        asked.append(FunctionName)

    assert Warmth(house.engine, invoke, ("a", "b"))() == {"environments": 3}
    assert asked == ["a"] * 3 + ["b"] * 3

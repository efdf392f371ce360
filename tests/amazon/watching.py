"""What every function asks of AWS, and what its role lets it: both in the template's own names."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from botocore import handlers

from amazon.deployed import Deployed
from tidy import tracked

# An action, and the thing it is done to.
Deed = tuple[str, str]
# Of a transaction AWS asks for what each of its parts needs.
PARTS = {"Put": "PutItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}
# How the resources of statements are written, and what they are called here.
NAMES = (
    (r"(\w+)\.Arn", r"\1"),
    (r"\$\{Table\.Arn\}(/index/\w+)", r"Table\1"),
    (r"arn:.*:parameter/brihaspati/\$\{sls:stage\}/([\w-]+)", r"\1"),
    (r"arn:.*:schedule/brihaspati-\$\{sls:stage\}/\*", "schedule"),
    (r"arn:.*:function:brihaspati-\$\{sls:stage\}-(\w+)\$\{self:custom\.own\.alias\}", r"\1"),
    (r"arn:.*:log-group:.*", "log"),
)


@contextlib.contextmanager
def watched(house: Deployed) -> Iterator[dict[str, set[Deed]]]:
    """What functions ask for as long as the context lasts, by function."""
    deeds: dict[str, set[Deed]] = {}
    queues = {
        house.made.place.url: "StartingQueue",
        house.ending_url: "EndingQueue",
        house.checking_url: "CheckingQueue",
    }

    def hear(params: Mapping[str, Any], model: Any, **_: Any) -> None:
        service = str(model.service_model.service_name)
        found = _deeds(service, str(model.name), params, queues)
        if house.calling:
            deeds.setdefault(house.calling, set()).update(found)

    # Every session of botocore begins with these, whoever makes it.
    own = ("before-parameter-build", hear)
    handlers.BUILTIN_HANDLERS.append(own)
    try:
        yield deeds
    finally:
        handlers.BUILTIN_HANDLERS.remove(own)


def _deeds(
    service: str, operation: str, params: Mapping[str, Any], queues: Mapping[str, str]
) -> set[Deed]:
    named = {(f"{service}:{operation}", _thing(service, params, queues))}
    match service, operation:
        case "dynamodb", "TransactWriteItems":
            kinds = {kind for item in params["TransactItems"] for kind in item}
            named = {(f"dynamodb:{PARTS[kind]}", "Table") for kind in kinds}
        case "sqs", _:
            named = {(action.removesuffix("Batch"), thing) for action, thing in named}
        case "scheduler", "CreateSchedule" | "UpdateSchedule":
            named |= {("iam:PassRole", "AlarmRole")}
        case "lambda", "Invoke":
            named = {("lambda:InvokeFunction", params["FunctionName"])}
    return named


def _thing(service: str, params: Mapping[str, Any], queues: Mapping[str, str]) -> str:
    match service:
        case "dynamodb":
            index = params.get("IndexName")
            return f"Table/index/{index}" if index else "Table"
        case "sqs":
            return queues[params["QueueUrl"]]
        case "ssm":
            return str(params["Name"].rpartition("/")[2])
        case "scheduler":
            return "schedule"
        case "lambda":
            return str(params["FunctionName"])
        case _:
            raise AssertionError(f"{service} is asked, and nobody says what that needs")


class _Template(yaml.SafeLoader):
    """YAML with the short forms of CloudFormation's functions, as their text."""


_Template.add_multi_constructor("!", lambda loader, _, node: loader.construct_scalar(node))


def granted() -> dict[str, set[Deed]]:
    """What the role of each function allows, without what AWS itself does in its name."""
    functions = _read(tracked.ROOT / "serverless.yml")["functions"]
    roles = _read(tracked.ROOT / "deploy/resources/roles.yml")["Resources"]
    return {
        name: {
            (action, _name(resource))
            for policy in roles[one["role"].removesuffix(".Arn")]["Properties"]["Policies"]
            for statement in policy["PolicyDocument"]["Statement"]
            if statement["Sid"] not in ("logs", "take")
            for action in statement["Action"]
            for resource in statement["Resource"]
        }
        for name, one in functions.items()
    }


def _read(path: Path) -> Any:
    return yaml.load(path.read_text(), _Template)


def _name(resource: str) -> str:
    for pattern, name in NAMES:
        if re.fullmatch(pattern, resource):
            return re.sub(pattern, name, resource)
    raise AssertionError(f"{resource} has no name here")

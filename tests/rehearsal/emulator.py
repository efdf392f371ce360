"""The emulator of AWS as the rehearsal runs it, with the Python of .venv-emulators.

REHEARSAL_RECORD names a file that gets a line of JSON for each invocation of a function (`ran`) and
for each right that a function used or was refused for the first time (`asked`). Where the emulator
falls short of AWS in what we prove, it is mended here, and said in docs/how-to/rehearse-on-aws.md:

- a schedule's ARN has its own group in it, not always `default`
- who makes a schedule must be allowed to pass the role that it names
- services that act for a function or a schedule (its queue, its log, its target) need its role
- nothing makes a log group that was removed, for no role may
- an HTTP API says from which address a request came (the front tells, by a header), and has
  cookies apart from headers, and an answer of a function may have the body null
- what is due is looked at each second, not every ten

One thing is hurried, which AWS does not: what comes each minute comes every quarter of one.
"""

from __future__ import annotations

import contextvars
import json
import os
import threading
import time
from pathlib import Path
from typing import Any

from ministack.app import main
from ministack.core import iam_actions, iam_evaluator
from ministack.services import cloudwatch_logs, dynamodb, eventbridge, lambda_svc, scheduler
from ministack.services.cloudformation import provisioners

RECORD = Path(os.environ["REHEARSAL_RECORD"])
SOURCE_HEADER = "x-rehearsal-source"
LOG_LETTERS_MAX = 4000
HURRY = 4
SCHEDULING = frozenset({"scheduler:CreateSchedule", "scheduler:UpdateSchedule"})
# What a schedule does, by where its target is.
DELIVERING = {"sqs": "sqs:SendMessage", "lambda": "lambda:InvokeFunction"}

_writing = threading.Lock()
_asked: set[tuple[str, str, str, bool]] = set()
_handed: contextvars.ContextVar[str | None] = contextvars.ContextVar("handed", default=None)


def note(kind: str, **fields: Any) -> None:
    """One line more."""
    with _writing, RECORD.open("a") as record:
        record.write(json.dumps({"kind": kind, "at": time.time(), **fields}) + "\n")


def used(principal: str, action: str, resource: str, *, refused: bool = False) -> None:
    """Note a right that a role of a function used, or was refused, when it is the first time."""
    asked = (principal, action, resource, refused)
    if ":assumed-role/" in principal and asked not in _asked:
        _asked.add(asked)
        role = principal.split("/")[1]
        note("asked", role=role, action=action, resource=resource, refused=refused)


def noting(evaluate: Any) -> Any:
    """Decide as before, and note what functions ask for."""

    def noted(context: Any, *policies: Any) -> Any:
        found = evaluate(context, *policies)
        if found.decision == "Allow":
            used(context.principal_arn, context.action, context.resource_arn)
        return found

    return noted


def in_its_group(resource_of: Any) -> Any:
    """The ARN of a schedule with its group."""

    def resource(service: str, method: str, path: str, *rest: Any) -> Any:
        found = resource_of(service, method, path, *rest)
        _handed.set(None)
        if service == "scheduler" and path.startswith("/schedules/"):
            _, body, query = rest[:3]
            said = json.loads(body or b"{}")
            group = said.get("GroupName") or (query.get("groupName") or ["default"])[0]
            _handed.set(said.get("Target", {}).get("RoleArn"))
            found = found.replace(":schedule/default/", f":schedule/{group}/")
        return found

    return resource


def handing(enforce: Any) -> Any:
    """Who hands a role to a service must be allowed to."""

    def enforced(key: str, action: str, service: str, region: str, *rest: Any, **more: Any) -> Any:
        refused = enforce(key, action, service, region, *rest, **more)
        role = _handed.get()
        if refused is None and action in SCHEDULING and role:
            action, refused = "iam:PassRole", enforce(key, "iam:PassRole", "iam", region, role)
        if principal := getattr(refused, "principal_arn", ""):
            used(principal, action, str(more.get("resource_arn", role)), refused=True)
        return refused

    return enforced


def as_gateway(event: dict[str, Any]) -> None:
    """Let an event of the HTTP API say what AWS's says."""
    headers = event["headers"]
    if source := headers.pop(SOURCE_HEADER, None):
        event["requestContext"]["http"]["sourceIp"] = source
    if jar := headers.pop("cookie", None):
        event["cookies"] = jar.split("; ")


def running(run: Any) -> Any:
    """Run a function, and note that it ran."""

    def ran(func: Any, config: Any, event: Any, *rest: Any) -> Any:
        if isinstance(event, dict) and event.get("version") == "2.0" and "routeKey" in event:
            as_gateway(event)
        begun = time.time()
        found = run(func, config, event, *rest)
        seen = found if isinstance(found, dict) else {}
        answer = seen.get("body")
        if isinstance(answer, dict) and answer.get("body", "") is None:
            answer["body"] = ""
        note(
            "ran",
            function=config.get("FunctionName"),
            route=event.get("routeKey") if isinstance(event, dict) else None,
            seconds=time.time() - begun,
            failed=bool(seen.get("error")),
            answer=json.dumps(seen.get("body"), default=str)[:600],
            log=str(seen.get("log", ""))[-LOG_LETTERS_MAX:],
        )
        return found

    return ran


def may(role_arn: str, action: str, resource: str) -> bool:
    """Whether the policies of a role allow a service to do this in its name."""
    _, _, _, _, account, name = role_arn.split(":", 5)
    role = name.rpartition("/")[2]
    context = iam_evaluator.EvalContext(
        principal_arn=f"arn:aws:sts::{account}:assumed-role/{role}/service",
        principal_type="AssumedRole",
        principal_account=account,
        action=action,
        resource_arn=resource,
        region=os.environ["MINISTACK_REGION"],
    )
    found = iam_evaluator.evaluate(context, iam_evaluator._gather_role_policies(role, account))
    if found.decision != "Allow":
        used(context.principal_arn, action, resource, refused=True)
    return bool(found.decision == "Allow")


def taking(run_batch: Any) -> Any:
    """The service that takes messages for a function does so in its name."""

    def taken(mapping: Any, func: Any, *rest: Any) -> None:
        role, queue = func["config"]["Role"], mapping["EventSourceArn"]
        needed = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
        if all(may(role, f"sqs:{action}", queue) for action in needed):
            run_batch(mapping, func, *rest)

    return taken


def writing(emit: Any) -> Any:
    """The service that writes logs does so in the function's name, into a group that is there."""

    def written(func: Any, *rest: Any, **more: Any) -> None:
        config = func.get("config") or func
        group = f"/aws/lambda/{config['FunctionName']}"
        account = config["Role"].split(":")[4]
        stream = f"arn:aws:logs:{os.environ['MINISTACK_REGION']}:{account}:log-group:{group}:log"
        needed = ("CreateLogStream", "PutLogEvents")
        there = group in cloudwatch_logs._log_groups
        if there and all(may(config["Role"], f"logs:{action}", stream) for action in needed):
            emit(func, *rest, **more)

    return written


def firing(invoke_target: Any) -> Any:
    """A schedule puts its message, or calls, in the name of the role it was handed."""

    def fired(target: Any, event: Any, rule: Any, *rest: Any) -> None:
        if event.get("Source") == "aws.scheduler":
            service = target["Arn"].split(":")[2]
            if not may(target["RoleArn"], DELIVERING[service], target["Arn"]):
                return
            note("fired", schedule=rule["Name"], text=target["Input"])
        invoke_target(target, event, rule, *rest)

    return fired


def hurried(seconds_of: Any) -> Any:
    """How often a rule calls: a minute in a quarter of one, so that nobody waits for two sweeps."""
    return lambda expression: (found := seconds_of(expression)) and found / HURRY


def unowned(create: Any) -> Any:
    """CloudFormation takes over nobody's table, as little as the service makes one twice."""

    def made(logical_id: str, properties: dict[str, Any], stack: str) -> Any:
        name = properties["TableName"]
        if name in dynamodb._tables:
            raise ValueError(f"Table already exists: {name}")
        return create(logical_id, properties, stack)

    return made


iam_evaluator.evaluate = noting(iam_evaluator.evaluate)
iam_evaluator.enforce = handing(iam_evaluator.enforce)
iam_actions.extract_resource_arn = in_its_group(iam_actions.extract_resource_arn)
lambda_svc._execute_function_dispatch = running(lambda_svc._execute_function_dispatch)
lambda_svc._run_sqs_batch = taking(lambda_svc._run_sqs_batch)
lambda_svc._emit_lambda_logs = writing(lambda_svc._emit_lambda_logs)
eventbridge._invoke_target = firing(eventbridge._invoke_target)
eventbridge._parse_rate_seconds = hurried(eventbridge._parse_rate_seconds)
_tables = provisioners._RESOURCE_HANDLERS["AWS::DynamoDB::Table"]
_tables["create"] = unowned(_tables["create"])
scheduler._SCHEDULE_TICK_INTERVAL = 1
eventbridge._SCHEDULER_TICK_INTERVAL = 1
main()

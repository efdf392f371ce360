"""The template that osls makes of serverless.yml: what it costs, and who may do what."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, get_args

import pytest

from brihaspati import ports, settings
from brihaspati.adapters import dynamodb, emf
from brihaspati.domain import abuse, bills
from brihaspati.entrypoints.aws_lambda import boundaries
from brihaspati.entrypoints.http import document, gate
from deploy import snapshots
from tidy import tracked

pytestmark = pytest.mark.timeout(400)  # osls takes its time on a busy machine

ROOT = tracked.ROOT
PLACE = ".serverless/cloudformation-template-update-stack.json"
KEPT = ROOT / "tests/deploy/snapshot.json"
FRESH = ROOT / "build/snapshot.json"
RESOURCES_MAX = 200
# A role may name several things by a star only where their names are made later.
STARS = {
    r":log-group:/aws/lambda/brihaspati-prod-\w+:\*$": "streams of one function's own log",
    r":schedule/brihaspati-prod/\*$": "each lab has a schedule, all in our own group",
}

ROUTES = len(gate.routes_of(document.MODULES)) + 1  # and the document of the API

Json = dict[str, Any]


@pytest.fixture(scope="module")
def template() -> Json:
    if shutil.which("node") is None:
        pytest.skip("node is not installed: there is no osls to make the template")
    done = subprocess.run(
        [ROOT / "scripts/template", "package"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found: Json = json.loads((ROOT / PLACE).read_text())
    return found


def of_type(template: Json, kind: str) -> dict[str, Json]:
    return {n: r["Properties"] for n, r in template["Resources"].items() if r["Type"] == kind}


def text_of(value: Any) -> str:
    """A value of the template as text, with functions of CloudFormation as JSON."""
    match value:
        case {"Fn::Sub": str(text)}:
            return text
        case str():
            return value
        case _:
            return json.dumps(value, sort_keys=True)


def statements(template: Json) -> list[tuple[str, Json]]:
    return [
        (name, statement)
        for name, role in of_type(template, "AWS::IAM::Role").items()
        for policy in role["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
    ]


def test_every_route_is_in_exactly_one_function() -> None:
    assert sorted(m.__name__ for m in document.MODULES) == sorted(
        m.__name__ for name in boundaries.BOUNDARIES for m in boundaries.modules(name)
    )
    owned = [a for name in boundaries.BOUNDARIES for a in boundaries.addresses(name)]
    assert len(owned) == len(set(owned)) == ROUTES


def test_the_committed_routes_are_those_of_the_table() -> None:
    wanted = {
        name: [{"httpApi": address} for address in boundaries.addresses(name)]
        for name in boundaries.BOUNDARIES
    }
    path = ROOT / "deploy/routes.json"
    text = json.dumps(wanted, indent=2) + "\n"
    assert path.read_text() == text, f"write into {path.name}:\n{text}"


def test_the_template_is_small_and_a_route_costs_one_resource(template: Json) -> None:
    resources = template["Resources"]
    assert len(resources) <= RESOURCES_MAX
    made = of_type(template, "AWS::ApiGatewayV2::Route")
    assert len(made) == ROUTES
    # All routes of a function share what else there is, so one more is one resource more.
    assert len(of_type(template, "AWS::ApiGatewayV2::Integration")) == len(boundaries.BOUNDARIES)
    said = [name for name in resources if name.startswith("HttpApiRoute")]
    assert len(said) == len(made)


def test_the_table_is_the_adapter_s(template: Json) -> None:
    (table,) = of_type(template, "AWS::DynamoDB::Table").values()
    wanted = dynamodb.definition(table["TableName"])

    def by_name(found: Json) -> Json:
        return {
            **{key: found[key] for key in ("BillingMode", "KeySchema")},
            "attributes": sorted(found["AttributeDefinitions"], key=str),
            "indexes": {one["IndexName"]: one for one in found["GlobalSecondaryIndexes"]},
        }

    assert by_name(table) == by_name(wanted)
    assert table["TimeToLiveSpecification"] == {
        "AttributeName": dynamodb.TTL_ATTRIBUTE,
        "Enabled": True,
    }
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["DeletionProtectionEnabled"] is True
    assert template["Resources"]["Table"]["DeletionPolicy"] == "Retain"


def test_each_function_has_a_role_of_its_own_and_lambda_s_own_runtime(template: Json) -> None:
    functions = of_type(template, "AWS::Lambda::Function")
    roles = {text_of(one["Role"]) for one in functions.values()}
    assert len(roles) == len(functions)
    for name, one in functions.items():
        assert (one["Runtime"], one["Architectures"]) == ("python3.13", ["arm64"]), name
        assert one["Timeout"] <= 60, name
    kept = of_type(template, "AWS::Logs::LogGroup")
    assert len(kept) == len(functions) + 1  # and the gateway's
    assert all(one["RetentionInDays"] == 30 for one in kept.values())


def test_only_what_answers_people_is_snapped(template: Json) -> None:
    """Machines wait for their provider anyway, and a snapshot costs by the hour."""
    snapped = {
        text_of(one["FunctionName"])
        for one in of_type(template, "AWS::Lambda::Function").values()
        if "SnapStart" in one
    }
    people = set(boundaries.BOUNDARIES) - {"machines"}
    assert snapped == {f"brihaspati-prod-{name}" for name in people}


def test_no_role_has_more_than_it_names(template: Json) -> None:
    for role, statement in statements(template):
        actions = statement["Action"]
        for action in [actions] if isinstance(actions, str) else actions:
            assert re.fullmatch(r"[a-z0-9]+:[A-Za-z]+", action), (role, action)
        assert statement["Effect"] == "Allow"
        resources = statement["Resource"]
        for resource in resources if isinstance(resources, list) else [resources]:
            text = text_of(resource)
            assert "*" not in text or any(re.search(star, text) for star in STARS), (role, text)


def test_who_answers_people_reads_no_token_and_who_ends_cannot_create(template: Json) -> None:
    secrets: dict[str, str] = {}
    for role, statement in statements(template):
        if statement["Sid"] == "secrets":
            secrets[role] = " ".join(map(text_of, statement["Resource"]))
    readers = {role for role, names in secrets.items() if "digitalocean" in names}
    assert readers == {"ProvisionRole", "DeprovisionRole", "SweepRole"}
    creators = {role for role, names in secrets.items() if "/digitalocean-token" in names}
    assert creators == {"ProvisionRole"}


def rights(template: Json, role: str, sid: str) -> tuple[set[str], str]:
    """Actions and resources of a role's statement; none where it has none."""
    found = [s for r, s in statements(template) if r == role and s["Sid"] == sid]
    actions = {action for s in found for action in s["Action"]}
    return actions, " ".join(text_of(one) for s in found for one in s["Resource"])


def test_who_writes_may_see_what_was_in_the_way(template: Json) -> None:
    for role in of_type(template, "AWS::IAM::Role"):
        actions, _ = rights(template, role, "table")
        if "dynamodb:PutItem" in actions:
            assert "dynamodb:BatchGetItem" in actions, role


def test_who_gives_turns_may_count_what_a_class_costs(template: Json) -> None:
    for role in ("ProvisionRole", "ApiStudentRole", "ApiTrainerRole", "SweepRole"):
        actions, resources = rights(template, role, "indexes")
        assert "dynamodb:Query" in actions, role
        assert "/index/group" in resources, role


def test_machines_find_the_api_and_who_creates_them_can_make_their_token(template: Json) -> None:
    functions = of_type(template, "AWS::Lambda::Function")
    for one in functions.values():
        said = one["Environment"]["Variables"]["BRIHASPATI_MACHINE_URL"]
        assert text_of(said) == "https://${HttpApi}.execute-api.${AWS::Region}.amazonaws.com"
    readers = {
        role
        for role, statement in statements(template)
        if statement["Sid"] == "secrets" and "/mac-key" in str(statement["Resource"])
    }
    assert {"ProvisionRole", "MachinesRole"} <= readers


def test_whoever_hears_machines_knows_when_one_is_suspect(template: Json) -> None:
    """Each such setting that is documented, and as it is where nobody sets it."""
    documented = (ROOT / "docs/reference/settings.md").read_text()
    names = set(re.findall(r"`(BRIHASPATI_SUSPECT_\w+)`", documented))
    said = of_type(template, "AWS::Lambda::Function")["MachinesLambdaFunction"]["Environment"]
    told = {name: said["Variables"][name] for name in names}
    assert len(told) == 4
    assert settings.read({}, told).abuse == abuse.USUAL


def test_services_that_call_for_us_may(template: Json) -> None:
    """What an emulator does not enforce: the roles of the scheduler and of queue mappings."""
    roles = of_type(template, "AWS::IAM::Role")
    alarms = roles["AlarmRole"]
    assert alarms["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {
        "Service": "scheduler.amazonaws.com"
    }
    said, calls = alarms["Policies"][0]["PolicyDocument"]["Statement"]
    assert said["Action"] == "sqs:SendMessage"
    assert [r["Fn::GetAtt"][0] for r in said["Resource"]] == ["EndingQueue", "EndingDead"]
    assert calls["Action"] == "lambda:InvokeFunction"
    warm = of_type(template, "AWS::Lambda::Function")["WarmLambdaFunction"]
    assert text_of(calls["Resource"]).endswith(f":function:{warm['FunctionName']}")
    takers = {
        "ProvisionRole": "StartingQueue",
        "DeprovisionRole": "EndingQueue",
        "CheckRole": "CheckingQueue",
    }
    for role, queue in takers.items():
        (take,) = [s for r, s in statements(template) if r == role and s["Sid"] == "take"]
        assert take["Resource"] == [{"Fn::GetAtt": [queue, "Arn"]}]
        assert set(take["Action"]) == {
            "sqs:ReceiveMessage",
            "sqs:DeleteMessage",
            "sqs:GetQueueAttributes",
        }


def test_what_fails_comes_back_late_enough_and_ends_among_the_dead(template: Json) -> None:
    queues, functions = of_type(template, "AWS::SQS::Queue"), template["Resources"]
    for mapping in of_type(template, "AWS::Lambda::EventSourceMapping").values():
        queue = queues[mapping["EventSourceArn"]["Fn::GetAtt"][0]]
        function = functions[mapping["FunctionName"]["Fn::GetAtt"][0]]["Properties"]
        assert queue["VisibilityTimeout"] >= 6 * function["Timeout"]
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        dead = queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
        alarms = json.dumps(of_type(template, "AWS::CloudWatch::Alarm"))
        assert f'["{dead}", "QueueName"]' in alarms
    ending = list(of_type(template, "AWS::Lambda::Function").values())
    kept = {text_of(f["FunctionName"]) for f in ending if "ReservedConcurrentExecutions" in f}
    assert "brihaspati-prod-deprovision" in kept


def test_every_alarm_watches_what_is_told_and_the_guide_says_what_to_do(template: Json) -> None:
    alarms = of_type(template, "AWS::CloudWatch::Alarm")
    assert len(alarms) == bills.ALARMS, "they are in the bill"
    assert len(of_type(template, "AWS::CloudWatch::Dashboard")) == bills.DASHBOARDS
    ours = [alarm for alarm in alarms.values() if alarm.get("Namespace") == emf.NAMESPACE]
    assert {alarm["MetricName"] for alarm in ours} <= set(get_args(ports.MetricName))
    assert {text_of(alarm["Dimensions"]) for alarm in ours} == {
        text_of([{"Name": "env", "Value": "prod"}])
    }
    watched = [
        text_of(dimension["Value"])
        for alarm in alarms.values()
        for dimension in alarm.get("Dimensions", ())
        if alarm.get("MetricName") == "Errors"
    ]
    assert len(watched) == len(of_type(template, "AWS::Lambda::Function"))
    guide = (ROOT / "docs/how-to/deploy-on-aws.md").read_text().partition("## Alarms")[2]
    rows = [line.split("|")[1] for line in guide.splitlines() if line.startswith("| `")]
    assert sorted(re.findall(r"`(\w+)`", " ".join(rows))) == sorted(alarms)


def test_no_secret_is_in_the_template() -> None:
    for path in [ROOT / "serverless.yml", *sorted((ROOT / "deploy").rglob("*.yml"))]:
        if "node_modules" not in path.parts:
            assert not re.search(r"(?i)(token|password|secret)\s*:\s*\S", path.read_text()), path


def test_each_handler_is_a_module_that_is_there(template: Json) -> None:
    for one in of_type(template, "AWS::Lambda::Function").values():
        module = one["Handler"].removesuffix(".handler")
        assert (ROOT / "src" / Path(*module.split("."))).with_suffix(".py").exists()


def test_the_template_is_the_one_that_was_read(template: Json) -> None:
    text = snapshots.normal(template)
    FRESH.parent.mkdir(exist_ok=True)
    FRESH.write_text(text)
    said = f"read the difference, then: cp {FRESH.relative_to(ROOT)} {KEPT.relative_to(ROOT)}"
    assert text == KEPT.read_text(), said


def test_the_snapshot_of_one_template_is_the_same_on_another_day() -> None:
    def on(day: str, digest: str) -> Json:
        zipped = {"S3Key": f"serverless/brihaspati/prod/{day}/auth.zip"}
        version = {"Type": "AWS::Lambda::Version", "Properties": {"CodeSha256": digest}}
        function = {"Type": "AWS::Lambda::Function", "Properties": {"Code": zipped}}
        return {"Resources": {"Auth": function, f"AuthLambdaVersion{digest}": version}}

    assert snapshots.normal(on("1-2026", "a" * 43)) == snapshots.normal(on("2-2027", "B" * 43))


def test_who_sets_alarms_may_also_take_them_back_as_setting_an_overdue_one_does(
    template: Json,
) -> None:
    found = [said["Action"] for _, said in statements(template) if said["Sid"] == "alarms"]
    wanted = {"scheduler:CreateSchedule", "scheduler:UpdateSchedule", "scheduler:DeleteSchedule"}
    assert found
    assert all(set(actions) == wanted for actions in found)

"""An account of AWS that exists for one rehearsal: the emulator, and what osls deploys into it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import loopback
from brihaspati.adapters import amazon, keyring, ssm
from emulators import servers

STAGE = "local"
STACK = f"brihaspati-{STAGE}"
PARAMETERS = f"/brihaspati/{STAGE}"
PYTHON = servers.ROOT / ".venv-emulators/bin/python"
OSLS = servers.ROOT / "deploy/node_modules/serverless/bin/serverless.js"
PROGRAM = Path(__file__).with_name("emulator.py")
START_SECONDS_MAX = 60
DEPLOY_SECONDS_MAX = 180
# osls looks at the stack every five seconds by itself.
LOOK_EACH_MS = "500"
# Whatever a template of ours could leave behind: service, operation, list in its answer, and name.
KEPT = (
    ("lambda", "list_functions", "Functions", "FunctionName"),
    ("lambda", "list_event_source_mappings", "EventSourceMappings", "EventSourceArn"),
    ("iam", "list_roles", "Roles", "RoleName"),
    ("dynamodb", "list_tables", "TableNames", None),
    ("sqs", "list_queues", "QueueUrls", None),
    ("sns", "list_topics", "Topics", "TopicArn"),
    ("scheduler", "list_schedules", "Schedules", "Name"),
    ("scheduler", "list_schedule_groups", "ScheduleGroups", "Name"),
    ("events", "list_rules", "Rules", "Name"),
    ("apigatewayv2", "get_apis", "Items", "Name"),
    ("logs", "describe_log_groups", "logGroups", "logGroupName"),
    ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
    ("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
    ("s3", "list_buckets", "Buckets", "Name"),
    ("ssm", "describe_parameters", "Parameters", "Name"),
)


class Failed(Exception):  # noqa: N818 - said to a person
    """A step that did not do what it must."""


@dataclass(frozen=True)
class Account:
    """The emulator that runs, what it notes, and clients of an owner who may do everything."""

    address: str
    folder: Path
    services: amazon.Services

    def notes(self, kind: str) -> list[dict[str, Any]]:
        """What was noted so far, in order."""
        path = self.folder / "record"
        lines = path.read_text().splitlines() if path.exists() else []
        return [note for note in map(json.loads, lines) if note["kind"] == kind]

    def put_parameters(self, tokens: Mapping[str, str]) -> None:
        """Keys and tokens, as the guide has an operator put them."""
        keyring.Keyring(self.folder / "keys")
        found = {
            ssm.SIGNING_NAME: (self.folder / "keys" / keyring.SIGNING_FILE).read_text(),
            ssm.MAC_NAME: (self.folder / "keys" / keyring.MAC_FILE).read_text(),
            **tokens,
        }
        put = self.services.of("ssm")
        for name, value in found.items():
            put("put_parameter", Name=f"{PARAMETERS}/{name}", Value=value, Type="SecureString")

    def delete_parameters(self) -> None:
        """As the guide has an operator do last."""
        ask = self.services.of("ssm")
        for one in ask("describe_parameters")["Parameters"]:
            ask("delete_parameter", Name=one["Name"])

    def deploy(self, environment: Mapping[str, str]) -> None:
        """Deploy the true serverless.yml. Raises Failed."""
        self.osls(environment, "deploy")

    def osls(self, environment: Mapping[str, str], *words: str) -> None:
        """Run the deployment tool. Raises Failed."""
        given = {
            **environment,
            "AWS_ENDPOINT_URL": self.address,
            "AWS_ACCESS_KEY_ID": servers.KEYS[0],
            "AWS_SECRET_ACCESS_KEY": servers.KEYS[1],
            "AWS_REGION": servers.REGION,
            "SLS_TELEMETRY_DISABLED": "1",
            "SLS_AWS_MONITORING_FREQUENCY": LOOK_EACH_MS,
            "HOME": str(self.folder),
            "PATH": os.environ["PATH"],
        }
        done = subprocess.run(
            ["node", str(OSLS), *words, "--stage", STAGE],
            cwd=self._service(),
            env=given,
            capture_output=True,
            text=True,
            timeout=DEPLOY_SECONDS_MAX,
            check=False,
        )
        if done.returncode:
            raise Failed(f"osls {words[0]}:\n{done.stdout}{done.stderr}")

    def _service(self) -> Path:
        """The service, where osls may write: in the clone others package at the same time."""
        folder = self.folder / "service"
        if not folder.exists():
            folder.mkdir()
            for name in ("deploy", "build"):
                (folder / name).symlink_to(servers.ROOT / name)
            shutil.copy(servers.ROOT / "serverless.yml", folder)  # a link is no file to osls
        return folder

    @contextlib.contextmanager
    def name_taken(self) -> Iterator[None]:
        """Somebody else has a table of the name of ours, until the block ends."""
        ask = self.services.of("dynamodb")
        key = {"AttributeName": "pk", "KeyType": "HASH"}
        ask(
            "create_table",
            TableName=STACK,
            KeySchema=[key],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield
        ask("delete_table", TableName=STACK)

    def call(self, function: str, event: Mapping[str, Any]) -> Any:
        """Call a function as a rule does; what it returns. Raises Failed."""
        answer = self.services.of("lambda")(
            "invoke", FunctionName=f"{STACK}-{function}", Payload=json.dumps(event).encode()
        )
        said = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise Failed(f"{function} failed: {said}")
        return said

    def sweeping(self, *, on: bool) -> None:
        """Let the rule that calls the sweep rest, or work again."""
        ask = self.services.of("events")
        (rule,) = [r["Name"] for r in ask("list_rules")["Rules"] if "Sweep" in r["Name"]]
        ask("enable_rule" if on else "disable_rule", Name=rule)

    def time_limit(self, function: str, seconds: int) -> None:
        """Let a function be killed after so long."""
        self.services.of("lambda")(
            "update_function_configuration", FunctionName=f"{STACK}-{function}", Timeout=seconds
        )

    def api(self) -> str:
        """The id of the HTTP API."""
        (found,) = self.services.of("apigatewayv2")("get_apis")["Items"]
        api: str = found["ApiId"]
        return api

    def resources(self) -> list[str]:
        """What the stack has."""
        found: list[str] = []
        more: dict[str, str] = {}
        while True:
            page = self.services.of("cloudformation")(
                "list_stack_resources", StackName=STACK, **more
            )
            found += [one["LogicalResourceId"] for one in page["StackResourceSummaries"]]
            if "NextToken" not in page:
                return found
            more = {"NextToken": page["NextToken"]}

    def there(self) -> set[str]:
        """Everything that anybody would have to remove."""
        found = set()
        for service, operation, field, name in KEPT:
            for one in self.services.of(service)(operation).get(field) or ():
                found.add(f"{service}: {one if name is None else one[name]}")
        return found


@contextlib.contextmanager
def opened(folder: Path) -> Iterator[Account]:
    """A new account on loopback, with authorisation on, until the block ends.

    Raises:
        Failed: it does not start.
    """
    port = loopback.free_port()
    # A function has the environment of the emulator, so that has little.
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_REGION": servers.REGION,
        "LAMBDA_EXECUTOR": "local",
        "AUTH": "true",
        "AWS_ACCESS_KEY_ID": servers.KEYS[0],
        "AWS_SECRET_ACCESS_KEY": servers.KEYS[1],
        "LOG_LEVEL": "INFO",
        "REHEARSAL_RECORD": str(folder / "record"),
    }
    with (folder / "emulator.log").open("wb") as log:
        process = subprocess.Popen(
            [str(PYTHON), str(PROGRAM)], env=environment, stdout=log, stderr=log
        )
    address = f"http://127.0.0.1:{port}"
    try:
        _await(process, f"{address}/_ministack/health", folder / "emulator.log")
        yield Account(address, folder, amazon.Services(servers.REGION, address, servers.KEYS))
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    ends = time.monotonic() + START_SECONDS_MAX
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            if process.poll() is not None or time.monotonic() > ends:
                raise Failed(f"the emulator does not run: {log.read_text()[-2000:]}") from None
            time.sleep(0.1)

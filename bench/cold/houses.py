"""What is started: the student API from its zip, and beside it what it is measured by."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from packing import build, functions, wheels

HERE = Path(__file__).parent
LOCK = HERE / "requirements.lock"
# While no function is deployed under this name, the API as it stands, over the same wiring.
STUDENT = {"api": "brihaspati.entrypoints.http.api", "cloud": "brihaspati.wiring.cloud"}
DEPLOYED = {"api_student": "student", "auth": "auth"}
STUDENT_HANDLER = """
from brihaspati import settings
from brihaspati.entrypoints.http import addresses, api
from brihaspati.wiring import cloud
house = cloud.cloud(settings.read())
handler = api.Api(house.engine, addresses.Addresses(frozenset(), "labs.example", secure=True))
"""
BARE = """
import json
def handler(event, context):
    return {"statusCode": 200, "body": json.dumps({"status": "ok"})}
"""
BOTO3 = "import boto3\nboto3.client('dynamodb')\n" + BARE
TWIN = """
from typing import Annotated, Literal
from fastapi import FastAPI
from mangum import Mangum
from pydantic import BaseModel, ConfigDict, Field
app = FastAPI()
class Health(BaseModel):
    status: Literal["ok"]
    version: str
class JoinBody(BaseModel):
    model_config = ConfigDict(extra="forbid")
    code: Annotated[str, Field(max_length=40)]
    name: Annotated[str, Field(max_length=400)]
    email: Annotated[str | None, Field(max_length=400)] = None
    key: Annotated[str | None, Field(min_length=20, max_length=100)] = None
class Joined(BaseModel):
    class_id: str
@app.get("/v1/health")
def health() -> Health:
    return Health(status="ok", version="0")
@app.post("/v1/join", status_code=201)
def join(body: JoinBody) -> Joined:
    return Joined(class_id=body.code)
handler = Mangum(app, lifespan="off")
"""
# As ours, a twin that keeps what it is told: with a client of DynamoDB, made at the start.
STORING_TWIN = (
    "import boto3\ntable = boto3.client('dynamodb')\n"
    + TWIN
    + """
from fastapi import HTTPException
@app.get("/v1/classes/{class_id}")
def one(class_id: str) -> Joined:
    if "Item" not in table.get_item(TableName="cold", Key={"pk": {"S": class_id}}):
        raise HTTPException(404)
    return Joined(class_id=class_id)
"""
)


@dataclass(frozen=True, slots=True)
class House:
    """A folder as Lambda unpacks it, and the handler in it."""

    name: str
    folder: Path
    handler: str


def houses(folder: Path) -> tuple[str, list[House]]:
    """The Python with the runtime client, and every house, in a folder. Raises CannotPack."""
    python = _runtime_python(folder / "runtime")
    made = [
        _written(folder / "bare", BARE, python),
        _written(folder / "boto3", BOTO3, python),
        _written(folder / "twin", TWIN, python, packages=True),
        _written(folder / "storing twin", STORING_TWIN, python, packages=True),
        *_ours(folder, python),
    ]
    return python, made


def _runtime_python(folder: Path) -> str:
    """Lambda's Python with what Lambda installs: its runtime client and boto3."""
    uv, plain = wheels.uv(), wheels.lambda_python()
    _run([uv, "venv", "--quiet", "--python", plain, str(folder)])
    python = str(folder / "bin/python")
    _install(python, [])
    return python


def _install(python: str, more: list[str]) -> None:
    _run([wheels.uv(), "pip", "install", "--quiet", "--require-hashes", "--compile-bytecode",
          "--python", python, *more, "-r", str(LOCK)])  # fmt: skip


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise wheels.CannotPack(f"{' '.join(command[:4])}: {done.stderr.strip()}")


def _written(folder: Path, text: str, python: str, *, packages: bool = False) -> House:
    folder.mkdir(parents=True)
    if packages:
        _install(python, ["--target", str(folder)])
    (folder / "main.py").write_text(text)
    wheels.compile_all(python, folder, beside=False)
    return House(folder.name, folder, "main.handler")


def _ours(folder: Path, python: str) -> list[House]:
    """The student API, and what answers strangers, unpacked from their zips."""
    try:
        known = {one.name: one.module for one in functions.functions()}
    except functions.NoFunctions:
        known = {}
    deployed = {name: known[name] for name in DEPLOYED if name in known}
    found = []
    for package in build.build("x86_64", folder=folder / "zips", handlers=deployed or STUDENT):
        name = package.function.name if deployed else "student"
        with zipfile.ZipFile(package.path) as archive:
            archive.extractall(folder / name)
        if deployed:
            handler = f"{package.function.module}.{functions.HANDLER}"
            found.append(House(DEPLOYED[name], folder / name, handler))
    if not found:
        task = folder / "student"
        (task / "main.py").write_text(STUDENT_HANDLER)
        wheels.compile_all(python, task, beside=False)
        found = [House("student", task, "main.handler")]
    return found


def environment(house: House) -> Mapping[str, str]:
    """What Lambda sets, and what a function of ours is given."""
    return {
        "LAMBDA_TASK_ROOT": str(house.folder),
        "PYTHONPATH": str(house.folder),
        "PYTHONDONTWRITEBYTECODE": "1",  # the folder is read-only there
        "_HANDLER": house.handler,
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_LAMBDA_FUNCTION_NAME": "cold",
        "AWS_LAMBDA_FUNCTION_VERSION": "1",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
        "AWS_LAMBDA_LOG_GROUP_NAME": "cold",
        "AWS_LAMBDA_LOG_STREAM_NAME": "cold",
        "PYDANTIC_DISABLE_PLUGINS": "__all__",  # as in serverless.yml; the twin has it, too
        "BRIHASPATI_ENV": "cold",
        "BRIHASPATI_TABLE": "cold",
        "BRIHASPATI_PARAMETERS": "/cold",
        "BRIHASPATI_ORIGINS": "https://portal.example",
        "BRIHASPATI_SECURE": "1",
        "HOME": "/tmp",  # noqa: S108 - as it is there
        "PATH": str(Path(sys.executable).parent),
    }

from __future__ import annotations

import json
import os
import platform
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from packing import build, functions, wheels

from brihaspati.adapters import agentarchive
from brihaspati.entrypoints.aws_lambda.boundaries import BOUNDARIES
from zipped import Built, built

# Zips of all functions are minutes of work for a machine that does much else.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

# A function is put together when it is imported, and connects nothing.
NAMED = {"BRIHASPATI_TABLE": "bh-test", "PYDANTIC_DISABLE_PLUGINS": "__all__"}
AARCH64 = 183  # e_machine, in the header of ELF
UNCHECKED_HASH = 1
# What only the embedded mode needs, and what Lambda has anyway.
NEVER = {
    "aiohttp", "boto3", "botocore", "click", "cryptography", "docker", "markdown_it", "nh3",
    "picows", "pygments", "rich", "s3transfer", "tests", "uvloop", "yaml",
}  # fmt: skip


# Each is tens of milliseconds of a start, and has work to do in few requests only.
HEAVY = {
    "anyio", "asyncio", "aws_lambda_powertools.event_handler.openapi.models",
    "aws_lambda_powertools.logging.logger", "boto3", "botocore.client", "botocore.exceptions",
    "botocore.session", "fractions", "httpx", "importlib.metadata", "jmespath", "nacl",
    "pydantic.v1", "pynamodb", "urllib3", "yaml", "zoneinfo",
}  # fmt: skip
MODULES_MAX = 340
# How often Python may look for what could be thrown away, which is nothing yet: it was 28 times.
COLLECTIONS_MAX = 5


def _unpacked(one: Built, task: Path) -> Path:
    for file, content in one.files.items():
        (task / file).parent.mkdir(parents=True, exist_ok=True)
        (task / file).write_bytes(content)
    return task


def test_the_same_sources_give_the_same_bytes(for_arm: dict[str, Built], tmp_path: Path) -> None:
    for name, again in built("arm64", tmp_path).items():
        assert again.package.path.read_bytes() == for_arm[name].package.path.read_bytes(), name


def test_every_zip_keeps_within_its_size(
    for_arm: dict[str, Built], for_intel: dict[str, Built]
) -> None:
    for zips in (for_arm, for_intel):
        sizes = {name: one.package.size for name, one in zips.items()}
        assert all(size <= build.BYTES_MAX for size in sizes.values()), sizes


def test_nothing_goes_along_that_no_function_imports(for_arm: dict[str, Built]) -> None:
    for name, one in for_arm.items():
        tops = {file.partition("/")[0].partition(".")[0] for file in one.files}
        assert not tops & NEVER, name
        assert not any("/tests/" in file for file in one.files), name
        rooms = {file.split("/")[1] for file in one.files if file.startswith("brihaspati/")}
        assert "simulation" not in rooms, name
        assert not any("/entrypoints/cli/" in file or "/server/" in file for file in one.files)


def test_the_program_of_machines_goes_with_those_who_hand_it_out_and_no_other(
    for_arm: dict[str, Built],
) -> None:
    inside = "brihaspati/adapters/agent.pyz"
    holders = {name: one.files[inside] for name, one in for_arm.items() if inside in one.files}
    assert set(holders) == {"machines", "provision"}
    assert set(holders.values()) == {agentarchive.build(compiled=False).data}


def test_every_module_is_compiled_for_lambdas_python(for_arm: dict[str, Built]) -> None:
    said = [wheels.lambda_python(), "-c", "import importlib.util as u;print(u.MAGIC_NUMBER.hex())"]
    magic = bytes.fromhex(subprocess.check_output(said, text=True).strip())
    for one in for_arm.values():
        compiled = {file for file in one.files if file.endswith(".pyc")}
        assert compiled
        for file in compiled:
            head = one.files[file][:8]
            assert (head[:4], struct.unpack("<I", head[4:])[0]) == (magic, UNCHECKED_HASH), file
        for file in one.files:
            if file.endswith(".py"):
                path = Path(file)
                cached = path.parent / "__pycache__" / f"{path.stem}.cpython-313.pyc"
                assert str(cached) in compiled, file


def test_every_library_is_for_the_processor_of_the_function(for_arm: dict[str, Built]) -> None:
    for one in for_arm.values():
        libraries = {file for file in one.files if ".so" in Path(file).suffixes}
        assert libraries
        for file in libraries:
            assert struct.unpack_from("<H", one.files[file], 18)[0] == AARCH64, file
            # And has no sections, which only a debugger asks for.
            assert struct.unpack_from("<Q", one.files[file], 40)[0] == 0, file


@pytest.fixture
def brought(tmp_path: Path) -> Path:
    """What Lambda brings, and no more."""
    folder = tmp_path / "brought"
    folder.mkdir()
    installed = Path(sys.prefix) / f"lib/python3.{sys.version_info.minor}/site-packages"
    for name in ("botocore", "dateutil", "jmespath", "six.py", "urllib3"):
        (folder / name).symlink_to(installed / name)
    return folder


@pytest.mark.skipif(platform.machine() != "x86_64", reason="runs what is built for x86_64")
def test_every_function_can_import_all_that_it_ever_imports(
    for_intel: dict[str, Built], brought: Path, tmp_path: Path
) -> None:
    for name, one in for_intel.items():
        task = _unpacked(one, tmp_path / name)
        told = "import importlib, sys; sys.path[1:1] = sys.argv[1:3];"
        told += "[importlib.import_module(name) for name in sys.argv[3:]]"
        modules = sorted(one.package.function.ours)
        command = [wheels.lambda_python(), "-S", "-c", told, str(task), str(brought), *modules]
        done = subprocess.run(
            command,
            env={**os.environ, **NAMED, "PYTHONPATH": "", "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{name}: {done.stderr[-2000:]}"


@pytest.mark.skipif(platform.machine() != "x86_64", reason="runs what is built for x86_64")
def test_a_start_of_the_api_imports_nothing_that_its_first_answer_can_do_without(
    for_intel: dict[str, Built], brought: Path, tmp_path: Path
) -> None:
    one = for_intel["api_student"]
    task = _unpacked(one, tmp_path / "task")
    told = "import importlib, sys; sys.path[1:1] = sys.argv[1:3];"
    told += "importlib.import_module(sys.argv[3]); import gc;"
    told += "print(sum(one['collections'] for one in gc.get_stats()), *sys.modules)"
    module = one.package.function.module
    command = [wheels.lambda_python(), "-S", "-c", told, str(task), str(brought), module]
    collections, *modules = subprocess.check_output(command, env=NAMED, text=True).split()
    assert int(collections) <= COLLECTIONS_MAX
    assert not set(modules) & HEAVY
    assert len(modules) <= MODULES_MAX


@pytest.mark.skipif(platform.machine() != "x86_64", reason="runs what is built for x86_64")
def test_no_dataclass_that_a_start_meets_is_compiled_then(
    for_intel: dict[str, Built], brought: Path, tmp_path: Path
) -> None:
    task = _unpacked(for_intel["api_student"], tmp_path / "task")
    told = "import importlib, sys; sys.path[1:1] = sys.argv[1:3];"
    told += "import builtins, dataclasses, brihaspati_prepared; late = [];"
    told += "brihaspati_prepared.builtins = type('B', (), {'exec': lambda text, space, names:"
    told += " (late.append(space['__name__']), builtins.exec(text, space, names))});"
    told += "importlib.import_module(sys.argv[3]); print('\\n'.join(late))"
    module = for_intel["api_student"].package.function.module
    command = [wheels.lambda_python(), "-S", "-c", told, str(task), str(brought), module]
    late = subprocess.check_output(command, env=NAMED, text=True).split()
    # Neither of ours nor of others' packages.
    assert not late


@pytest.mark.skipif(platform.machine() != "x86_64", reason="runs what is built for x86_64")
def test_the_api_of_packed_libraries_is_the_api(
    for_intel: dict[str, Built], brought: Path, tmp_path: Path
) -> None:
    task = _unpacked(for_intel["auth"], tmp_path / "task")
    told = "import json, sys; sys.path[1:1] = sys.argv[1:3];"
    told += "import brihaspati.wiring.functions.auth;"
    told += (
        "from brihaspati.entrypoints.http import document; print(json.dumps(document.openapi()))"
    )
    command = [wheels.lambda_python(), "-S", "-c", told, str(task), str(brought)]
    document = json.loads(subprocess.check_output(command, env=NAMED, text=True))
    assert document == json.loads((functions.ROOT / "openapi.json").read_text())


@pytest.mark.skipif(platform.machine() != "x86_64", reason="runs what is built for x86_64")
def test_a_function_imports_its_own_routes_and_no_others(
    for_intel: dict[str, Built], brought: Path, tmp_path: Path
) -> None:
    rooms = "brihaspati.entrypoints.http."
    every = {rooms + module for modules in BOUNDARIES.values() for module in modules}
    told = "import importlib, sys; sys.path[1:1] = sys.argv[1:3];"
    told += "importlib.import_module(sys.argv[3]); print('\\n'.join(sys.modules))"
    for name in sorted(BOUNDARIES):
        task = _unpacked(for_intel[name], tmp_path / name)
        module = for_intel[name].package.function.module
        command = [wheels.lambda_python(), "-S", "-c", told, str(task), str(brought), module]
        said = subprocess.check_output(
            command, env={**NAMED, "PYTHONDONTWRITEBYTECODE": "1"}, text=True
        )
        assert every & set(said.split()) == {rooms + own for own in BOUNDARIES[name]}, name


def test_a_package_that_nobody_brings_is_told_before_the_deploy(
    for_arm: dict[str, Built], tmp_path: Path
) -> None:
    assert for_arm
    handlers = {"wrong": "brihaspati.adapters.labfolder.guide"}
    with pytest.raises(wheels.CannotPack, match=r"is imported, and neither requirements-lambda"):
        build.build("arm64", folder=tmp_path, handlers=handlers)


def test_without_lambdas_python_the_command_says_how_to_get_it() -> None:
    with pytest.raises(wheels.CannotPack, match=r"`pyenv install 3\.13`"):
        wheels.lambda_python([Path("/usr/bin/false")])


def test_a_function_is_a_module_that_defines_a_handler() -> None:
    with pytest.raises(functions.NoFunctions, match="defines `handler`"):
        functions.functions({})

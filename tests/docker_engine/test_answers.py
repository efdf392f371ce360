"""What the docker provider makes of an engine's answers, above all of those that never came."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from brihaspati import ports
from brihaspati.adapters.docker_engine import options, provider
from brihaspati.domain import labs
from brihaspati_agent import places
from docker_engine import scripted

_LABEL = "bh-class-s1-a1-main"
_CREATE, _START = "POST /containers/create", "POST /containers/abc/start"
_REMOVE, _LOOK = "DELETE /containers/abc", "GET /containers/abc/json"
_MADE = scripted.Answer(201, {"Id": "abc"})
_GONE = scripted.Answer(404, {"message": "No such container: abc"})


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[tuple[str, scripted.Script]]:
    with scripted.engine(tmp_path) as running:
        yield running


@pytest.fixture
def script(engine: tuple[str, scripted.Script]) -> scripted.Script:
    return engine[1]


@pytest.fixture
def choice(engine: tuple[str, scripted.Script]) -> options.Options:
    return options.Options("class", engine[0])


def _order(**changes: Any) -> ports.MachineOrder:
    order = ports.MachineOrder(_LABEL, "s1", labs.MachineSpec("main", "debian:12"))
    return replace(order, **changes)


def _container(*, running: bool = True) -> scripted.Answer:
    marks = {options.MARK_ENV: "class", options.MARK_LABEL: _LABEL, options.MARK_BOOT: ""}
    return scripted.Answer(
        200,
        {
            "Id": "abc",
            "Created": "2026-01-02T03:04:05.678901234Z",
            "Config": {"Labels": marks},
            "State": {"Running": running, "Pid": 1},
            "NetworkSettings": {"Networks": {}},
        },
    )


def _refusal(
    choice: options.Options, order: ports.MachineOrder | None = None
) -> ports.CreateRefused:
    with pytest.raises(ports.CreateRefused) as refused:
        provider.DockerEngine(choice).create(order or _order())
    return refused.value


# --- create -------------------------------------------------------------------------------------
def test_a_machine_is_asked_for_once_and_hardened(
    choice: options.Options, script: scripted.Script
) -> None:
    script.replies |= {_CREATE: _MADE, _START: scripted.Answer(204), _LOOK: _container()}
    made = provider.DockerEngine(replace(choice, runtime="runsc", userns="host")).create(_order())
    assert (made.id, made.label, made.usable) == ("abc", _LABEL, True)
    assert made.created_at == 1_767_323_045_000
    assert script.count(_CREATE) == 1
    asked = script.bodies[_CREATE]
    host = asked["HostConfig"]
    assert asked["Image"] == "debian:12"
    assert host["CapDrop"] == ["ALL"]
    assert not {"NET_RAW", "MKNOD", "SYS_ADMIN", "SYS_PTRACE"} & set(host["CapAdd"])
    assert host["SecurityOpt"] == ["no-new-privileges"]
    assert host["NetworkMode"] == "none"
    assert (host["Memory"], host["MemorySwap"]) == (256 << 20, 256 << 20)
    assert (host["PidsLimit"], host["CpuQuota"], host["CpuPeriod"]) == (128, 100_000, 100_000)
    assert {"nofile", "nproc", "core", "fsize"} == {one["Name"] for one in host["Ulimits"]}
    assert (host["Runtime"], host["UsernsMode"]) == ("runsc", "host")
    assert "Binds" not in host
    assert not host.get("Privileged")


@pytest.mark.parametrize(
    "reply",
    [scripted.HangUp(), scripted.Answer(500, {"message": "boom"}), scripted.Answer(409, {})],
)
def test_an_unclear_create_is_never_repeated(
    choice: options.Options, script: scripted.Script, reply: scripted.Reply
) -> None:
    script.replies[_CREATE] = reply
    with pytest.raises(ports.Unclear):
        provider.DockerEngine(choice).create(_order())
    assert script.count(_CREATE) == 1
    assert _REMOVE not in script.asked


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (404, "No such image: debian:12", "image"),
        (400, "unknown or invalid runtime name: runsc", "host"),
        (400, "invalid reference format", "invalid"),
        (404, "network bh-class-s1-a1 not found", "host"),
    ],
)
def test_a_refused_create_says_why(
    choice: options.Options, script: scripted.Script, status: int, message: str, kind: str
) -> None:
    script.replies[_CREATE] = scripted.Answer(status, {"message": message})
    assert _refusal(choice).kind == kind


def test_an_engine_that_is_not_there_made_nothing(tmp_path: Path) -> None:
    choice = options.Options("class", f"unix://{tmp_path}/nobody.sock")
    assert _refusal(choice).kind == "host"
    assert "nobody.sock" in (provider.DockerEngine(choice).unavailable() or "")
    with pytest.raises(ports.Unclear):
        provider.DockerEngine(choice).find(_LABEL)
    with pytest.raises(places.PlaceError):
        provider.DockerEngine(choice).place(_LABEL)


def test_a_machine_that_cannot_start_is_removed_again(
    choice: options.Options, script: scripted.Script
) -> None:
    after = iter([_container(running=False), _GONE])
    script.replies |= {
        _CREATE: _MADE,
        _START: scripted.Answer(500, {"message": 'exec: "/bin/sh": no such file'}),
        _LOOK: lambda: next(after),
        "GET /networks": scripted.Answer(200, []),
    }
    assert _refusal(choice).kind == "image"
    assert script.count(_REMOVE) == 1


def test_a_start_without_an_answer_leaves_the_machine_to_be_looked_up(
    choice: options.Options, script: scripted.Script
) -> None:
    script.replies |= {_CREATE: _MADE, _START: scripted.HangUp()}
    with pytest.raises(ports.Unclear):
        provider.DockerEngine(choice).create(_order())
    assert script.count(_START) == 1
    assert _REMOVE not in script.asked


def test_what_an_engine_cannot_hold_a_lab_to_is_refused_unasked(
    choice: options.Options, script: scripted.Script
) -> None:
    assert _refusal(choice, _order(egress="allow", egress_allow=("10.0.0.1",))).kind == "invalid"
    host = replace(_order(), spec=labs.MachineSpec("main", "host"))
    assert _refusal(choice, host).kind == "image"
    assert script.asked == []


def test_the_operators_network_is_used_for_egress(
    choice: options.Options, script: scripted.Script
) -> None:
    script.replies |= {_CREATE: _MADE, _LOOK: _container()}
    order = _order(egress="allow", egress_allow=("10.0.0.1",))
    provider.DockerEngine(replace(choice, network="filtered")).create(order)
    assert script.bodies[_CREATE]["HostConfig"]["NetworkMode"] == "filtered"


# --- the rest -----------------------------------------------------------------------------------
@pytest.mark.parametrize("reply", [scripted.HangUp(), scripted.Answer(500, {"message": "boom"})])
def test_no_answer_to_a_question_is_unclear(
    choice: options.Options, script: scripted.Script, reply: scripted.Reply
) -> None:
    script.replies |= {_LOOK: reply, "GET /containers/json": reply, _REMOVE: reply}
    engine = provider.DockerEngine(choice)
    with pytest.raises(ports.Unclear):
        engine.find("abc")
    with pytest.raises(ports.Unclear):
        engine.inventory()
    with pytest.raises(ports.Unclear):
        engine.delete("abc")


def test_deleted_is_only_what_the_engine_no_longer_has(
    choice: options.Options, script: scripted.Script
) -> None:
    busy = scripted.Answer(409, {"message": "removal is already in progress"})
    looks = iter([_container(), _container(), _GONE])
    removals = iter([busy, scripted.Answer(204)])
    script.replies |= {_LOOK: lambda: next(looks), _REMOVE: lambda: next(removals)}
    script.replies["GET /networks"] = scripted.Answer(200, [])
    provider.DockerEngine(choice).delete("abc")
    assert (script.count(_LOOK), script.count(_REMOVE)) == (3, 2)


def test_a_container_without_our_mark_is_not_deleted(
    choice: options.Options, script: scripted.Script
) -> None:
    theirs = _container()
    theirs.body["Config"]["Labels"] = None
    script.replies[_LOOK] = theirs
    engine = provider.DockerEngine(choice)
    engine.delete("abc")
    assert _REMOVE not in script.asked
    assert engine.find("abc") is None


def test_a_machine_that_has_stopped_is_known_but_not_usable(
    choice: options.Options, script: scripted.Script
) -> None:
    script.replies[f"GET /containers/{_LABEL}/json"] = _container(running=False)
    engine = provider.DockerEngine(choice)
    found = engine.find(_LABEL)
    assert found is not None
    assert not found.usable
    with pytest.raises(places.NoSuchMachine):
        engine.place(_LABEL)


def test_a_pull_tells_how_far_it_is(choice: options.Options, script: scripted.Script) -> None:
    looks = iter([scripted.Answer(404, {"message": "No such image"}), scripted.Answer(200, {})])
    script.replies |= {
        "GET /images/debian:12/json": lambda: next(looks),
        "POST /images/create": scripted.Answer(
            200,
            [
                {"status": "Pulling from library/debian", "id": "12"},
                _layer("a", 25, 100),
                _layer("b", 0, 100),
                _layer("a", 100, 100),
                {"status": "Pull complete", "id": "b"},
            ],
        ),
    }
    parts: list[float | None] = []
    provider.DockerEngine(choice).prepare("debian:12", lambda _, part: parts.append(part))
    assert parts == [None, None, 0.25, 0.125, 0.5, 0.99, 1.0]


def _layer(name: str, current: int, total: int) -> dict[str, Any]:
    detail = {"current": current, "total": total}
    return {"status": "Downloading", "id": name, "progressDetail": detail}


def test_a_pull_that_breaks_off_is_refused(
    choice: options.Options, script: scripted.Script
) -> None:
    script.replies |= {
        "GET /images/debian:12/json": scripted.Answer(404, {"message": "No such image"}),
        "POST /images/create": scripted.Answer(200, [{"error": "unexpected EOF"}]),
    }
    with pytest.raises(ports.CreateRefused, match="unexpected EOF") as refused:
        provider.DockerEngine(choice).prepare("debian:12", lambda *_: None)
    assert refused.value.kind == "image"


def test_a_runtime_the_engine_does_not_know_is_told_to_the_operator(
    choice: options.Options, script: scripted.Script
) -> None:
    script.replies["GET /info"] = scripted.Answer(200, {"Runtimes": {"runc": {}}})
    assert provider.DockerEngine(choice).unavailable() is None
    asked = provider.DockerEngine(replace(choice, runtime="runsc"))
    assert "runsc" in (asked.unavailable() or "")
    assert "gVisor" in asked.isolation
    assert "trusted students" in provider.DockerEngine(choice).isolation


@pytest.mark.parametrize("address", ["npipe:////./pipe/docker_engine", "ssh://host", "docker.sock"])
def test_an_address_we_cannot_speak_to_is_refused_at_once(address: str) -> None:
    with pytest.raises(ValueError, match="unix://"):
        provider.DockerEngine(options.Options("class", address))

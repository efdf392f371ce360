"""Container engines of a test's own: started in a folder, ended with nothing left on the host."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import signal
import subprocess
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import docker
import docker.errors
import pytest

_UP_SECONDS_MAX = 90
_FOLDERS = ("bin", "etc", "root", "tmp", "home", "run", "proc", "sys", "dev", "var", "srv")


def needs(*programs: str) -> None:
    """Skip, saying what is missing."""
    if os.geteuid() != 0:
        pytest.skip("needs root to start a container engine of its own")
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"needs {program} on this host")


@contextlib.contextmanager
def dockerd(folder: Path) -> Iterator[str]:
    """A Docker engine; its address. It changes no rules and no route of this host."""
    needs("dockerd", "busybox", "unshare")
    address, group = f"unix://{folder}/docker.sock", f"/brihaspati-test-{os.getpid()}"
    words = ["unshare", "--mount", "dockerd", "-H", address, "--data-root", f"{folder}/data"]
    words += ["--exec-root", f"{folder}/exec", "--pidfile", f"{folder}/docker.pid"]
    words += ["--bridge", "none", "--iptables=false", "--ip-forward=false", "--ip-masq=false"]
    words += ["--cgroup-parent", group]
    with _served(words, folder / "docker.log", address, os.environ.copy()):
        yield address
    _remove_groups(group)


@contextlib.contextmanager
def podman(folder: Path) -> Iterator[str]:
    """Podman's Docker-compatible socket; its address.

    Podman changes rules, routes and folders of its host, so it gets a network and mounts of its
    own, which end with it. What it should not reach on "the host" is then not even there: that is
    Docker's test alone.
    """
    needs("podman", "runc", "conmon", "busybox", "unshare")
    address = f"unix://{folder}/podman.sock"
    config = folder / "containers.conf"
    config.write_text(
        '[containers]\ndefault_ulimits=["nofile=1024:4096","nproc=2048:2048"]\n'
        '[engine]\nruntime="runc"\ncgroup_manager="cgroupfs"\nevents_logger="file"\n'
        f'exit_command_delay=5\n[network]\nnetwork_config_dir="{folder}/networks"\n'
    )
    (folder / "networks").mkdir()
    hidden = [path for path in ("/var/lib/cni", "/run/netns") if Path(path).is_dir()]
    hide = "".join(f"mount -t tmpfs none {path} && " for path in hidden)
    words = ["unshare", "--net", "--mount", "sh", "-c", f'{hide} exec "$@"', "sh"]
    words += ["podman", "--root", f"{folder}/root", "--runroot", f"{folder}/run"]
    words += ["--tmpdir", f"{folder}/tmp", "system", "service", "--time=0", address]
    environment = {**os.environ, "CONTAINERS_CONF": str(config)}
    with _served(words, folder / "podman.log", address, environment):
        yield address
    _remove_groups("/libpod_parent")


@contextlib.contextmanager
def _served(
    words: list[str], log: Path, address: str, environment: dict[str, str]
) -> Iterator[None]:
    with log.open("wb") as out:
        server = subprocess.Popen(
            words, stdout=out, stderr=out, env=environment, start_new_session=True
        )
    try:
        _await(server, address, log)
        yield
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(_UP_SECONDS_MAX)
        finally:
            _kill_all_of(log.parent)


def _kill_all_of(folder: Path) -> None:
    """End whatever has the folder in its command line: watchers that outlive their engine."""
    mark, ours = f"{folder}/".encode(), str(os.getpid())
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            known = entry.name.isdigit() and entry.name != ours
            if known and mark in (entry / "cmdline").read_bytes():
                os.kill(int(entry.name), signal.SIGKILL)


def _await(server: subprocess.Popen[bytes], address: str, log: Path) -> None:
    until = time.monotonic() + _UP_SECONDS_MAX
    while time.monotonic() < until and server.poll() is None:
        try:
            client = docker.APIClient(base_url=address, version="auto", timeout=5)
            client.ping()
            client.close()
        except (docker.errors.DockerException, OSError):
            time.sleep(0.02)
        else:
            return
    pytest.skip(f"{server.args!r} did not start: {log.read_text()[-600:]}")


def _remove_groups(name: str) -> None:
    # From the innermost out; a walk minds no group of others that goes meanwhile.
    for folder, _, _ in os.walk("/sys/fs/cgroup", topdown=False):
        if f"{folder}/".find(f"{name}/") > 0:
            with contextlib.suppress(OSError):
                Path(folder).rmdir()


def rootfs(into: Path) -> Path:
    """A root file system of nothing but busybox, as a tar file."""
    program = Path(shutil.which("busybox") or "")
    listed = subprocess.run([program, "--list"], capture_output=True, text=True, check=True)
    packed = into / "rootfs.tar"
    with tarfile.open(packed, mode="w") as archive:
        for folder in _FOLDERS:
            _add(archive, folder, tarfile.DIRTYPE, mode=0o1777 if folder == "tmp" else 0o755)
        _add(archive, "bin/busybox", tarfile.REGTYPE, mode=0o755, data=program.read_bytes())
        for tool in listed.stdout.split():
            if tool != "busybox":
                _add(archive, f"bin/{tool}", tarfile.SYMTYPE, target="busybox")
        accounts = b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n"
        _add(archive, "etc/passwd", tarfile.REGTYPE, data=accounts)
        _add(archive, "etc/group", tarfile.REGTYPE, data=b"root:x:0:\nnogroup:x:65534:\n")
    return packed


def _add(
    archive: tarfile.TarFile,
    name: str,
    kind: bytes,
    *,
    mode: int = 0o644,
    data: bytes = b"",
    target: str = "",
) -> None:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode, entry.size, entry.linkname = kind, mode, len(data), target
    archive.addfile(entry, io.BytesIO(data))

"""What cloud-init does with user data, as far as ours asks: files, users, commands, in order."""

from __future__ import annotations

import base64
import contextlib
import gzip
import json
import os
import pwd
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LOG = Path("/var/log/cloud-init-output.log")
KNOWN = {
    "bootcmd", "hostname", "fqdn", "manage_etc_hosts", "groups", "users", "write_files", "runcmd",
    "package_update", "package_upgrade", "ssh_pwauth", "disable_root", "preserve_hostname",
    "ssh_genkeytypes", "ssh_deletekeys", "growpart", "resize_rootfs",
}  # fmt: skip
INSTANCE = Path("/var/lib/cloud/instance")


def run(user_data: str, config: Mapping[str, Any], hostname: str) -> None:
    """Run all stages; what fails is written down and the rest goes on, as cloud-init does."""
    INSTANCE.mkdir(parents=True, exist_ok=True)
    (INSTANCE / "user-data.txt").write_text(user_data)
    (INSTANCE / "user-data.txt").chmod(0o600)
    errors: list[str] = []
    unknown = sorted(set(config) - KNOWN)
    if unknown:
        _say(f"not done by a light machine: {', '.join(unknown)}")
    files = config.get("write_files") or []
    with _noting(errors, "hostname"):
        _hostname(str(config.get("hostname") or hostname))
    with _noting(errors, "bootcmd"):
        _commands("bootcmd", config.get("bootcmd") or [])
    for entry in files:
        with _noting(errors, f"write_files {entry.get('path')}"):
            if not entry.get("defer"):
                _file(entry)
    with _noting(errors, "users"):
        _people(config)
    for entry in files:
        with _noting(errors, f"write_files {entry.get('path')}"):
            if entry.get("defer"):
                _file(entry)
    with _noting(errors, "runcmd"):
        _commands("runcmd", config.get("runcmd") or [])
    if user_data.startswith("#!"):
        with _noting(errors, "script"):
            _script("part-001", user_data)
    result = {"v1": {"datasource": "light", "errors": errors}}
    Path("/run/cloud-init").mkdir(parents=True, exist_ok=True)
    Path("/run/cloud-init/result.json").write_text(json.dumps(result))
    (INSTANCE / "boot-finished").write_text("light\n")


@contextlib.contextmanager
def _noting(errors: list[str], what: str) -> Any:
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, subprocess.SubprocessError) as error:
        errors.append(f"{what}: {error}")
        _say(f"{what} failed: {error}")


def _say(text: str) -> None:
    with LOG.open("a") as log:
        log.write(f"cloud-sim: {text}\n")


def _hostname(name: str) -> None:
    Path("/etc/hostname").write_text(name + "\n")
    with Path("/etc/hosts").open("a") as hosts:
        hosts.write(f"127.0.1.1 {name}\n")
    Path("/proc/sys/kernel/hostname").write_text(name)


def _commands(name: str, commands: list[Any]) -> None:
    lines = [shlex.join(map(str, one)) if isinstance(one, list) else str(one) for one in commands]
    if lines:
        _script(name, "#!/bin/sh\n" + "\n".join(lines) + "\n")


def _script(name: str, text: str) -> None:
    folder = INSTANCE / "scripts"
    folder.mkdir(exist_ok=True)
    script = folder / name
    script.write_text(text)
    script.chmod(0o700)
    with LOG.open("ab") as log:
        done = subprocess.run(
            [str(script)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", "HOME": "/root"},
            check=False,
        )
    if done.returncode:
        raise ValueError(f"exit status {done.returncode}")


def _file(entry: Mapping[str, Any]) -> None:
    content = entry.get("content", "")
    data = content.encode() if isinstance(content, str) else bytes(content)
    encoding = str(entry.get("encoding", "text/plain")).lower()
    if "b64" in encoding or "base64" in encoding:
        data = base64.b64decode(data)
    if encoding.startswith(("gz", "gzip")):
        data = gzip.decompress(data)
    path = Path(entry["path"])
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = "ab" if entry.get("append") else "wb"
    with path.open(mode) as file:
        file.write(data)
    path.chmod(int(str(entry.get("permissions", "0644")), 8))
    subprocess.run(["chown", str(entry.get("owner", "root:root")), str(path)], check=True)


def _people(config: Mapping[str, Any]) -> None:
    for group in config.get("groups") or []:
        for name in group if isinstance(group, dict) else [group]:
            subprocess.run(["groupadd", "-f", name], check=True, capture_output=True)
    for user in config.get("users") or []:
        if isinstance(user, dict):
            _user(user)


def _user(user: Mapping[str, Any]) -> None:
    name = user["name"]
    words = ["useradd", "--shell", str(user.get("shell", "/bin/sh"))]
    words += ["--system"] if user.get("system") else []
    no_home = user.get("no_create_home") or user.get("no-create-home")
    words += [] if user.get("system") or no_home else ["--create-home"]
    for key, option in (("uid", "--uid"), ("homedir", "--home-dir"), ("gecos", "--comment")):
        words += [option, str(user[key])] if key in user else []
    groups = user.get("groups") or []
    named = groups.split(",") if isinstance(groups, str) else groups
    for group in named:
        subprocess.run(["groupadd", "-f", group.strip()], check=True, capture_output=True)
    words += ["--groups", ",".join(group.strip() for group in named)] if named else []
    done = subprocess.run([*words, name], check=False, capture_output=True, text=True)
    if done.returncode not in (0, 9):
        raise ValueError(f"{name}: {done.stderr.strip()}")
    rules = user.get("sudo") or []
    for rule in [rules] if isinstance(rules, str) else rules:
        path = Path("/etc/sudoers.d/90-cloud-init-users")
        with path.open("a") as file:
            file.write(f"{name} {rule}\n")
        path.chmod(0o440)
    keys = user.get("ssh_authorized_keys") or user.get("ssh-authorized-keys") or []
    if keys:
        entry = pwd.getpwnam(name)
        folder = Path(entry.pw_dir, ".ssh")
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / "authorized_keys").write_text("\n".join(keys) + "\n")
        for path in (folder, folder / "authorized_keys"):
            os.chown(path, entry.pw_uid, entry.pw_gid)

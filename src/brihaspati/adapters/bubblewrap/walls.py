"""The command line of one sandbox: which part of the host it sees, and what is made up."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from brihaspati import ports

MARK = "BRIHASPATI_MACHINE"
MARK_ENV = "BRIHASPATI_ENV"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# Of the host's /etc: what its programs cannot do without, and nothing that tells of the host.
_ETC = ("/etc/alternatives", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ssl/certs")
_UPSTAIRS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_FOLDERS = ("/etc", "/var", "/var/lib", "/var/log", "/run", "/srv", "/opt", "/mnt", "/home")


def uid_of(user: str) -> int:
    """The one user id of a sandbox: an ordinary user can give it a single one."""
    return 0 if user == "root" else 1000


def environment(user: str, more: Mapping[str, str]) -> dict[str, str]:
    """What programs of this user start with."""
    return {
        "PATH": _PATH,
        "HOME": "/root" if user == "root" else f"/home/{user}",
        "USER": user,
        "LOGNAME": user,
        "SHELL": shell(),
        "LANG": "C.UTF-8",
        **more,
    }


def shell() -> str:
    """The login shell of everybody inside."""
    return "/bin/bash" if Path("/usr/bin/bash").exists() else "/bin/sh"


def files(order: ports.MachineOrder) -> dict[str, tuple[bytes, int]]:
    """Path to (content, mode): the made-up /etc, then the lab's own files."""
    name = order.spec.name
    accounts = f"root:x:0:0:root:/root:{shell()}\n"
    groups = "root:x:0:\ntty:x:5:\n"
    if order.spec.user != "root":
        accounts += f"student:x:1000:1000:student:/home/student:{shell()}\n"
        groups += "student:x:1000:\n"
    nobody = "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
    made_up = {
        "/etc/passwd": accounts + nobody,
        "/etc/group": groups + "nogroup:x:65534:\n",
        "/etc/hostname": f"{name}\n",
        "/etc/hosts": f"127.0.0.1 localhost {name}\n::1 localhost\n",
        "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
        "/etc/profile": "PS1='\\u@\\h:\\w\\$ '\n",
        "/etc/bash.bashrc": "PS1='\\u@\\h:\\w\\$ '\n",
    }
    placed = {path: (text.encode(), 0o644) for path, text in made_up.items()}
    return placed | {item.path: (item.content, item.mode) for item in order.spec.files}


def marks(env: str, order: ports.MachineOrder) -> list[str]:
    """The beginning of the command line, by which a later process finds and reads the sandbox."""
    words = ["--setenv", MARK, order.label, "--setenv", MARK_ENV, env]
    for name, value in environment(order.spec.user, dict(order.spec.environment)).items():
        words += ["--setenv", name, value]
    return words


def walls(order: ports.MachineOrder, fds: Mapping[str, int]) -> list[str]:
    """The rest of the command line; `fds` has an open descriptor for each of `files`."""
    user = order.spec.user
    words = ["--unshare-all", "--unshare-user", "--new-session", "--hostname", order.spec.name]
    words += ["--uid", str(uid_of(user)), "--gid", str(uid_of(user))]
    words += ["--ro-bind", "/usr", "/usr"]
    if any(path.startswith("/usr/local/") for path in fds):
        words += ["--tmpfs", "/usr/local"]
    for name in _UPSTAIRS:
        above = Path("/", name)
        if above.is_symlink():
            words += ["--symlink", os.readlink(above), f"/{name}"]  # noqa: PTH115
        elif above.is_dir():
            words += ["--ro-bind", f"/{name}", f"/{name}"]
    words += ["--proc", "/proc", "--dev", "/dev"]
    for folder in _FOLDERS:
        words += ["--dir", folder]
    words += ["--perms", "1777", "--dir", "/tmp", "--perms", "1777", "--dir", "/var/tmp"]  # noqa: S108
    words += ["--perms", "0700", "--dir", "/root"]
    if user != "root":
        words += ["--perms", "0750", "--dir", f"/home/{user}"]
    for path in _ETC:
        words += ["--ro-bind-try", path, path]
    for path, (_, mode) in files(order).items():
        words += ["--perms", f"{mode:04o}", "--file", str(fds[path]), path]
    return words

"""What happens in a fresh machine before it is ready: its user, its files, its setup.

One shell script does it all, so that a machine costs one call whatever its lab asks.
It needs a POSIX shell, and base64 where a lab brings files.
"""

from __future__ import annotations

import base64
import shlex

from brihaspati.domain import labs

READY = "/run/.brihaspati-ready"
_SETUP = "/run/.brihaspati-setup"
_LOG = "/run/.brihaspati-setup.log"
FAILED_FILES = 71

_STUDENT = """\
if ! id -u student >/dev/null 2>&1; then
  shell=/bin/sh; [ -x /bin/bash ] && shell=/bin/bash
  printf 'student:x:1000:1000:student:/home/student:%s\\n' "$shell" >>/etc/passwd
  printf 'student:x:1000:\\n' >>/etc/group
  [ -f /etc/shadow ] && printf 'student:*:19000:0:99999:7:::\\n' >>/etc/shadow
fi
mkdir -p /home/student
"""
_HOME = "chown -R student /home/student\nchmod 750 /home/student\n"


def needed(spec: labs.MachineSpec) -> bool:
    """Whether the machine needs anything beyond being started."""
    return bool(spec.files or spec.setup or spec.user == "student")


def script(spec: labs.MachineSpec) -> bytes:
    """The script for `sh -s`. Exit status FAILED_FILES: user or files; otherwise the setup's own.

    Its standard output is the end of what the setup printed.
    """
    parts = [f"set -e\ntrap 'exit {FAILED_FILES}' EXIT\nmkdir -p /run\n"]
    if spec.user == "student":
        parts.append(_STUDENT)
    parts += [_file(item.path, item.content, item.mode) for item in spec.files]
    if spec.user == "student":
        parts.append(_HOME)
    if spec.setup:
        parts += [_file(_SETUP, spec.setup.encode(), 0o700), _run(spec.setup)]
    parts.append(f"trap - EXIT\n: >{READY}\n")
    return "".join(parts).encode()


def _file(path: str, content: bytes, mode: int) -> str:
    where, folder = shlex.quote(path), shlex.quote(path.rpartition("/")[0] or "/")
    text = base64.encodebytes(content).decode()
    return (
        f"mkdir -p {folder}\nbase64 -d >{where} <<'END-OF-FILE'\n{text}END-OF-FILE\n"
        f"chmod {mode:o} {where}\n"
    )


def _run(setup: str) -> str:
    # The output goes to a file: a server left running would otherwise hold on to our stream.
    command = f"{_interpreter(setup)} {_SETUP}"
    return (
        f"trap - EXIT\nset +e\ncd /root 2>/dev/null || cd /\n"
        f"{command} >{_LOG} 2>&1 </dev/null\ncode=$?\n"
        f"[ $code = 0 ] || {{ tail -n 5 {_LOG}; exit $code; }}\nrm -f {_SETUP}\n"
    )


def _interpreter(setup: str) -> str:
    """Who reads a script, as the kernel takes it from the first line.

    The kernel is not asked: nothing may be executed in /run of a machine with systemd.
    """
    if not setup.startswith("#!"):
        return "/bin/sh -e"
    program, _, argument = setup[2:].partition("\n")[0].strip().partition(" ")
    return shlex.join([program, argument.strip()] if argument else [program])

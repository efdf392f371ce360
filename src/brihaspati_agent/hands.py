"""What of a rented machine's agent is root: a small process that does a few named things for it.

The service starts as root and divides in two. The agent, which talks to browsers, goes on as the
user `brihaspati`, with no right but to listen below port 1024, and cannot gain any. We stay, take
orders over a socket that only the agent has, and end when it ends.
"""

from __future__ import annotations

import base64
import contextlib
import ctypes
import gc
import json
import os
import pwd
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from brihaspati_agent import dying, lab_place, local, places

USER = "brihaspati"
_LENGTH_BYTES = 4
_NFT_SECONDS_MAX = 20
# linux/prctl.h, linux/capability.h
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_KEEPCAPS, _PR_SET_NO_NEW_PRIVS = 1, 4, 8, 38
_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE = 47, 2
_CAPABILITY_VERSION_3, _CAP_NET_BIND_SERVICE = 0x20080522, 10


def main(arguments: Sequence[str]) -> int:
    """Divide, where we are root and there is such a user, and live; the exit status.

    Given are `--boot FILE --state FOLDER`.
    """
    local.keep_descriptors()
    given = dict(zip(arguments[::2], arguments[1::2], strict=True))
    boot, state = Path(given["--boot"]), Path(given["--state"])
    try:
        account = pwd.getpwnam(USER) if os.geteuid() == 0 else None
    except KeyError:
        print(f"there is no user {USER}: all of the agent is root", file=sys.stderr)  # noqa: T201
        account = None
    orders = None
    if account is not None:
        _hand_over(boot, state, account)
        ours, orders = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        child = divide(account)
        if child:
            orders.close()
            return Hands(ours).serve(child)
        ours.close()
    from brihaspati_agent import rented  # noqa: PLC0415 - of which the root part needs nothing

    return rented.main(boot, state, orders)


def divide(account: pwd.struct_passwd) -> int:
    """Fork: the child's number for the parent, which is root; 0 for the child, who is not."""
    gc.freeze()  # what is never looked at again stays one copy for both
    child = os.fork()
    if child:
        return child
    libc = ctypes.CDLL(None, use_errno=True)
    _must(libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0))
    os.setgroups([])
    os.setresgid(account.pw_gid, account.pw_gid, account.pw_gid)
    os.setresuid(account.pw_uid, account.pw_uid, account.pw_uid)
    head = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    bits = 1 << _CAP_NET_BIND_SERVICE
    _must(libc.capset(head, (ctypes.c_uint32 * 6)(bits, bits, bits, 0, 0, 0)))
    _must(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    # So that openssl, our child, can read the memory files that we give it keys in: for that it
    # must have no right less than we.
    _must(libc.prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0))
    _must(libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_NET_BIND_SERVICE, 0, 0))
    _must(libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0))
    return 0


def _must(done: int) -> None:
    if done != 0:
        raise OSError(ctypes.get_errno(), "cannot give up root")


def _hand_over(boot: Path, state: Path, account: pwd.struct_passwd) -> None:
    """Let the agent's user have what only the agent reads and writes."""
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    dying.OFF_AT.parent.mkdir(parents=True, exist_ok=True)
    for path in (boot, state, *state.iterdir(), dying.OFF_AT.parent, dying.OFF_AT):
        with contextlib.suppress(FileNotFoundError):
            os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)


class Hands:
    """Does what the agent asks. Each order comes with a connection of its own, for its answer."""

    def __init__(self, orders: socket.socket) -> None:
        self._orders = orders
        self._place: lab_place.LabPlace | None = None
        self._terminals: dict[int, places.Terminal] = {}
        self._count = 0
        self._lock = threading.Lock()
        self._verbs: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "be": self._be,
            "set_up": self._set_up,
            "terminal": self._terminal,
            "close": self._close,
            "run": self._run,
            "read": self._read,
            "write": self._write,
            "wall": _wall,
            "finish": lambda _: finish(),
        }

    def serve(self, child: int) -> int:
        """Until the agent ends; its exit status."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: os.kill(child, signal.SIGTERM))
        while True:
            asked, found, _, _ = socket.recv_fds(self._orders, 1, 1, socket.MSG_CMSG_CLOEXEC)
            if not asked:
                return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            if not found:  # we had no number free: whoever asks hears nothing, and others go on
                continue
            line = socket.socket(fileno=found[0])
            threading.Thread(target=self._obey, args=(line,), daemon=True).start()

    def _obey(self, line: socket.socket) -> None:
        with line, contextlib.suppress(OSError, EOFError):
            order = receive(line)
            try:
                said = self._verbs[order["do"]](order)
            except places.PlaceError as error:
                said = {"problem": str(error)}
            except Exception as error:  # noqa: BLE001 - whoever asked must not wait for ever
                said = {"problem": f"{order.get('do')}: {error!r}"}
            send(line, said)

    @property
    def _here(self) -> lab_place.LabPlace:
        if self._place is None:
            raise places.PlaceError("this machine is no lab yet")
        return self._place

    def _be(self, order: dict[str, Any]) -> dict[str, Any]:
        self._place = lab_place.LabPlace(order["lab"])
        return {}

    def _set_up(self, order: dict[str, Any]) -> dict[str, Any]:
        return _told(self._here.set_up(order["lab"]))

    def _run(self, order: dict[str, Any]) -> dict[str, Any]:
        return _told(
            self._here.run(
                order["argv"],
                stdin=base64.b64decode(order["stdin"]),
                timeout_seconds=order["timeout_seconds"],
                output_bytes_max=order["output_bytes_max"],
                user=order["user"],
            )
        )

    def _terminal(self, order: dict[str, Any]) -> dict[str, Any]:
        made = self._here.terminal(order["command"], order["columns"], order["rows"])
        with self._lock:
            self._count += 1
            self._terminals[self._count] = made
            return {"number": self._count, "descriptor": made.fileno()}

    def _close(self, order: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            made = self._terminals.pop(order["number"], None)
        if made is not None:
            made.close()
        return {}

    def _read(self, order: dict[str, Any]) -> dict[str, Any]:
        data = self._here.read(order["path"], order["bytes_max"])
        return {"data": base64.b64encode(data).decode()}

    def _write(self, order: dict[str, Any]) -> dict[str, Any]:
        self._here.write(order["path"], base64.b64decode(order["data"]), order["mode"])
        return {}


def _wall(order: dict[str, Any]) -> dict[str, Any]:
    close_walls(order["rules"])
    return {}


def finish() -> dict[str, Any]:
    """Wipe the machine and switch it off, as far as that can be done; nothing."""
    for action in (dying.wipe, dying.power_off):
        with contextlib.suppress(Exception):
            action()
    return {}


def close_walls(rules: str) -> None:
    """Close what the lab may not reach, as far as we can; the cloud's wall is the surer one."""
    try:
        done = subprocess.run(
            ["nft", "-f", "-"],
            input=rules.encode(),
            capture_output=True,
            timeout=_NFT_SECONDS_MAX,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise places.PlaceError(str(error)) from error
    if done.returncode != 0:
        raise places.PlaceError(done.stderr.decode(errors="replace")[:300])


def _told(outcome: places.Outcome) -> dict[str, Any]:
    return {
        "code": outcome.code,
        "output": base64.b64encode(outcome.output).decode(),
        "error": base64.b64encode(outcome.error).decode(),
        "timed_out": outcome.timed_out,
        "truncated": outcome.truncated,
    }


def send(line: socket.socket, said: Mapping[str, Any]) -> None:
    """One message: a byte, with which a `descriptor` goes along; a length; JSON. Raises OSError."""
    descriptors = [said["descriptor"]] if "descriptor" in said else []
    # Its number means nothing to the other side, who would take a file of its own for it.
    data = json.dumps({name: one for name, one in said.items() if name != "descriptor"}).encode()
    socket.send_fds(line, [b"."], descriptors)
    line.sendall(len(data).to_bytes(_LENGTH_BYTES, "big") + data)


def receive(line: socket.socket) -> dict[str, Any]:
    """As `send` sent it. Raises OSError or EOFError."""
    first, descriptors, _, _ = socket.recv_fds(line, 1, 1, socket.MSG_CMSG_CLOEXEC)
    if not first:
        raise EOFError
    length = int.from_bytes(_exactly(line, _LENGTH_BYTES), "big")
    said: dict[str, Any] = json.loads(_exactly(line, length))
    return {**said, "descriptor": descriptors[0]} if descriptors else said


def _exactly(line: socket.socket, count: int) -> bytes:
    data = bytearray()
    while len(data) < count:
        piece = line.recv(count - len(data))
        if not piece:
            raise EOFError
        data += piece
    return bytes(data)

"""Obeys one order of the agent, as root, in a process that is there for that alone."""

from __future__ import annotations

import base64
import contextlib
import os
import signal
import socket
import termios
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from brihaspati_agent import lab_place, local, orders, places

_CANNOT_START = 127


def obey(descriptor: int, begun: Mapping[int, int]) -> None:
    """Do what is asked for, and answer.

    `begun` has a pidfd of each process that obeyed before us. For a terminal this does not return:
    we become its program. Raises OSError or EOFError when nobody waits for the answer.
    """
    line = socket.socket(fileno=descriptor)
    order = orders.receive(line)
    try:
        if order["do"] == "terminal":
            _terminal(line, order)
        said = _close(order, begun) if order["do"] == "close" else _VERBS[order["do"]](order)
    except places.PlaceError as error:
        said = {"problem": str(error)}
    except Exception as error:  # noqa: BLE001 - whoever asked must not wait for ever
        said = {"problem": f"{order.get('do')}: {error!r}"}
    orders.send(line, said)


def _here(order: Mapping[str, Any]) -> lab_place.LabPlace:
    if "lab" not in order:
        raise places.PlaceError("this machine is no lab yet")
    return lab_place.LabPlace(order["lab"])


# --- terminals -----------------------------------------------------------------------------------
def _terminal(line: socket.socket, order: Mapping[str, Any]) -> NoReturn:
    """Answer with a tty's master, and become what is to run there. Raises OSError, PlaceError."""
    argv, env = _here(order).program(order["command"])
    if not os.access(argv[0], os.X_OK):
        raise places.PlaceError(f"cannot start {argv[0]}")
    master, slave = os.openpty()
    termios.tcsetwinsize(master, (order["rows"], order["columns"]))
    os.setsid()
    tty = os.open(os.ttyname(slave), os.O_RDWR)  # a session's first becomes its controlling one
    for one in local.DEFAULT_SIGNALS:
        signal.signal(one, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    orders.send(line, {"number": os.getpid(), "descriptor": master})
    try:
        for number in range(3):
            os.dup2(tty, number)
        os.execve(argv[0], argv, env)  # noqa: S606 - without a shell, as meant
    except OSError as error:
        os.write(2, f"cannot start {argv[0]}: {error.strerror}\r\n".encode())
    finally:  # whoever asked has had an answer, and must not have another
        os._exit(_CANNOT_START)


def _close(order: Mapping[str, Any], begun: Mapping[int, int]) -> dict[str, Any]:
    """Hang up a terminal that began; who asks has let go of it."""
    number = order["number"]
    watch = begun.get(number)
    if watch is not None and not local.is_gone(watch, 0):
        with contextlib.suppress(ProcessLookupError):
            if os.getsid(number) == number:  # and not another order's
                local.hang_up(number, watch)
    return {}


# --- other orders --------------------------------------------------------------------------------
def _set_up(order: Mapping[str, Any]) -> dict[str, Any]:
    return _here(order).set_up(order).told()


def _run(order: Mapping[str, Any]) -> dict[str, Any]:
    outcome = _here(order).run(
        order["argv"],
        stdin=base64.b64decode(order["stdin"]),
        timeout_seconds=order["timeout_seconds"],
        output_bytes_max=order["output_bytes_max"],
        user=order["user"],
    )
    return outcome.told()


def _read(order: Mapping[str, Any]) -> dict[str, Any]:
    data = _here(order).read(order["path"], order["bytes_max"])
    return {"data": base64.b64encode(data).decode()}


def _write(order: Mapping[str, Any]) -> dict[str, Any]:
    _here(order).write(order["path"], base64.b64decode(order["data"]), order["mode"])
    return {}


def _wall(order: Mapping[str, Any]) -> dict[str, Any]:
    from brihaspati_agent import walls  # noqa: PLC0415 - terminals need none

    walls.close(order["rules"])
    return {}


def _finish(_: Mapping[str, Any]) -> dict[str, Any]:
    from brihaspati_agent import dying  # noqa: PLC0415 - terminals need none

    dying.finish()
    return {}


_VERBS: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "set_up": _set_up,
    "run": _run,
    "read": _read,
    "write": _write,
    "wall": _wall,
    "finish": _finish,
}

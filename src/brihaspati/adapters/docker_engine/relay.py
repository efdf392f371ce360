"""A TCP connection to a port on a container's own loopback, where the engine offers none."""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import socket
import threading
import time
from pathlib import Path

from brihaspati.adapters.docker_engine import commands, engine
from brihaspati_agent import places

_CLONE_NEWNET = 0x40000000
# Asks the kernel's tables whether anything listens (0A) on the loopback or everywhere, and says so
# in one line; then becomes whichever program of the image can carry bytes.
_CARRY = """\
hex=$(printf ':%04X' "$1") found=
while read -r _ local _ state _; do
  [ "$state" = 0A ] || continue
  case $local in *"$hex") ;; *) continue;; esac
  case ${local%:*} in 00000000|0100007F|00000000000000000000000000000000) found=y;; esac
  case ${local%:*} in 0000000000000000FFFF00000100007F) found=y;; esac
done <<TABLE
$(cat /proc/net/tcp /proc/net/tcp6 2>/dev/null)
TABLE
[ -n "$found" ] || { echo refused; exit 1; }
if command -v bash >/dev/null 2>&1; then
  echo open
  exec bash -c 'exec 3<>/dev/tcp/127.0.0.1/$0 4<&0 || exit 1
    cat <&4 >&3 & cat <&3; kill $! 2>/dev/null' "$1"
fi
if command -v nc >/dev/null 2>&1; then echo open; exec nc 127.0.0.1 "$1"; fi
if command -v python3 >/dev/null 2>&1; then
  echo open
  exec python3 -c 'import os,socket,sys,threading as t
s=socket.create_connection(("127.0.0.1",int(sys.argv[1])))
def up():
    while d:=os.read(0,65536): s.sendall(d)
    s.shutdown(1)
t.Thread(target=up,daemon=True).start()
while d:=s.recv(65536): os.write(1,d)
os._exit(0)' "$1"
fi
echo nothing; exit 1
"""


def enter(pid: int, container: str, port: int, timeout_seconds: float) -> socket.socket | None:
    """Connect from a thread that has entered the container's network; None if it cannot enter.

    Needs root, an engine on this host and a container whose sockets are this kernel's own.
    Raises PlaceError when nothing answers.
    """
    if os.geteuid() != 0 or not _is(pid, container):
        return None
    result: list[socket.socket | BaseException | None] = []
    worker = threading.Thread(
        target=lambda: result.append(_connect_as(pid, port, timeout_seconds)), daemon=True
    )
    worker.start()
    worker.join(timeout_seconds + 1)
    found = result[0] if result else TimeoutError("timed out")
    if isinstance(found, BaseException):
        raise places.PlaceError(f"port {port}: {_plain(found)}")
    return found


def _connect_as(
    pid: int, port: int, timeout_seconds: float
) -> socket.socket | BaseException | None:
    """Run in a thread that ends right after: it never comes back from the other network."""
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        network = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if libc.setns(network, _CLONE_NEWNET) != 0:
            return None
        return socket.create_connection(("127.0.0.1", port), timeout=timeout_seconds)
    except OSError as error:
        return error
    finally:
        os.close(network)


def _is(pid: int, container: str) -> bool:
    """Whether this process of ours is that container: an engine may live in another machine."""
    try:
        return container in Path(f"/proc/{pid}/cgroup").read_text()
    except OSError:
        return False


def _plain(error: BaseException) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return str(error)


def carry(line: engine.Engine, container: str, port: int, timeout_seconds: float) -> socket.socket:
    """Connect by a program run inside the container. Raises NoSuchMachine or PlaceError."""
    argv = ["/bin/sh", "-c", _CARRY, "sh", str(port)]
    _, stream = commands.start(line, container, argv, user="65534:65534", stdin=True)
    sorter = commands.Sorter(1 << 30)
    said = _first_line(stream, sorter, time.monotonic() + timeout_seconds)
    if said != b"open":
        stream.close()
        raise places.PlaceError(
            {
                b"refused": f"port {port}: nothing listens there",
                b"nothing": "reaching a port needs bash, nc or python3 in the image",
            }.get(said, f"port {port}: no answer in time")
        )
    near, far = socket.socketpair()
    threading.Thread(target=_pump, args=(stream, far, sorter), daemon=True).start()
    return near


def _first_line(stream: socket.socket, sorter: commands.Sorter, ends: float) -> bytes:
    output = sorter.kept[1]
    while b"\n" not in output:
        stream.settimeout(max(0.001, ends - time.monotonic()))
        try:
            data = stream.recv(4096)
        except OSError:
            return b""
        if not data:
            return b""
        sorter.feed(data)
    line, _, rest = bytes(output).partition(b"\n")
    output[:] = rest
    return line


def _pump(stream: socket.socket, far: socket.socket, sorter: commands.Sorter) -> None:
    """Carry bytes both ways until the program inside ends; one thread per connection."""
    stream.settimeout(None)
    output = sorter.kept[1]
    open_for_input = True
    with stream, far, contextlib.suppress(OSError):
        while True:
            if output:
                far.sendall(bytes(output))
                output.clear()
            ready = select.select([stream, far] if open_for_input else [stream], [], [])[0]
            if far in ready:
                data = far.recv(65536)
                if data:
                    stream.sendall(data)
                else:
                    open_for_input = False
                    stream.shutdown(socket.SHUT_WR)
            if stream in ready:
                data = stream.recv(65536)
                if not data:
                    return
                sorter.feed(data)
                sorter.kept[2].clear()

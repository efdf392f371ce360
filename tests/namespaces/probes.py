"""Ways out of a lab, tried from the inside. Run as `probes.py NAME` by the lab's root.

Each probe returns None when it got out, else what stopped it. A probe never changes anything of the
host: it opens files without writing to them.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import mmap
import os
import platform
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

libc = ctypes.CDLL(None, use_errno=True)
Probe = Callable[[], str | None]
PROBES: dict[str, Probe] = {}
_NEW = {
    "mount": 0x20000,
    "cgroup": 0x02000000,
    "uts": 0x04000000,
    "ipc": 0x08000000,
    "user": 0x10000000,
    "pid": 0x20000000,
    "net": 0x40000000,
}
# Numbers are the same on every processor from 424 on; the older ones are for x86-64.
_OLD_CALLS = """
acct=163 add_key=248 adjtimex=159 bpf=321 clock_settime=227 delete_module=176 fanotify_init=300
finit_module=313 init_module=175 ioperm=173 iopl=172 kcmp=312 kexec_file_load=320 kexec_load=246
keyctl=250 lookup_dcookie=212 mbind=237 migrate_pages=256 modify_ldt=154 mount=165
move_pages=279 name_to_handle_at=303 open_by_handle_at=304 perf_event_open=298 pivot_root=155
quotactl=179 reboot=169 request_key=249 setdomainname=171 sethostname=170 setns=308
settimeofday=164 swapoff=168 swapon=167 syslog=103 umount2=166 unshare=272 userfaultfd=323
vhangup=153
"""
_NEW_CALLS = {
    "fsconfig": 431,
    "fsmount": 432,
    "fsopen": 430,
    "fspick": 433,
    "io_uring_enter": 426,
    "io_uring_register": 427,
    "io_uring_setup": 425,
    "mount_setattr": 442,
    "move_mount": 429,
    "open_tree": 428,
    "pidfd_getfd": 438,
    "process_madvise": 440,
    "quotactl_fd": 443,
}
_SYSCTLS = ("core_pattern", "modprobe", "hotplug", "sysrq", "randomize_va_space", "ns_last_pid")
_DEVICES = (
    *("mem", "kmem", "port", "kmsg", "vda", "sda", "loop0", "loop-control", "fuse", "kvm"),
    *("net/tun", "console", "tty0", "tty1", "vsock", "userfaultfd", "autofs", "uinput"),
)
_FAMILIES = {"packet": 17, "vsock": 40, "alg": 38, "xdp": 44, "bluetooth": 31}
_NETLINKS = {"netfilter": 12, "xfrm": 6, "generic": 16, "uevent": 15}
_APPEND = os.O_WRONLY | os.O_APPEND
_HIDDEN = ("kcore", "kallsyms", "kmsg", "keys", "timer_list", "sysrq-trigger", "modules")


def _named(name: str) -> Callable[[Probe], Probe]:
    def note(probe: Probe) -> Probe:
        PROBES[name] = probe
        return probe

    return note


def _why(number: int) -> str:
    return errno.errorcode.get(number, str(number))


def _call(number: int, *arguments: int) -> str | None:
    words = [ctypes.c_long(word) for word in (*arguments, 0, 0, 0, 0, 0, 0)[:6]]
    ctypes.set_errno(0)
    if libc.syscall(ctypes.c_long(number), *words) >= 0:
        return None
    return _why(ctypes.get_errno())


def _open(path: str, flags: int) -> str | None:
    try:
        os.close(os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY))
    except OSError as problem:
        return _why(problem.errno or 0)
    return None


def _add_many() -> None:
    old = _OLD_CALLS.split() if platform.machine() == "x86_64" else []
    calls = {word.split("=")[0]: int(word.split("=")[1]) for word in old}
    for name, number in {**calls, **_NEW_CALLS}.items():
        PROBES[f"call {name}"] = partial(_call, number)
    for name in _SYSCTLS:
        PROBES[f"sysctl {name}"] = partial(_open, f"/proc/sys/kernel/{name}", _APPEND)
    for name in _DEVICES:
        PROBES[f"device {name}"] = partial(_open, f"/dev/{name}", os.O_RDONLY)
    for name, flag in _NEW.items():
        PROBES[f"clone {name}"] = partial(_clone, flag)
    for name, family in _FAMILIES.items():
        PROBES[f"socket {name}"] = partial(_socket, family, socket.SOCK_DGRAM, 0)
    for name, protocol in _NETLINKS.items():
        PROBES[f"netlink {name}"] = partial(_socket, 16, 3, protocol)
    for name, request in {"TIOCSTI": 0x5412, "TIOCLINUX": 0x541C, "TIOCSETD": 0x5423}.items():
        PROBES[f"tty {name}"] = partial(_ioctl, request)
    for name in ("user", "mnt", "pid", "net", "ipc", "uts", "cgroup"):
        PROBES[f"enter {name}"] = partial(_enter, name)


def _clone(flag: int) -> str | None:
    if platform.machine() != "x86_64":
        return "other processor"
    pid = libc.syscall(ctypes.c_long(56), ctypes.c_ulong(flag | signal.SIGCHLD), 0, 0, 0, 0)
    if pid == 0:
        os._exit(0)
    return None if pid > 0 else _why(ctypes.get_errno())


def _socket(family: int, kind: int, protocol: int) -> str | None:
    try:
        socket.socket(family, kind, protocol).close()
    except OSError as problem:
        return _why(problem.errno or 0)
    return None


def _ioctl(request: int) -> str | None:
    _, slave = os.openpty()
    try:
        fcntl.ioctl(slave, request, b"\3" * 8)
    except OSError as problem:
        return _why(problem.errno or 0)
    return None


def _enter(name: str) -> str | None:
    fd = os.open(f"/proc/1/ns/{name}", os.O_RDONLY)
    return None if libc.setns(fd, 0) == 0 else _why(ctypes.get_errno())


@_named("clone3")
def _clone3() -> str | None:
    return _call(435, 0, 0)


@_named("raw socket")
def _raw() -> str | None:
    return _socket(socket.AF_INET, socket.SOCK_RAW, 1)


@_named("make a disk")
def _make_disk() -> str | None:
    for folder in ("/dev", "/tmp", "/run", "/dev/shm"):
        for kind, major in ((0o060000, 254), (0o060000, 7), (0o020000, 1)):
            try:
                os.mknod(f"{folder}/node", kind | 0o600, os.makedev(major, 1))
            except OSError as problem:
                why = _why(problem.errno or 0)
            else:
                return None
    return why


@_named("every kernel setting")
def _settings() -> str | None:
    for folder, _, files in os.walk("/proc/sys"):
        for name in files:
            if _open(f"{folder}/{name}", _APPEND) is None:
                return None
    return "all read-only"


@_named("every file of /sys")
def _sysfs() -> str | None:
    for folder, _, files in os.walk("/sys"):
        for name in files:
            if os.access(f"{folder}/{name}", os.W_OK):
                return None
    return "all read-only"


@_named("hidden files of /proc")
def _hidden() -> str | None:
    for name in _HIDDEN:
        path = Path("/proc") / name
        if path.exists() and path.stat().st_rdev != os.makedev(1, 3):
            return None
    return "all covered"


@_named("control groups")
def _groups() -> str | None:
    found = os.popen("find / -xdev -name release_agent -o -name 'cgroup.procs' 2>/dev/null").read()
    found += os.popen("find /sys -name 'cgroup*' 2>/dev/null").read()
    return None if found else "not there"


@_named("the programs of the host")
def _programs() -> str | None:
    return _open("/usr/bin/tac", _APPEND)


@_named("root of process 1")
def _root_of_1() -> str | None:
    ours, its = Path("/").stat(), Path("/proc/1/root/").stat()
    return "our own" if (ours.st_dev, ours.st_ino) == (its.st_dev, its.st_ino) else None


@_named("memory of process 1")
def _memory_of_1() -> str | None:
    name = str(Path("/proc/1/exe").readlink())
    told = Path("/proc/1/environ").read_bytes() + Path("/proc/1/maps").read_bytes()
    return "only sleep" if name.endswith("/sleep") and b"python" not in told else None


def _others() -> Iterator[Path]:
    """Every process we see, except ourselves."""
    for folder in Path("/proc").glob("[0-9]*"):
        if folder.name != str(os.getpid()):
            yield folder


@_named("descriptors left to us")
def _descriptors() -> str | None:
    left = {int(fd.name) for fd in Path("/proc/self/fd").iterdir()}
    for folder in _others():
        with contextlib.suppress(OSError):
            left |= {int(fd.name) for fd in (folder / "fd").iterdir()}
    return "none" if left <= {0, 1, 2, 3} else None  # 3 is the folder being listed


@_named("chroot and back out")
def _chroot() -> str | None:
    Path("/tmp/inner").mkdir(exist_ok=True)
    os.chroot("/tmp/inner")
    for _ in range(64):
        os.chdir("..")
    os.chroot(".")
    return "still in the lab" if Path("/etc/hostname").read_text() == "lab\n" else None


@_named("dots above the root")
def _dots() -> str | None:
    name = Path("/../../../../../etc/hostname").read_text()
    return "still in the lab" if name == "lab\n" else None


@_named("32-bit calls")
def _old_calls() -> str | None:
    if platform.machine() != "x86_64":
        return "other processor"
    code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    # mov eax, 122 (uname there); xor ebx, ebx; int 0x80; ret
    code.write(bytes.fromhex("b87a00000031dbcd80c3"))
    address = ctypes.addressof(ctypes.c_char.from_buffer(code))
    pid = os.fork()
    if pid == 0:
        got = ctypes.CFUNCTYPE(ctypes.c_int)(address)()
        os._exit(0 if got == -errno.ENOSYS else 1)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return "no such gate"
    return "ENOSYS" if os.WEXITSTATUS(status) == 0 else None


@_named("x32 calls")
def _x32() -> str | None:
    return _call(0x40000000 | 39) if platform.machine() == "x86_64" else "other processor"


@_named("calls to come")
def _unknown() -> str | None:
    return _call(500)


@_named("a setuid program")
def _setuid() -> str | None:
    os.system("cp /usr/bin/id /var/tmp/id && chmod 4755 /var/tmp/id")
    pid = os.fork()
    if pid == 0:
        os.setgroups([])
        os.setresgid(1000, 1000, 1000)
        os.setresuid(1000, 1000, 1000)
        os.execv("/bin/sh", ["sh", "-c", "[ $(/var/tmp/id -u) = 1000 ]"])
    return "no new privileges" if os.waitpid(pid, 0)[1] == 0 else None


@_named("more open files than allowed")
def _more_files() -> str | None:
    import resource  # noqa: PLC0415

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard + 1, hard + 1))
    except (ValueError, OSError):
        return "refused"
    return None


@_named("spared by the memory killer")
def _spared() -> str | None:
    try:
        Path("/proc/self/oom_score_adj").write_text("-1000")
    except OSError as problem:
        return _why(problem.errno or 0)
    return None


@_named("a new layout of memory")
def _personality() -> str | None:
    return _call(135, 0x0040000) if platform.machine() == "x86_64" else "other processor"


@_named("ids of the host")
def _ids() -> str | None:
    words = Path("/proc/self/uid_map").read_text().split()
    return "shifted" if int(words[1]) >= 0x70000000 and words[2] == "65536" else None


@_named("capabilities")
def _capabilities() -> str | None:
    lines = Path("/proc/self/status").read_text().splitlines()
    status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    few = {"CapEff", "CapPrm", "CapBnd"}
    held = {status[name] for name in few}
    locked = status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"
    none = {status[name] for name in ("CapInh", "CapAmb")} == {"0" * 16}
    return "few" if held == {"00000000a00405fb"} and locked and none else None


def loopback(port: int) -> str | None:
    """A server on the host's loopback."""
    with socket.socket() as client:
        client.settimeout(2)
        found = client.connect_ex(("127.0.0.1", port))
    return None if found == 0 else _why(found)


def abstract(name: str) -> str | None:
    """A server of the host behind a name that is not a file."""
    with socket.socket(socket.AF_UNIX) as client:
        found = client.connect_ex("\0" + name)
    return None if found == 0 else _why(found)


def shared_memory(key: int) -> str | None:
    """System V memory of somebody else."""
    found = libc.shmget(key, 4096, 0)
    return None if found >= 0 else _why(ctypes.get_errno())


def visible(words: str) -> str | None:
    """A process with these words on its command line, other than us."""
    for folder in _others():
        with contextlib.suppress(OSError):
            if words.encode() in (folder / "cmdline").read_bytes():
                return None
    return "not seen"


_add_many()
_WITH_ARGUMENT: dict[str, Callable[[str], str | None]] = {
    "loopback": lambda port: loopback(int(port)),
    "abstract": abstract,
    "shared memory": lambda key: shared_memory(int(key)),
    "visible": visible,
}


def main(argv: list[str]) -> int:
    """Print what stopped the probe; status 1 when nothing did."""
    probe = PROBES.get(argv[0]) or partial(_WITH_ARGUMENT[argv[0]], argv[1])
    stopped = probe()
    sys.stdout.write(f"{stopped}\n")
    return 1 if stopped is None else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

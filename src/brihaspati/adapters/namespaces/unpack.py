"""Unpacking layers of an image into a folder that no name in them can leave.

Names are resolved one part at a time by descriptor, symbolic links as if the folder were `/`.
Device nodes and extended attributes (file capabilities among them) are left out: a lab makes its
own devices and may gain no rights, and the host must not hold programs with rights.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import shutil
import stat
import tarfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from brihaspati.adapters.namespaces import rootfs

_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"
_LINKS_MAX = 40
_CHUNK = 1 << 20
# One read never asks for more: a header that claims to be larger is an attack on our memory.
_READ_MAX = 4 << 20
_IDS = 65536
_NOBODY = 65534
_TIME_MAX = 1 << 33
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_FOLDER = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

Canonical = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bounds:
    """The largest image we unpack: bytes of all layers unpacked, and number of entries."""

    bytes_max: int = 16 << 30
    entries_max: int = 2_000_000


def _bad(what: str) -> rootfs.ImageProblem:
    return rootfs.ImageProblem(what, "get the image anew from somebody you trust")


class _Forward(io.RawIOBase):
    """What tarfile reads: forwards only, in bounded pieces, at most `left` bytes."""

    def __init__(self, stream: gzip.GzipFile | IO[bytes], left: int) -> None:
        self._stream = stream
        self._at = 0
        self.left = left

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _READ_MAX:
            raise _bad("a header in the image claims an absurd size")
        data = self._stream.read(size)
        self._at += len(data)
        self.left -= len(data)
        if self.left < 0:
            raise rootfs.ImageProblem(
                "the image is larger unpacked than we allow", "use a smaller image"
            )
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if whence != os.SEEK_SET or offset < self._at:
            raise io.UnsupportedOperation("forwards only")
        while self._at < offset and self.read(min(_CHUNK, offset - self._at)):
            pass
        return self._at

    def tell(self) -> int:
        return self._at


class Tree:
    """A folder written to as if it were `/`. Call `close` when done."""

    def __init__(self, root: Path) -> None:
        self._root = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self._last: tuple[Canonical, Canonical, int] | None = None
        self._stale = False

    def close(self) -> None:
        """Release the descriptors."""
        self._forget()
        os.close(self._root)

    def _forget(self) -> None:
        if self._last is not None:
            os.close(self._last[2])
            self._last = None
        self._stale = False

    def folder(self, parts: Canonical) -> tuple[Canonical, int]:
        """Where `parts` leads and a descriptor, good until the next call; made if absent."""
        if self._last is None or self._last[0] != parts or self._stale:
            where, fd = self._walk(parts)
            self._forget()
            self._last = (parts, where, fd)
        return self._last[1], self._last[2]

    def _walk(self, parts: Canonical) -> tuple[Canonical, int]:
        todo, names, links = list(reversed(parts)), list[str](), 0
        fds = [os.dup(self._root)]
        try:
            while todo:
                part = todo.pop()
                if part == "..":
                    if names:
                        names.pop()
                        os.close(fds.pop())
                    continue
                target = self._step(part, fds)
                if target is None:
                    names.append(part)
                    continue
                links += 1
                if links > _LINKS_MAX:
                    raise _bad(f"links in the image go round in a circle at {'/'.join(parts)}")
                if target.startswith("/"):
                    names.clear()
                    while len(fds) > 1:
                        os.close(fds.pop())
                todo += [p for p in reversed(target.split("/")) if p not in ("", ".")]
            return tuple(names), fds.pop()
        finally:
            for fd in fds:
                os.close(fd)

    def _step(self, part: str, fds: list[int]) -> str | None:
        """Go into `part`, or return the target of the symbolic link it is."""
        here = fds[-1]
        try:
            fds.append(os.open(part, _FOLDER, dir_fd=here))
        except FileNotFoundError:
            os.mkdir(part, 0o755, dir_fd=here)
            fds.append(os.open(part, _FOLDER, dir_fd=here))
        except NotADirectoryError:
            try:
                return os.readlink(part, dir_fd=here)
            except OSError:
                raise _bad(f"the image uses the file {part} as a folder") from None
        return None

    def remove(self, name: str, folder: int) -> None:
        """Remove whatever has this name; absent is fine."""
        try:
            mode = os.lstat(name, dir_fd=folder).st_mode
        except FileNotFoundError:
            return
        if stat.S_ISREG(mode):
            os.unlink(name, dir_fd=folder)
            return
        self._stale = True  # a folder or link on the way to what we remember may be this one
        if stat.S_ISDIR(mode):
            shutil.rmtree(name, dir_fd=folder)
        else:
            os.unlink(name, dir_fd=folder)


def _parts(name: str) -> Canonical:
    parts = tuple(part for part in name.split("/") if part not in ("", "."))
    if ".." in parts:
        raise _bad(f"the image tries to write outside itself ({name})")
    return parts


class Unpacker:
    """Puts layers on one another in a folder, lowest first. Raises ImageProblem, OSError."""

    def __init__(self, root: Path, bounds: Bounds, stop: Callable[[], None] | None = None) -> None:
        self._tree = Tree(root)
        self._bytes_left = bounds.bytes_max
        self._entries_left = bounds.entries_max
        self._stop = stop or (lambda: None)
        self._owners = os.geteuid() == 0
        # What this layer wrote: whiteouts hide only what is below it.
        self._written: set[Canonical] = set()

    def close(self) -> None:
        """Release the descriptors."""
        self._tree.close()

    def layer(self, archive: Path) -> None:
        """Put one layer, a tar archive that may be compressed by gzip, on top."""
        self._written.clear()
        with archive.open("rb") as raw:
            start = raw.read(4)
            raw.seek(0)
            if start == _ZSTD:
                raise rootfs.ImageProblem(
                    "a layer of the image is compressed with zstd, which we cannot read",
                    "have the image built with gzip layers",
                )
            packed = start.startswith(_GZIP)
            with gzip.GzipFile(fileobj=raw) if packed else contextlib.nullcontext(raw) as stream:
                self._unpack(stream)

    def _unpack(self, stream: gzip.GzipFile | IO[bytes]) -> None:
        forward = _Forward(stream, self._bytes_left)
        try:
            with tarfile.open(fileobj=forward, mode="r:") as tar:
                while (member := tar.next()) is not None:
                    self._put(tar, member)
        except rootfs.ImageProblem:
            raise
        except (
            tarfile.TarError,
            EOFError,
            zlib.error,
            gzip.BadGzipFile,
            ValueError,
            OverflowError,
        ) as problem:
            raise _bad(f"a layer of the image is broken ({problem})") from problem
        self._bytes_left = forward.left

    def _put(self, tar: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        self._stop()
        self._entries_left -= 1
        if self._entries_left < 0:
            raise rootfs.ImageProblem("the image has more files than we allow", "use a smaller one")
        parts = _parts(member.name)
        if not parts or member.ischr() or member.isblk():
            return
        where, folder = self._tree.folder(parts[:-1])
        name = parts[-1]
        if name == _OPAQUE:
            self._purge(where, folder)
        elif name.startswith(_WHITEOUT):
            self._hide(where, folder, name.removeprefix(_WHITEOUT))
        else:
            self._write(tar, member, folder, name)
            for depth in range(len(where) + 2):
                self._written.add((*where, name)[:depth])

    def _hide(self, where: Canonical, folder: int, name: str) -> None:
        if name in ("", ".", ".."):
            raise _bad("the image hides a file without a name")
        if (*where, name) not in self._written:
            self._tree.remove(name, folder)
        elif stat.S_ISDIR(os.lstat(name, dir_fd=folder).st_mode):
            self._purge_child(where, folder, name)

    def _purge(self, where: Canonical, folder: int) -> None:
        """Empty a folder of what lower layers put there."""
        here = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=folder)
        try:
            for entry in list(os.scandir(here)):
                if (*where, entry.name) not in self._written:
                    self._tree.remove(entry.name, folder)
                elif entry.is_dir(follow_symlinks=False):
                    self._purge_child(where, folder, entry.name)
        finally:
            os.close(here)

    def _purge_child(self, where: Canonical, folder: int, name: str) -> None:
        child = os.open(name, _FOLDER, dir_fd=folder)
        try:
            self._purge((*where, name), child)
        finally:
            os.close(child)

    def _write(self, tar: tarfile.TarFile, member: tarfile.TarInfo, folder: int, name: str) -> None:
        if member.isdir():
            self._make_folder(member, folder, name)
            return
        if member.islnk():
            self._link(member, folder, name)
            return
        self._tree.remove(name, folder)
        if member.issym():
            os.symlink(member.linkname, name, dir_fd=folder)
            self._own(member, folder, name)
        elif member.isfifo():
            os.mkfifo(name, 0o600, dir_fd=folder)
            self._own(member, folder, name)
            os.chmod(name, member.mode & 0o777, dir_fd=folder)
        elif member.isfile():
            self._copy(tar, member, folder, name)
        else:
            raise _bad(f"{member.name} is of a kind we do not know")

    def _own(self, member: tarfile.TarInfo, folder: int, name: str) -> None:
        if self._owners:
            uid, gid = (i if 0 <= i < _IDS else _NOBODY for i in (member.uid, member.gid))
            os.chown(name, uid, gid, dir_fd=folder, follow_symlinks=False)

    def _make_folder(self, member: tarfile.TarInfo, folder: int, name: str) -> None:
        try:
            if not stat.S_ISDIR(os.lstat(name, dir_fd=folder).st_mode):
                self._tree.remove(name, folder)
                os.mkdir(name, 0o700, dir_fd=folder)
        except FileNotFoundError:
            os.mkdir(name, 0o700, dir_fd=folder)
        self._own(member, folder, name)
        mode = member.mode & 0o7777
        os.chmod(name, mode if self._owners else mode | 0o700, dir_fd=folder)

    def _link(self, member: tarfile.TarInfo, folder: int, name: str) -> None:
        parts = _parts(member.linkname)
        if not parts:
            raise _bad(f"{member.name} is a link to nothing")
        here = os.dup(folder)
        try:
            _, source = self._tree.folder(parts[:-1])
            was = os.lstat(parts[-1], dir_fd=source)
            if stat.S_ISDIR(was.st_mode):
                raise _bad(f"{member.name} is a hard link to a folder")
            draft = f"{_WHITEOUT}link"  # no file of an image has this name
            os.link(parts[-1], draft, src_dir_fd=source, dst_dir_fd=here, follow_symlinks=False)
            self._tree.remove(name, here)
            os.rename(draft, name, src_dir_fd=here, dst_dir_fd=here)
            with contextlib.suppress(FileNotFoundError):
                os.unlink(draft, dir_fd=here)  # renaming a file over itself does nothing
        except FileNotFoundError:
            raise _bad(f"{member.name} is a link to a missing file") from None
        finally:
            os.close(here)

    def _copy(self, tar: tarfile.TarFile, member: tarfile.TarInfo, folder: int, name: str) -> None:
        source = tar.extractfile(member)
        assert source is not None
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        fd = os.open(name, flags, 0o600, dir_fd=folder)
        with os.fdopen(fd, "wb", 0) as target:
            shutil.copyfileobj(source, target, _CHUNK)
            if target.tell() != member.size:
                raise _bad(f"{member.name} is cut off")
            self._own(member, folder, name)
            os.fchmod(fd, member.mode & 0o7777)
            at = min(max(member.mtime, 0), _TIME_MAX)
            os.utime(fd, (at, at))

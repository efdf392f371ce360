"""What labs are made from: made ready once, kept by digest in a folder, shared by all labs.

An image is built beside its place and moved there whole, so that one cut off half-way is never
used; a lock per image lets several processes ask at once and only one build. A tag that was fetched
once is not looked up again: a class starts without the registry.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import shutil
import stat
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from brihaspati.adapters.namespaces import debian, hostimage, oci, registry, unpack
from brihaspati.adapters.namespaces.rootfs import ImageProblem, Progress, Rootfs

__all__ = ["ImageProblem", "Images", "Progress", "Rootfs"]

_DRAFT = ".draft-"
_LOCK = ".lock-"
_DEBIAN = "debian:"
_SHELLS = ("bin/sh", "usr/bin/sh")


def _key(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _own(path: Path) -> None:
    """Only we look inside: an image may hold set-user-id programs of somebody we do not know."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o700)


class Images:
    """The images of one data folder. Safe to share between threads and processes."""

    def __init__(
        self,
        folder: Path,
        fetch: registry.Fetch = registry.open_url,
        pause: registry.Pause = time.sleep,
        make_debian: Callable[[str, Path, Progress], None] = debian.make,
    ) -> None:
        self._folder = folder
        self._fetch = fetch
        self._pause = pause
        self._make_debian = make_debian
        self._ready: dict[str, Rootfs] = {}
        self._lock = threading.Lock()
        _own(folder)
        self._sweep()

    def ready(self, image: str, progress: Progress) -> Rootfs:
        """The image, made if need be; at once when it is there.

        `image`: `host`, `debian:12` or `debian:13`, `rootfs:/folder` or `rootfs:/archive.tar`,
        `oci:/layout[:tag]`, or a reference to a registry. Raises ImageProblem.
        """
        with self._lock:
            known = self._ready.get(image)
        if known is not None and known.path.is_dir():
            return known
        try:
            found = self._find(image, progress)
            if found.usr is None and not any(
                os.path.lexists(found.path / shell) for shell in _SHELLS
            ):
                raise ImageProblem(f"{image} has no /bin/sh", "choose an image with a shell")
        except OSError as problem:
            raise _explained(image, problem) from problem
        with self._lock:
            self._ready[image] = found
        progress(f"{image} is ready", 1.0)
        return found

    def _find(self, image: str, progress: Progress) -> Rootfs:
        if image == "host":
            return self._host(progress)
        kind, _, rest = image.partition(":")
        if kind == "rootfs":
            return self._given(Path(rest), progress)
        if image.startswith(_DEBIAN) and "@" not in image:
            return Rootfs(self._debian(rest, progress))
        if kind == "oci":
            return Rootfs(self._layout(rest, progress))
        return Rootfs(self._pulled(oci.parse(image), progress))

    # --- the kinds -------------------------------------------------------------------------
    def _host(self, progress: Progress) -> Rootfs:
        """Made anew by every process that asks first: the host may have changed meanwhile."""
        progress("making an image of this host", None)
        with self._building("host") as draft:
            made = draft / "root"
            try:
                hostimage.build(made)
            except hostimage.NotMerged as problem:
                raise ImageProblem(str(problem), "name an image in the lab, as debian:12") from None
            name = _fingerprint(made)
            place = self._folder / f"host-{name}"
            if not place.is_dir():
                made.rename(place)
            elif _fingerprint(place) != name:  # a power cut, or somebody's hand
                place.rename(draft / "spoilt")
                made.rename(place)
            return Rootfs(place, Path("/usr"))

    def _debian(self, release: str, progress: Progress) -> Path:
        if release not in debian.SUITES:
            known = ", ".join(f"debian:{number}" for number in debian.SUITES)
            raise ImageProblem(
                f"debian:{release} cannot be made from packages",
                f"use {known}, or docker.io/library/debian:{release}",
            )
        name = f"debian-{release}-{debian.RECIPE}"
        return self._once(name, progress, lambda made: self._make_debian(release, made, progress))

    def _given(self, path: Path, progress: Progress) -> Rootfs:
        if not path.is_absolute():
            raise ImageProblem(f"rootfs:{path} is not absolute", "write rootfs:/some/folder")
        if path.is_file():
            at = path.stat()
            name = _key(f"{path.resolve()} {at.st_mtime_ns} {at.st_size} {at.st_ino}")

            def make(made: Path) -> None:
                progress(f"unpacking {path}", None)
                _unpack_archive(path, made)

            return Rootfs(self._once(f"tar-{name}", progress, make))
        path = path.resolve(strict=True)
        # Labs read all of it: never the host's own root, nor a folder our data is in.
        if path.samefile("/") or self._folder.resolve().is_relative_to(path):
            raise ImageProblem(f"rootfs:{path} holds this host's own files", "use `host` instead")
        if not path.is_dir():
            raise ImageProblem(f"rootfs:{path} is no folder", "name a folder or a tar archive")
        return Rootfs(path)

    def _layout(self, rest: str, progress: Progress) -> Path:
        folder, _, tag = rest.rpartition(":")
        if Path(rest).is_dir() or not folder:
            folder, tag = rest, ""
        if not Path(folder).is_absolute():
            raise ImageProblem(f"oci:{rest} is not absolute", "write oci:/some/folder")
        source = oci.Layout(Path(folder))
        return self._unpacked(source, oci.resolve(source, tag), progress)

    def _pulled(self, image: oci.Reference, progress: Progress) -> Path:
        note = self._folder / f"tag-{_key(str(image))}"
        with contextlib.suppress(OSError, ValueError):
            digest = note.read_text().partition("\n")[0]
            known = self._folder / f"oci-{_hex(digest)}"
            if known.is_dir():
                return known
        progress(f"asking {image.host} for {image.name}", None)
        source = registry.Registry(image, self._fetch, self._pause)
        manifest = oci.resolve(source, image.version)
        made = self._unpacked(source, manifest, progress)
        with self._building(note.name) as draft:
            text = draft / "note"
            text.write_text(f"{manifest.digest}\n{image}\n")
            text.replace(note)
        return made

    def _unpacked(self, source: oci.Source, image: oci.Manifest, progress: Progress) -> Path:
        def make(made: Path) -> None:
            made.mkdir(mode=0o755)
            oci.pull(source, image, made, progress)

        return self._once(f"oci-{_hex(image.digest)}", progress, make)

    # --- built once, whole -----------------------------------------------------------------
    def _once(self, name: str, progress: Progress, make: Callable[[Path], None]) -> Path:
        """The folder of this name, which `make` fills at a place that does not exist yet."""
        place = self._folder / name
        if place.is_dir():
            return place

        def waiting() -> None:
            progress("waiting: another process is making this image", None)

        with self._building(name, waiting) as draft:
            if place.is_dir():
                return place
            made = draft / "root"
            make(made)
            made.chmod(0o755)
            os.sync()  # what a power cut leaves under the final name must be whole
            made.rename(place)
            return place

    @contextlib.contextmanager
    def _building(self, name: str, waiting: Callable[[], None] = lambda: None) -> Iterator[Path]:
        """An empty folder that nobody else of this name has, gone afterwards."""
        key = _key(name)
        with _locked(self._folder / f"{_LOCK}{key}", waiting):
            draft = self._folder / f"{_DRAFT}{key}"
            _remove(draft)
            draft.mkdir(mode=0o700)
            try:
                yield draft
            finally:
                _remove(draft)

    def _sweep(self) -> None:
        """Remove what a killed process left half-made, and nothing another one is making."""
        for draft in self._folder.glob(f"{_DRAFT}*"):
            lock = self._folder / f"{_LOCK}{draft.name.removeprefix(_DRAFT)}"
            with contextlib.suppress(BlockingIOError), _locked(lock, None):
                _remove(draft)


@contextlib.contextmanager
def _locked(path: Path, waiting: Callable[[], None] | None) -> Iterator[None]:
    """Hold the lock, which the kernel drops if we die; without `waiting`, BlockingIOError."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if waiting is None:
                raise
            waiting()
            fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def _remove(folder: Path) -> None:
    if not os.path.lexists(folder):
        return
    debian.unmount_below(folder)
    for root, _, _ in os.walk(folder):
        with contextlib.suppress(OSError):  # a folder its owner may not write, when not root
            if not os.access(root, os.W_OK | os.X_OK):
                Path(root).chmod(0o700)
    shutil.rmtree(folder)


def _hex(digest: str) -> str:
    """The digest without its kind. Raises ValueError for what is none."""
    kind, _, digits = digest.partition(":")
    if kind != "sha256" or len(digits) != 64 or not set(digits) <= set("0123456789abcdef"):
        raise ValueError(digest)
    return digits


def _unpack_archive(archive: Path, made: Path) -> None:
    made.mkdir(mode=0o755)
    unpacker = unpack.Unpacker(made, unpack.Bounds())
    try:
        unpacker.layer(archive)
    finally:
        unpacker.close()


def _fingerprint(folder: Path) -> str:
    """A digest of names, kinds, rights, owners and contents: the same for equal trees."""
    seen = hashlib.sha256()
    for root, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(folders + files):
            path = Path(root, name)
            at = path.lstat()
            content = b""
            if stat.S_ISLNK(at.st_mode):
                content = os.fsencode(path.readlink())
            elif stat.S_ISREG(at.st_mode):
                content = hashlib.sha256(path.read_bytes()).digest()
            row = (str(path.relative_to(folder)), at.st_mode, at.st_uid, at.st_gid, content)
            seen.update(repr(row).encode())
    return seen.hexdigest()[:24]


def _explained(image: str, problem: OSError) -> ImageProblem:
    what = problem.strerror or str(problem)
    where = f" ({problem.filename})" if problem.filename else ""
    match problem.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return ImageProblem(f"the disk is full: no room for {image}", "make room and try again")
        case errno.EACCES | errno.EPERM | errno.EROFS:
            fix = "run as root, or choose another data folder"
            return ImageProblem(f"cannot make {image}: {what}{where}", fix)
        case errno.ENOENT | errno.ENOTDIR:
            return ImageProblem(f"{image} is not there: {what}{where}", "check its path")
        case _:
            return ImageProblem(f"cannot make {image}: {what}{where}", "see the host's logs")

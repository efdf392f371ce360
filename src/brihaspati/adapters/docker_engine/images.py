"""Making images usable: pulled from a registry, or imported from a root file system."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tarfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from brihaspati import ports
from brihaspati.adapters.docker_engine import engine

Progress = Callable[[str, float | None], None]
_ROOTFS = "rootfs:"
# Podman finds short names only where it is configured to, and this one always.
_REPOSITORY = "localhost/brihaspati/rootfs"
_CHUNK_BYTES = 1 << 20


class Images:
    """The images one engine can start. Safe to share between threads."""

    def __init__(self, line: engine.Engine, host_image: str | None) -> None:
        self._line = line
        self._host_image = host_image
        self._lock = threading.Lock()

    def name_of(self, image: str) -> str:
        """What the engine calls this image. Raises CreateRefused("image")."""
        if image == "host":
            if self._host_image is None:
                raise _refused(
                    "this lab runs on a copy of the host, which containers do not have; "
                    "name an image in the lab, or set one to stand in for it"
                )
            return self.name_of(self._host_image)
        if image.startswith("oci:"):
            raise _refused(f"{image}: load it into the engine and use its name")
        if image.startswith((_ROOTFS, "/")):
            return f"{_REPOSITORY}:{_fingerprint(Path(image.removeprefix(_ROOTFS)))}"
        last = image.rsplit("/", 1)[-1]
        return image if ":" in last or "@" in last else f"{image}:latest"

    def present(self, name: str) -> bool:
        """Whether the engine has it. Raises one of engine.FAULTS."""
        try:
            api: Any = self._line.api
            api.inspect_image(name)
        except engine.FAULTS as error:
            if engine.status_of(error) == 404:
                return False
            raise
        return True

    def prepare(self, image: str, progress: Progress) -> None:
        """Have the image ready to start. Raises CreateRefused("image")."""
        if image == "host" and self._host_image:
            image = self._host_image
        name = self.name_of(image)
        try:
            with self._lock:
                if not self.present(name):
                    progress(f"fetching {image}", None)
                    if name.startswith(f"{_REPOSITORY}:"):
                        self._import(Path(image.removeprefix(_ROOTFS)), name, progress)
                    else:
                        self._pull(name, progress)
                    if not self.present(name):
                        raise _refused(f"{image}: the engine did not keep it")
        except engine.FAULTS as error:
            raise _refused(f"{image}: {engine.text_of(error)}") from error
        progress(f"{image} is ready", 1.0)

    def _pull(self, name: str, progress: Progress) -> None:
        at = "@" if "@" in name else ":"
        repository, _, tag = name.rpartition(at)
        layers: dict[str, tuple[int, int]] = {}
        for line in self._line.api.pull(repository, tag=tag, stream=True, decode=True):
            if "error" in line:
                raise _refused(f"{name}: {line['error']}")
            _count(layers, line)
            total = sum(size for _, size in layers.values())
            done = sum(part for part, _ in layers.values())
            progress(f"fetching {name}", min(0.99, done / total) if total else None)

    def _import(self, rootfs: Path, name: str, progress: Progress) -> None:
        progress(f"importing {rootfs}", None)
        repository, _, tag = name.rpartition(":")
        api: Any = self._line.api
        try:
            with _as_tar(rootfs) as stream:
                said = api.import_image_from_stream(stream, repository=repository, tag=tag)
            if not self.present(name):
                # Podman does not mind the tag, but says what it has made.
                made = json.loads(said.strip().splitlines()[-1])
                api.tag(made["status"], repository, tag)
        except OSError:
            # A folder we could not read to its end looks whole to the engine.
            with contextlib.suppress(*engine.FAULTS):
                self._line.api.remove_image(name, force=True)
            raise


def _count(layers: dict[str, tuple[int, int]], line: dict[str, Any]) -> None:
    detail = line.get("progressDetail") or {}
    identity, total = line.get("id"), detail.get("total")
    if identity and total and line.get("status") == "Downloading":
        layers[identity] = (int(detail.get("current", 0)), int(total))
    elif identity in layers and line.get("status") in {"Download complete", "Pull complete"}:
        layers[identity] = (layers[identity][1], layers[identity][1])


def _fingerprint(rootfs: Path) -> str:
    try:
        seen = rootfs.stat()
    except OSError as error:
        raise _refused(f"{rootfs}: {error.strerror}") from error
    text = f"{rootfs.resolve()} {seen.st_mtime_ns} {seen.st_size}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@contextlib.contextmanager
def _as_tar(rootfs: Path) -> Iterator[Iterator[bytes]]:
    """The tar file in pieces, or a folder as one, without a copy on disk."""
    if rootfs.is_file():
        with rootfs.open("rb") as stream:
            yield iter(lambda: stream.read(_CHUNK_BYTES), b"")
        return
    out, into = os.pipe()
    with os.fdopen(out, "rb") as stream:
        faults: list[OSError] = []
        packer = threading.Thread(target=_pack, args=(rootfs, into, faults), daemon=True)
        packer.start()
        yield iter(lambda: stream.read(_CHUNK_BYTES), b"")
    packer.join(10)
    if faults:
        raise faults[0]


def _pack(rootfs: Path, into: int, faults: list[OSError]) -> None:
    try:
        with (
            os.fdopen(into, "wb") as pipe,
            tarfile.open(fileobj=pipe, mode="w|", format=tarfile.PAX_FORMAT) as archive,
        ):
            archive.add(rootfs, arcname=".")
    except OSError as error:
        faults.append(error)


def _refused(reason: str) -> ports.CreateRefused:
    return ports.CreateRefused("image", reason)

"""Images of OCI registries and layout folders, fetched with nothing but the standard library.

Every byte is checked against its digest before it is used. Reading is anonymous: open registries,
and those that hand a token to everybody.
"""

from __future__ import annotations

import hashlib
import json
import platform
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from brihaspati.adapters.namespaces import rootfs, unpack

INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
MANIFEST_BYTES_MAX = 4 << 20
_LAYERS_MAX = 256
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REFERENCE = re.compile(
    r"(?P<host>[A-Za-z0-9][A-Za-z0-9.-]*(?::[0-9]{1,5})?)/"
    rf"(?P<name>{_PART}(?:/{_PART})*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?"
    r"(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "riscv64": "riscv64"}
# What the layers may take together, packed.
_PACKED_BYTES_MAX = 8 << 30


@dataclass(frozen=True, slots=True)
class Reference:
    """Where an image is: registry host, repository, and a tag or digest."""

    host: str
    name: str
    version: str

    def __str__(self) -> str:
        between = "@" if self.version.startswith("sha256:") else ":"
        return f"{self.host}/{self.name}{between}{self.version}"


@dataclass(frozen=True, slots=True)
class Blob:
    """A part of an image; `size` in bytes as the manifest promises."""

    digest: str
    size: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """An image for our kind of processor; `layers` lowest first."""

    digest: str
    layers: tuple[Blob, ...]


class Source(Protocol):
    """Where an image comes from. Both raise ImageProblem and OSError."""

    def document(self, version: str) -> bytes:
        """The index or manifest of a tag or digest; of a digest, already checked."""
        ...

    def save(self, blob: Blob, into: Path, progress: Callable[[int], None]) -> None:
        """Store a checked blob; `progress` is told how many bytes of it there are."""
        ...


def parse(text: str) -> Reference:
    """Read `ubuntu:24.04`, `ghcr.io/who/what@sha256:...` and so on. Raises ImageProblem."""
    first, slash, _ = text.partition("/")
    hosted = bool(slash) and ("." in first or ":" in first or first == "localhost")
    found = _REFERENCE.fullmatch(text if hosted else f"docker.io/{text}")
    if found is None:
        raise rootfs.ImageProblem(
            f"{text!r} names no image", "write it as docker.io/library/ubuntu:24.04"
        )
    host, name = found["host"], found["name"]
    if host in ("docker.io", "index.docker.io"):
        host, name = "docker.io", name if "/" in name else f"library/{name}"
    return Reference(host, name, found["digest"] or found["tag"] or "latest")


def digest_of(data: bytes) -> str:
    """The digest as OCI writes it."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def check(data: bytes, digest: str) -> bytes:
    """The data, if this is its digest. Raises ImageProblem."""
    if digest_of(data) != digest:
        raise rootfs.ImageProblem(
            f"what came is not what was asked for (digest {digest[:19]}… does not match)",
            "try again; if it stays so, do not trust this registry",
        )
    return data


def _json(data: bytes) -> dict[str, Any]:
    try:
        body = json.loads(data)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise rootfs.ImageProblem("the manifest is not JSON", "check the name of the image")
    return body


def _broken() -> rootfs.ImageProblem:
    return rootfs.ImageProblem("the manifest has no layers we understand", "build the image anew")


def _platform(entry: dict[str, Any]) -> str:
    system = entry.get("platform") or {}
    return f"{system.get('os')}/{system.get('architecture')}"


def _for_us(index: dict[str, Any]) -> str:
    """The digest of our manifest in an index. Raises ImageProblem."""
    machine = platform.machine()
    ours = f"linux/{_ARCHITECTURES.get(machine, machine)}"
    entries = [e for e in index.get("manifests") or [] if isinstance(e, dict)]
    # A layout folder with a single image need not say what it is for.
    usable = [e for e in entries if _platform(e) == ours] or [
        e for e in entries if not e.get("platform")
    ]
    if not usable:
        has = ", ".join(sorted({_platform(e) for e in entries})) or "nothing"
        raise rootfs.ImageProblem(f"the image has {has} but not {ours}", "choose another image")
    return str(usable[0].get("digest"))


def resolve(source: Source, version: str) -> Manifest:
    """What the tag or digest stands for on this kind of machine. Raises ImageProblem, OSError."""
    data = source.document(version)
    body = _json(data)
    digest = digest_of(data)
    if isinstance(body.get("manifests"), list):
        digest = _for_us(body)
        if not _DIGEST.fullmatch(digest):
            raise _broken()
        body = _json(source.document(digest))
    if body.get("schemaVersion") == 1:
        raise rootfs.ImageProblem(
            "the image is in a format given up in 2017", "have it pushed anew by a current tool"
        )
    layers = body.get("layers")
    if not isinstance(layers, list) or not 0 < len(layers) <= _LAYERS_MAX:
        raise _broken()
    return Manifest(digest, tuple(_blob(layer) for layer in layers))


def _blob(entry: Any) -> Blob:
    if not isinstance(entry, dict):
        raise _broken()
    digest, size = entry.get("digest"), entry.get("size")
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        raise _broken()
    if not isinstance(size, int) or size < 0:
        raise _broken()
    if "zstd" in str(entry.get("mediaType")):
        raise rootfs.ImageProblem(
            "a layer of the image is compressed with zstd, which we cannot read",
            "have the image built with gzip layers",
        )
    return Blob(digest, size)


def pull(
    source: Source,
    manifest: Manifest,
    into: Path,
    progress: rootfs.Progress,
    bounds: unpack.Bounds | None = None,
) -> None:
    """Unpack the image into the empty folder `into`. Raises ImageProblem, OSError."""
    total = sum(blob.size for blob in manifest.layers)
    if total > _PACKED_BYTES_MAX:
        raise rootfs.ImageProblem(
            f"the image is {total >> 20} MiB to fetch, more than we allow", "use a smaller image"
        )
    done = 0
    unpacker = unpack.Unpacker(into, bounds or unpack.Bounds())
    layer = into.with_name(f"{into.name}.layer")
    count = len(manifest.layers)
    try:
        for number, blob in enumerate(manifest.layers, 1):
            what = f"layer {number} of {count}"

            def tell(part: int, what: str = what, done: int = done) -> None:
                progress(f"fetching {what}", min(0.99, (done + part) / max(1, total)))

            source.save(blob, layer, tell)
            done += blob.size
            progress(f"unpacking {what}", min(0.99, done / max(1, total)))
            unpacker.layer(layer)
            layer.unlink()
    finally:
        unpacker.close()
        layer.unlink(missing_ok=True)


class Layout:
    """An OCI layout folder on this machine, as `skopeo copy … oci:folder` makes it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def document(self, version: str) -> bytes:
        """The index or manifest, checked; "" means the only image. Raises ImageProblem, OSError."""
        if version.startswith("sha256:"):
            path = self._path(version)
            if path.stat().st_size > MANIFEST_BYTES_MAX:
                raise _broken()
            return check(path.read_bytes(), version)
        try:
            index = _json((self._folder / "index.json").read_bytes())
        except FileNotFoundError:
            raise rootfs.ImageProblem(
                f"{self._folder} is no OCI layout: it has no index.json",
                "make one with `skopeo copy docker://IMAGE oci:FOLDER`",
            ) from None
        return self.document(self._named(index, version))

    def _named(self, index: dict[str, Any], version: str) -> str:
        """The digest of this tag; the only image there is when no tag was asked for."""
        entries = [e for e in index.get("manifests") or [] if isinstance(e, dict)]
        key = "org.opencontainers.image.ref.name"
        tagged = {str((e.get("annotations") or {}).get(key)): e for e in entries}
        found = tagged.get(version)
        if found is None and len(entries) == 1 and not version:
            found = entries[0]
        if found is None or not _DIGEST.fullmatch(str(found.get("digest"))):
            tags = ", ".join(sorted(tagged)) or "no image"
            raise rootfs.ImageProblem(
                f"{self._folder} has {tags}", "write one of its tags as oci:/folder:tag"
            )
        return str(found["digest"])

    def save(self, blob: Blob, into: Path, progress: Callable[[int], None]) -> None:
        """Copy a blob, checking it. Raises ImageProblem, OSError."""
        done, seen = 0, hashlib.sha256()
        with self._path(blob.digest).open("rb") as stream, into.open("wb") as target:
            while chunk := stream.read(1 << 20):
                target.write(chunk)
                seen.update(chunk)
                done += len(chunk)
                progress(done)
        if f"sha256:{seen.hexdigest()}" != blob.digest:
            raise rootfs.ImageProblem(
                f"{blob.digest[:19]}… in {self._folder} is damaged", "copy the image there anew"
            )

    def _path(self, digest: str) -> Path:
        path = self._folder / "blobs" / "sha256" / digest.removeprefix("sha256:")
        if not path.is_file():
            raise rootfs.ImageProblem(
                f"{self._folder} lacks {digest[:19]}…", "copy the image there anew"
            )
        return path

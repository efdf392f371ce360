"""Images come whole and unchanged from a registry, over a line that breaks, or not at all."""

from __future__ import annotations

import hashlib
import os
import platform
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from brihaspati.adapters.namespaces import images, oci, rootfs
from brihaspati.adapters.namespaces.registry import open_url
from namespaces_images import distribution
from namespaces_images.distribution import INDEX, Registry, entry, layer

BASE = layer(("bin/sh", b"#!shell"), ("etc/motd", b"low"), ("etc/gone", b"1"))
TOP = layer(("etc/motd", b"high"), ("etc/.wh.gone", b""))
OURS = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())


@pytest.fixture
def registry() -> Iterator[Registry]:
    with distribution.serving() as running:
        yield running


class Shelf:
    """An image folder whose waits are only written down."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.waits: list[float] = []
        self.told: list[tuple[str, float | None]] = []
        self.images = images.Images(folder, pause=self.waits.append)

    def get(self, image: str) -> Path:
        return self.images.ready(image, lambda *said: self.told.append(said)).path

    def refused(self, image: str) -> rootfs.ImageProblem:
        with pytest.raises(rootfs.ImageProblem) as problem:
            self.get(image)
        assert not list(self.folder.glob("oci-*")), "something half-made has the name of an image"
        assert not list(self.folder.glob(".draft-*"))
        return problem.value


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "images")


def test_an_image_of_two_layers_is_fetched_checked_and_put_together(
    registry: Registry, shelf: Shelf
) -> None:
    digest = registry.push("class/tool", "1", BASE, TOP)
    path = shelf.get(f"{registry.host}/class/tool:1")
    assert (path / "etc/motd").read_bytes() == b"high"
    assert not (path / "etc/gone").exists()
    assert path.name == f"oci-{digest.removeprefix('sha256:')}"
    shares = [share for _, share in shelf.told if share is not None]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_docker_media_types_are_understood(registry: Registry, shelf: Shelf) -> None:
    kind = "application/vnd.docker.image.rootfs.diff.tar.gzip"
    registry.push("a", "1", BASE, media_type=kind, kind=distribution.DOCKER_MANIFEST)
    assert (shelf.get(f"{registry.host}/a:1") / "bin/sh").exists()


def test_uncompressed_layers_are_understood(registry: Registry, shelf: Shelf) -> None:
    registry.push("a", "latest", layer(("bin/sh", b"1"), compress=False))
    assert (shelf.get(f"{registry.host}/a") / "bin/sh").exists()


def test_an_index_leads_to_the_image_of_this_processor(registry: Registry, shelf: Shelf) -> None:
    ours = registry.push("a", "ours", BASE)
    other = registry.push("a", "other", layer(("bin/sh", b"other")))
    rows = [
        {"digest": other, "platform": {"os": "linux", "architecture": "s390x"}},
        {"digest": ours, "platform": {"os": "linux", "architecture": OURS}},
        {"digest": other, "platform": {"os": "unknown", "architecture": "unknown"}},
    ]
    registry.put("a", "1", INDEX, {"schemaVersion": 2, "manifests": rows})
    assert (shelf.get(f"{registry.host}/a:1") / "bin/sh").read_bytes() == b"#!shell"


def test_an_index_without_this_processor_says_what_it_has(registry: Registry, shelf: Shelf) -> None:
    other = registry.push("a", "other", BASE)
    rows = [{"digest": other, "platform": {"os": "linux", "architecture": "s390x"}}]
    registry.put("a", "1", INDEX, {"schemaVersion": 2, "manifests": rows})
    assert f"linux/s390x but not linux/{OURS}" in str(shelf.refused(f"{registry.host}/a:1"))


def test_a_token_for_everybody_is_asked_for_once(registry: Registry, shelf: Shelf) -> None:
    registry.token = "for-everybody"
    registry.push("a", "1", BASE, TOP)
    assert shelf.get(f"{registry.host}/a:1").is_dir()
    assert registry.tokens_given == 1
    assert any("/token?scope=pull&service=here" in path for path, _ in registry.asked)


def test_a_token_that_expires_half_way_is_renewed(registry: Registry, shelf: Shelf) -> None:
    registry.token = "first"
    registry.push("a", "1", BASE, TOP)

    def fetch(request: urllib.request.Request) -> Any:
        if request.full_url.endswith(distribution.sha(TOP)):
            registry.token = "second"
        return open_url(request)

    pulling = images.Images(shelf.folder, fetch=fetch)
    assert pulling.ready(f"{registry.host}/a:1", lambda *_: None).path.is_dir()
    assert registry.tokens_given == 2


def test_a_token_is_not_sent_on_to_where_blobs_are_kept(registry: Registry, shelf: Shelf) -> None:
    registry.token, registry.redirect_blobs = "secret", True
    registry.push("a", "1", BASE)
    assert shelf.get(f"{registry.host}/a:1").is_dir()
    elsewhere = [auth for path, auth in registry.asked if path.startswith("/elsewhere/")]
    assert elsewhere == [None]


def test_a_transfer_cut_off_is_tried_again(registry: Registry, shelf: Shelf) -> None:
    registry.push("a", "1", BASE, TOP)
    registry.cut[distribution.sha(TOP)] = [10, 0, 40]
    assert (shelf.get(f"{registry.host}/a:1") / "etc/motd").read_bytes() == b"high"
    assert shelf.waits == [1.0, 2.0, 4.0]


def test_a_transfer_cut_off_every_time_leaves_nothing(registry: Registry, shelf: Shelf) -> None:
    registry.push("a", "1", BASE, TOP)
    registry.cut[distribution.sha(TOP)] = [10] * 4
    problem = shelf.refused(f"{registry.host}/a:1")
    assert f"cut off at 10 of {len(TOP)} bytes" in problem.what
    assert "check the network" in problem.fix
    assert shelf.get(f"{registry.host}/a:1").is_dir(), "the next try works"


def test_a_busy_registry_is_given_the_time_it_asks_for(registry: Registry, shelf: Shelf) -> None:
    registry.push("a", "1", BASE)
    registry.answers = [(503, {}), (429, {"Retry_After": "7"}), (500, {"Retry_After": "9999"})]
    assert shelf.get(f"{registry.host}/a:1").is_dir()
    assert shelf.waits == [1.0, 7.0, 30.0]


@pytest.mark.parametrize("data", [b"x" * len(TOP), TOP + b"more"])
def test_a_layer_that_is_not_its_digest_is_refused(
    registry: Registry, shelf: Shelf, data: bytes
) -> None:
    registry.push("a", "1", BASE, TOP)
    registry.blobs[distribution.sha(TOP)] = data
    assert "not what the image says" in shelf.refused(f"{registry.host}/a:1").what


def test_a_manifest_that_is_not_the_digest_asked_for_is_refused(
    registry: Registry, shelf: Shelf
) -> None:
    digest = registry.push("a", "1", BASE)
    kind, data = registry.manifests[f"a/{digest}"]
    registry.manifests[f"a/{digest}"] = (kind, data + b" ")
    assert "does not match" in shelf.refused(f"{registry.host}/a@{digest}").what


def test_a_digest_may_be_asked_for(registry: Registry, shelf: Shelf) -> None:
    digest = registry.push("a", "1", BASE)
    assert shelf.get(f"{registry.host}/a@{digest}").name.endswith(digest[7:])


def test_an_attack_in_a_layer_leaves_nothing(registry: Registry, shelf: Shelf) -> None:
    registry.push("a", "1", BASE, layer(entry("../../escaped")))
    assert "outside itself" in shelf.refused(f"{registry.host}/a:1").what
    assert not list(shelf.folder.parent.rglob("escaped"))


def test_two_tags_of_one_image_are_kept_once_and_a_known_tag_needs_no_registry(
    registry: Registry, shelf: Shelf
) -> None:
    registry.push("a", "1", BASE)
    registry.push("a", "2", BASE)
    assert shelf.get(f"{registry.host}/a:1") == shelf.get(f"{registry.host}/a:2")
    asked = len(registry.asked)
    again = images.Images(shelf.folder)
    assert again.ready(f"{registry.host}/a:1", lambda *_: None).path.is_dir()
    assert len(registry.asked) == asked


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((404, {}), "has no image a 1 for everybody (404)"),
        ((403, {}), "for everybody (403)"),
        ((401, {"WWW_Authenticate": 'Basic realm="x"'}), "wants an account"),
        ((401, {"WWW_Authenticate": 'Bearer realm="file:///etc/passwd"'}), "wants an account"),
        ((418, {}), "answers 418"),
    ],
)
def test_a_refusal_is_told_with_what_to_do(
    registry: Registry, shelf: Shelf, answer: tuple[int, dict[str, str]], words: str
) -> None:
    registry.answers = [answer]
    problem = shelf.refused(f"{registry.host}/a:1")
    assert words in problem.what
    assert problem.kind == "image"
    assert problem.fix in problem.reason
    assert shelf.waits == []


@pytest.mark.parametrize(
    "body",
    [
        {"schemaVersion": 1},
        {"layers": []},
        {"layers": [{"digest": "md5:abc", "size": 1}]},
        {"layers": [{"digest": f"sha256:{'0' * 64}", "size": -1}]},
        {"layers": ["x"]},
        {"manifests": [{"digest": "../../etc/passwd"}]},
        {"layers": [{"digest": f"sha256:{'0' * 64}", "size": 1, "mediaType": "tar+zstd"}]},
        {"layers": [{"digest": f"sha256:{'0' * 64}", "size": 1 << 40}]},
    ],
)
def test_a_manifest_that_makes_no_sense_is_refused(
    registry: Registry, shelf: Shelf, body: dict[str, object]
) -> None:
    registry.put("a", "1", distribution.MANIFEST, body)
    shelf.refused(f"{registry.host}/a:1")


def test_nobody_at_the_address_is_told_so(shelf: Shelf) -> None:
    with distribution.serving() as gone:
        host = gone.host
    problem = shelf.refused(f"{host}/a:1")
    assert "Connection refused" in problem.what
    assert len(shelf.waits) == 3


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("ubuntu:24.04", "docker.io/library/ubuntu:24.04"),
        ("docker.io/ubuntu", "docker.io/library/ubuntu:latest"),
        ("docker.io/library/alpine:3", "docker.io/library/alpine:3"),
        ("who/what", "docker.io/who/what:latest"),
        ("ghcr.io/who/what/part:v1", "ghcr.io/who/what/part:v1"),
        ("localhost:5000/x:1", "localhost:5000/x:1"),
        (f"quay.io/x:1@sha256:{'a' * 64}", f"quay.io/x@sha256:{'a' * 64}"),
    ],
)
def test_references_mean_what_they_mean_elsewhere(text: str, meant: str) -> None:
    assert str(oci.parse(text)) == meant


@pytest.mark.parametrize(
    "text",
    ["", "/", "UPPER", "a b", "x:", "http://x/y", "x@sha256:12", "h.io/../x", "x?y", "h.io/x#y"],
)
def test_what_is_no_reference_is_refused(shelf: Shelf, text: str) -> None:
    assert "names no image" in shelf.refused(text).what


def _layout(folder: Path, registry: Registry, **tags: str) -> Path:
    """A layout folder of manifests pushed to the registry before, by tag."""
    blobs = folder / "blobs/sha256"
    blobs.mkdir(parents=True)
    manifests = [data for _, data in registry.manifests.values()]
    for data in [*registry.blobs.values(), *manifests]:
        (blobs / hashlib.sha256(data).hexdigest()).write_bytes(data)
    key = "org.opencontainers.image.ref.name"
    rows = ",".join(
        f'{{"digest":"{digest}","annotations":{{"{key}":"{tag}"}}}}' for tag, digest in tags.items()
    )
    (folder / "index.json").write_text(f'{{"schemaVersion":2,"manifests":[{rows}]}}')
    return folder


def test_a_layout_folder_is_read_by_tag_or_when_it_has_only_one(
    registry: Registry, shelf: Shelf, tmp_path: Path
) -> None:
    one, two = registry.push("a", "1", BASE), registry.push("a", "2", BASE, TOP)
    both = _layout(tmp_path / "both", registry, first=one, second=two)
    single = _layout(tmp_path / "single", registry, only=two)
    assert (shelf.get(f"oci:{both}:first") / "etc/motd").read_bytes() == b"low"
    assert (shelf.get(f"oci:{both}:second") / "etc/motd").read_bytes() == b"high"
    assert shelf.get(f"oci:{single}") == shelf.get(f"oci:{both}:second")
    with pytest.raises(rootfs.ImageProblem, match="has first, second"):
        shelf.get(f"oci:{both}")


def test_a_damaged_layout_folder_is_refused(
    registry: Registry, shelf: Shelf, tmp_path: Path
) -> None:
    folder = _layout(tmp_path / "layout", registry, x=registry.push("a", "1", BASE))
    blob = folder / "blobs/sha256" / distribution.sha(BASE)[7:]
    blob.write_bytes(os.urandom(len(BASE)))
    assert "is damaged" in shelf.refused(f"oci:{folder}").what
    blob.unlink()
    assert "lacks sha256:" in shelf.refused(f"oci:{folder}").what
    assert "no OCI layout" in shelf.refused(f"oci:{tmp_path}").what

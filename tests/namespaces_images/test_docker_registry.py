"""The same pulling, from the registry everybody runs, when it is installed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

import loopback
from brihaspati.adapters.namespaces import images
from namespaces_images.distribution import LAYER, MANIFEST, layer, sha

PROGRAM = shutil.which("docker-registry")
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="docker-registry is not installed")
START_SECONDS_MAX = 60


def _answers(base: str) -> bool:
    try:
        urllib.request.urlopen(f"{base}/v2/", timeout=1).close()
    except OSError:
        return False
    return True


@pytest.fixture
def host(tmp_path: Path) -> Iterator[str]:
    """Where a registry with an empty store listens."""
    port = loopback.free_port()
    config = tmp_path / "config.json"
    store = {"filesystem": {"rootdirectory": str(tmp_path / "store")}}
    http = {"addr": f"127.0.0.1:{port}"}
    config.write_text(json.dumps({"version": "0.1", "storage": store, "http": http}))
    argv = [str(PROGRAM), "serve", str(config)]
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        end = time.monotonic() + START_SECONDS_MAX
        while not _answers(f"http://127.0.0.1:{port}"):
            assert process.poll() is None, "it ended"
            assert time.monotonic() < end, "it does not answer"
            time.sleep(0.02)
        yield f"127.0.0.1:{port}"
        process.terminate()


def _put(url: str, data: bytes, kind: str) -> None:
    head = {"Content-Type": kind}
    request = urllib.request.Request(url, data=data, headers=head, method="PUT")
    urllib.request.urlopen(request, timeout=10).close()


def _push(host: str, name: str, tag: str, *layers: bytes) -> str:
    """Push an image as docker does; returns its digest."""
    base = f"http://{host}/v2/{name}"
    rows = []
    for data in (b"{}", *layers):
        begin = urllib.request.Request(f"{base}/blobs/uploads/", data=b"", method="POST")
        with urllib.request.urlopen(begin, timeout=10) as answer:
            place = answer.headers["Location"]
        _put(f"{place}&digest={sha(data)}", data, "application/octet-stream")
        rows.append({"mediaType": LAYER, "digest": sha(data), "size": len(data)})
    rows[0]["mediaType"] = "application/vnd.oci.image.config.v1+json"
    body = {"schemaVersion": 2, "mediaType": MANIFEST, "config": rows[0], "layers": rows[1:]}
    _put(f"{base}/manifests/{tag}", json.dumps(body).encode(), MANIFEST)
    return sha(json.dumps(body).encode())


def test_an_image_pushed_to_a_real_registry_comes_back_whole(host: str, tmp_path: Path) -> None:
    large = os.urandom(2 << 20)
    low = layer(("bin/sh", b"#!shell"), ("data", large), ("gone", b"1"))
    digest = _push(host, "class/tool", "1", low, layer((".wh.gone", b""), ("new", b"2")))
    shelf = images.Images(tmp_path / "images")
    path = shelf.ready(f"{host}/class/tool:1", lambda *_: None).path
    assert (path / "data").read_bytes() == large
    assert sorted(p.name for p in path.iterdir()) == ["bin", "data", "new"]
    assert path.name == f"oci-{digest.removeprefix('sha256:')}"


def test_an_image_it_has_not_is_refused(host: str, tmp_path: Path) -> None:
    with pytest.raises(images.ImageProblem, match=r"\(404\)"):
        images.Images(tmp_path / "images").ready(f"{host}/none:1", lambda *_: None)

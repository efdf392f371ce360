"""A registry of images over the OCI distribution API: reading, without an account."""

from __future__ import annotations

import hashlib
import http.client
import json
import re
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from brihaspati.adapters.namespaces import oci, rootfs

Fetch = Callable[[urllib.request.Request], Any]
Pause = Callable[[float], None]
T = TypeVar("T")

_TIMEOUT_SECONDS = 30
_TRIES = 4
_WAIT_SECONDS_MAX = 30.0
_CHUNK = 256 << 10
_TOKEN_BYTES_MAX = 1 << 20
_HOSTS = {"docker.io": "registry-1.docker.io"}
_ACCEPT = ", ".join(oci.INDEXES + oci.MANIFESTS)
_AGAIN = {408, 425, 429, 500, 502, 503, 504}
_FAULTS = (OSError, http.client.HTTPException)


def open_url(request: urllib.request.Request) -> Any:
    """The real way to the network: a response like urlopen's. Raises OSError, HTTPException."""
    return urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS)  # noqa: S310 - http(s) by us


def _is_here(host: str) -> bool:
    name = host.rsplit(":", 1)[0]
    return name == "localhost" or re.fullmatch(r"127(\.\d{1,3}){3}", name) is not None


class _Again(Exception):  # noqa: N818
    """Worth another try; `after_seconds` if the server said when."""

    def __init__(self, why: str, after_seconds: float | None = None) -> None:
        super().__init__(why)
        self.after_seconds = after_seconds


class Registry:
    """One image's registry. A registry on this very machine may be without TLS."""

    def __init__(
        self, image: oci.Reference, fetch: Fetch = open_url, pause: Pause = time.sleep
    ) -> None:
        self._image = image
        scheme = "http" if _is_here(image.host) else "https"
        host = _HOSTS.get(image.host, image.host)
        self._base = f"{scheme}://{host}/v2/{image.name}"
        self._secure = scheme == "https"
        self._fetch = fetch
        self._pause = pause
        self._token: str | None = None

    def document(self, version: str) -> bytes:
        """The index or manifest; of a digest, checked. Raises ImageProblem."""

        def read() -> bytes:
            with self._open(f"manifests/{version}") as response:
                data: bytes = response.read(oci.MANIFEST_BYTES_MAX + 1)
                wanted = response.headers.get("Content-Length")
            if len(data) > oci.MANIFEST_BYTES_MAX:
                raise rootfs.ImageProblem(
                    f"the manifest of {self._image} is absurdly large", "choose another image"
                )
            if wanted is not None and wanted.isdigit() and len(data) < int(wanted):
                raise _Again("the transfer was cut off")
            return data

        data = self._persist(read)
        return oci.check(data, version) if version.startswith("sha256:") else data

    def save(self, blob: oci.Blob, into: Path, progress: Callable[[int], None]) -> None:
        """Store a checked blob; tried again when the line breaks. Raises ImageProblem, OSError."""
        self._persist(lambda: self._save(blob, into, progress))

    def _save(self, blob: oci.Blob, into: Path, progress: Callable[[int], None]) -> None:
        done, seen = 0, hashlib.sha256()
        with self._open(f"blobs/{blob.digest}") as response, into.open("wb") as target:
            while chunk := self._read(response):
                done += len(chunk)
                if done > blob.size:
                    break
                seen.update(chunk)
                target.write(chunk)
                progress(done)
        if done < blob.size:
            raise _Again(f"the transfer was cut off at {done} of {blob.size} bytes")
        if done > blob.size or f"sha256:{seen.hexdigest()}" != blob.digest:
            raise rootfs.ImageProblem(
                f"what {self._image.host} sent is not what the image says "
                f"(digest {blob.digest[:19]}…)",
                "try again; if it stays so, do not trust this registry",
            )

    def _read(self, response: Any) -> bytes:
        try:
            return bytes(response.read1(_CHUNK))
        except _FAULTS as problem:
            raise _Again(f"the transfer was cut off ({_words(problem)})") from problem

    def _persist(self, attempt: Callable[[], T]) -> T:
        """Try a few times, waiting longer each time or as long as the server asks."""
        for tries in range(1, _TRIES + 1):
            try:
                return attempt()
            except _Again as problem:
                if tries == _TRIES:
                    raise rootfs.ImageProblem(
                        f"cannot fetch {self._image} from {self._image.host}: {problem}",
                        "check the network, and proxy settings if there is one, and try again",
                    ) from problem
                wanted = problem.after_seconds
                self._pause(min(0.5 * 2**tries if wanted is None else wanted, _WAIT_SECONDS_MAX))
        raise AssertionError("unreachable")

    def _open(self, path: str) -> Any:
        """An answered request for a part of the image. Raises _Again, ImageProblem."""
        try:
            return self._ask(path)
        except urllib.error.HTTPError as problem:
            problem.close()
            if problem.code != 401:
                raise self._refusal(problem) from problem
            self._token = self._fetch_token(problem.headers.get("WWW-Authenticate", ""))
        except _FAULTS as problem:
            raise self._broken_line(problem) from problem
        try:
            return self._ask(path)
        except urllib.error.HTTPError as problem:
            problem.close()
            raise self._refusal(problem) from problem
        except _FAULTS as problem:
            raise self._broken_line(problem) from problem

    def _ask(self, path: str) -> Any:
        request = urllib.request.Request(f"{self._base}/{path}")  # noqa: S310 - http(s) by us
        request.add_header("Accept", _ACCEPT if path.startswith("manifests/") else "*/*")
        request.add_header("User-Agent", "brihaspati")
        if self._token:
            # Not sent on to wherever we are redirected.
            request.add_unredirected_header("Authorization", f"Bearer {self._token}")
        response = self._fetch(request)
        if self._secure and not response.geturl().startswith("https:"):
            response.close()
            raise rootfs.ImageProblem(
                f"{self._image.host} sends us from a secure line to an open one", "do not use it"
            )
        return response

    def _broken_line(self, problem: OSError | http.client.HTTPException) -> Exception:
        reason = getattr(problem, "reason", problem)
        if isinstance(reason, ssl.SSLCertVerificationError):
            return rootfs.ImageProblem(
                f"{self._image.host} does not prove who it is ({reason.verify_message})",
                "install the certificate of your proxy or registry on this host",
            )
        return _Again(_words(problem))

    def _refusal(self, problem: urllib.error.HTTPError) -> Exception:
        if problem.code in _AGAIN:
            wait = problem.headers.get("Retry-After", "")
            return _Again(f"it answers {problem.code}", float(wait) if wait.isdigit() else None)
        if problem.code in (401, 403, 404):
            return rootfs.ImageProblem(
                f"{self._image.host} has no image {self._image.name} {self._image.version} for "
                f"everybody ({problem.code})",
                "check the spelling; copy a private image with skopeo and use oci:/folder",
            )
        return rootfs.ImageProblem(
            f"{self._image.host} answers {problem.code} {problem.reason}", "try again later"
        )

    def _fetch_token(self, challenge: str) -> str:
        """The token everybody gets. Raises _Again, ImageProblem."""
        kind, _, rest = challenge.partition(" ")
        fields = dict(re.findall(r'(\w+)="([^"]*)"', rest))
        realm = fields.get("realm", "")
        wanted = ("https:",) if self._secure else ("http:", "https:")
        if kind.lower() != "bearer" or not realm.startswith(wanted):
            raise rootfs.ImageProblem(
                f"{self._image.host} wants an account",
                "copy the image with skopeo and use oci:/folder",
            )
        query = {"scope": fields.get("scope") or f"repository:{self._image.name}:pull"}
        if "service" in fields:
            query["service"] = fields["service"]
        url = f"{realm}{'&' if '?' in realm else '?'}{urllib.parse.urlencode(query)}"
        try:
            with self._fetch(urllib.request.Request(url)) as response:  # noqa: S310 - checked
                body = json.loads(response.read(_TOKEN_BYTES_MAX))
        except urllib.error.HTTPError as problem:
            problem.close()
            raise self._refusal(problem) from problem
        except _FAULTS as problem:
            raise self._broken_line(problem) from problem
        except ValueError:
            body = None
        token = (body.get("token") or body.get("access_token")) if isinstance(body, dict) else None
        # A header must stay one line.
        if not isinstance(token, str) or not re.fullmatch(r"[\x21-\x7e]+", token):
            raise rootfs.ImageProblem(
                f"{self._image.host} hands out no usable token", "try again later"
            )
        return token


def _words(problem: BaseException) -> str:
    reason = getattr(problem, "reason", None)
    inner = reason if isinstance(reason, OSError) else problem
    return getattr(inner, "strerror", None) or str(inner) or type(inner).__name__

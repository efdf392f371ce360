"""Which headers pass between a browser and the application in a lab, and how they are changed.

The application believes that it is visited at `localhost:<port>`: that is the Host it is sent, and
an Origin or Referer of the preview itself is translated likewise, so that checks which compare the
two hold, and development servers that know only localhost answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

Headers = list[tuple[str, str]]

_HOP_BY_HOP = frozenset(
    (
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)
_NOT_TO_APPLICATION = _HOP_BY_HOP | {
    "host",
    "cookie",
    "expect",
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
}
# Clearing cookies reaches the whole site, and so the portal, when a lab's domain is of the same.
_NOT_TO_BROWSER = _HOP_BY_HOP | {
    "alt-svc",
    "clear-site-data",
    "origin-agent-cluster",
    "x-frame-options",
}
_WEBSOCKET = "sec-websocket-"
_OURS = re.compile(r"(?:__Host-|__Secure-)?bh_", re.IGNORECASE)
_DOMAIN = re.compile(r";\s*domain\s*=?[^;]*", re.IGNORECASE)
_SITE = re.compile(r";\s*(?:samesite|secure|partitioned)\s*(?:=[^;]*)?(?=;|$)", re.IGNORECASE)
FRAMED = "; Secure; SameSite=None; Partitioned"


def is_ours(cookie: str) -> bool:
    """Whether a cookie of this name belongs to us and never to a lab."""
    return _OURS.match(cookie.strip()) is not None


def cookies(values: Iterable[str]) -> list[tuple[str, str]]:
    """Names and values of Cookie headers, as they came."""
    pairs = (pair.strip().partition("=") for value in values for pair in value.split(";"))
    return [(name, value) for name, _, value in pairs if name or value]


def to_application(
    headers: Iterable[tuple[str, str]], *, host: str, scheme: str, port: int
) -> Headers:
    """A browser's headers as the application gets them; `host` is the preview's own."""
    given = list(headers)
    named = _named_in_connection(given)
    origin, local = f"{scheme}://{host}", f"http://localhost:{port}"
    passed: Headers = [("Host", f"localhost:{port}")]
    for name, value in given:
        low = name.lower()
        if low in _NOT_TO_APPLICATION or low in named or low.startswith(_WEBSOCKET):
            continue
        if (low == "origin" and value == origin) or (
            low == "referer" and value.startswith(f"{origin}/")
        ):
            passed.append((name, local + value[len(origin) :]))
        else:
            passed.append((name, value))
    theirs = [
        f"{name}={value}" if value else name
        for name, value in cookies(v for n, v in given if n.lower() == "cookie")
        if not is_ours(name)
    ]
    if theirs:
        passed.append(("Cookie", "; ".join(theirs)))
    return [*passed, ("X-Forwarded-Host", host), ("X-Forwarded-Proto", scheme)]


def to_browser(
    headers: Iterable[tuple[str, str]], *, port: int, framed_by: Sequence[str], framed: bool
) -> Headers:
    """An application's headers as the browser gets them; `framed_by` are the portal's origins.

    `framed`: it is shown in a frame of a page that the browser holds for another site.
    """
    given = list(headers)
    named = _named_in_connection(given)
    passed: Headers = []
    for name, value in given:
        low = name.lower()
        if low in _NOT_TO_BROWSER or low in named:
            continue
        changed: str | None = value
        if low == "set-cookie":
            changed = set_cookie(value, framed=framed)
        elif low == "location":
            changed = location(value, port)
        elif low == "content-security-policy":
            changed = without_frame_ancestors(value)
        if changed:
            passed.append((name, changed))
    return [*passed, *guards(framed_by)]


def guards(framed_by: Sequence[str]) -> Headers:
    """The headers that every answer of a preview carries.

    A policy of its own, beside the application's: browsers keep to all of them.
    """
    return [
        ("Content-Security-Policy", "frame-ancestors 'self' " + " ".join(framed_by)),
        ("Origin-Agent-Cluster", "?1"),
    ]


def set_cookie(value: str, *, framed: bool = False) -> str | None:
    """A lab's cookie, for its own host only; None if its name is one of ours.

    In a frame of another site a browser keeps only partitioned cookies, so it becomes one.
    """
    if is_ours(value.partition("=")[0]):
        return None
    own = _DOMAIN.sub("", value)
    return _SITE.sub("", own) + FRAMED if framed else own


def location(value: str, port: int) -> str:
    """A redirect to the application's own address inside becomes one to the preview."""
    own = [f"http://{name}:{port}" for name in ("127.0.0.1", "localhost")]
    if port == 80:
        own += ["http://127.0.0.1", "http://localhost"]
    for base in own:
        if value == base:
            return "/"
        if value.startswith((base + "/", base + "?", base + "#")):
            rest = value[len(base) :]
            # Two slashes would name another host.
            return "/" + rest.lstrip("/") if rest.startswith("/") else "/" + rest
    return value


def without_frame_ancestors(policy: str) -> str:
    """A content security policy less the directive that would keep the lab page from showing it."""
    policies = []
    for one in policy.split(","):
        kept = [
            part.strip()
            for part in one.split(";")
            if part.strip() and part.split()[0].lower() != "frame-ancestors"
        ]
        if kept:
            policies.append("; ".join(kept))
    return ", ".join(policies)


def _named_in_connection(headers: Iterable[tuple[str, str]]) -> set[str]:
    """Further headers that are only for the next hop."""
    return {
        token.strip().lower()
        for name, value in headers
        if name.lower() == "connection"
        for token in value.split(",")
    }

"""The web app as Netlify serves it: the rules lead right, and pages keep to the policy."""

from __future__ import annotations

import http.client
import os
import pathlib
import subprocess
import urllib.parse
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, expect

from brihaspati.entrypoints.cli.fresh import FreshServer
from browsing import Faults
from edge import edge

# A build on a busy machine, where nothing of an earlier one was kept, takes minutes.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

ROOT = pathlib.Path(__file__).parents[2]
API = "https://api.example.org"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, server: FreshServer) -> Iterator[str]:
    """Built with the settings of a site, and served with all its rules."""
    folder = tmp_path_factory.mktemp("site") / "dist"
    settings = {"PORTAL_API": API, "PORTAL_LABS": "lab.example.org"}
    subprocess.run(
        ["npm", "run", "--silent", "build", "--", "--outDir", str(folder), "--emptyOutDir"],
        cwd=ROOT / "web",
        env={**os.environ, **settings, "NODE_ENV": "production"},
        check=True,
        capture_output=True,
    )
    with edge(folder, ROOT / "netlify.toml", API, server.address) as address:
        yield address


def _get(site: str, path: str) -> tuple[int, http.client.HTTPMessage, bytes]:
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(site).netloc, timeout=20)
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, answer.headers, answer.read()


def test_each_address_leads_where_it_should(site: str) -> None:
    index = _get(site, "/")[2]
    for page in ("/join/MARI-GOLD", "/c/demo", "/c/demo/labs/hello", "/nowhere"):
        assert _get(site, page)[::2] == (200, index), page
    assert _get(site, "/assets/of-an-older-deploy.js")[0] == 404
    status, headers, body = _get(site, "/v1/health")
    assert (status, headers["content-type"]) == (200, "application/json")
    assert b"<html" not in body


def test_only_files_named_by_their_content_are_kept_for_ever(site: str) -> None:
    assert "immutable" not in (_get(site, "/join")[1]["cache-control"] or "")
    index = _get(site, "/")[2].decode()
    script = index.split('<script type="module" crossorigin src="')[1].split('"')[0]
    status, headers, _ = _get(site, script)
    assert (status, "immutable" in headers["cache-control"]) == (200, True)
    assert "default-src 'none'" in headers["content-security-policy"]


def test_a_student_joins_without_breaking_the_policy(
    site: str, server: FreshServer, ipad: BrowserContext, faults: Faults
) -> None:
    page = ipad.new_page()
    page.goto(f"{site}/join/{server.code}")
    page.get_by_role("textbox", name="Your name").fill("Netta")
    page.get_by_role("button", name="Join class").click()
    expect(page.get_by_role("heading", name="Netta")).to_be_visible()
    expect(page.get_by_role("listitem").first).to_be_visible()
    page.get_by_role("button", name="Menu of Netta").click()
    expect(page.get_by_role("menuitem").first).to_be_visible()
    assert faults == []


def test_a_script_that_is_not_ours_is_refused(
    site: str, ipad: BrowserContext, faults: Faults
) -> None:
    page = ipad.new_page()
    page.goto(f"{site}/join")
    expect(page.get_by_role("button", name="Join class")).to_be_visible()
    ran = page.evaluate(
        """() => {
          const script = document.createElement('script')
          script.textContent = 'window.foreign = true'
          document.head.append(script)
          return window.foreign === true
        }"""
    )
    assert ran is False
    assert faults.beyond("Content Security Policy") == []
    assert len(faults) == 1

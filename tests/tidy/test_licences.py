"""Every locked Python package may be used, changed and sold by anyone."""

from __future__ import annotations

import importlib.metadata
import re

from tidy import tracked

PERMISSIVE = re.compile(r"\b(MIT|MIT-0|BSD|ISC|Apache|PSF|Python Software|Mozilla|MPL)\b")
PINNED = re.compile(r"^([a-z0-9][a-z0-9._-]*)==", re.MULTILINE)


def _locked() -> list[str]:
    return PINNED.findall(tracked.text("requirements-dev.lock"))


def _licence(package: str) -> str:
    """What the package says of its licence; if nothing, the start of the licence's text."""
    found = importlib.metadata.distribution(package)
    fields = ("License-Expression", "License", "Classifier")
    said = [text for field in fields for text in found.metadata.get_all(field) or []]
    texts = [f.read_text() for f in found.files or [] if f.name.upper().startswith("LICENSE")]
    return "\n".join([*said, *(text[:100] for text in texts)])


def test_every_locked_package_has_a_permissive_licence() -> None:
    faults = {}
    for package in _locked():
        try:
            licence = _licence(package)
        except importlib.metadata.PackageNotFoundError:
            continue  # locked for another platform or Python
        if not PERMISSIVE.search(licence):
            faults[package] = licence
    assert not faults

"""Zips of functions, as the tests look into them."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from packing import build, functions, wheels


@dataclass(frozen=True)
class Built:
    """A function's zip, opened."""

    package: build.Package
    files: Mapping[str, bytes]


def built(architecture: str, folder: Path) -> dict[str, Built]:
    try:
        wheels.lambda_python()
    except wheels.CannotPack as missing:
        pytest.skip(str(missing))
    found = {}
    for package in build.build(architecture, folder=folder, handlers=handlers()):
        with zipfile.ZipFile(package.path) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
        found[package.function.name] = Built(package, files)
    return found


def handlers() -> dict[str, str]:
    try:
        return {one.name: one.module for one in functions.functions()}
    except functions.NoFunctions:
        return {"student": "brihaspati.entrypoints.http.api"}

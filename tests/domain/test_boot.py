"""The user data of rented machines, and what happens in a fresh machine."""

from __future__ import annotations

import base64
import os
import subprocess

import pytest
import yaml

from brihaspati.domain import boot, firstboot, labs
from brihaspati.engine import world
from brihaspati_agent import sorting

BOOT = boot.Boot("https://app.example.org", "ab" * 32)
TOLD = boot.Told("bh-production12-" + "a" * 12 + "-a99-" + "m" * 20, "a" * 12, "t" * 43)


def test_user_data_fits_both_clouds_whatever_the_lab() -> None:
    """The lab itself comes with the bootstrap: its size does not matter here."""
    text = boot.user_data(BOOT, TOLD)
    assert len(text.encode()) < boot.BYTES_MAX / 2
    root = "-----BEGIN CERTIFICATE-----\n" + "A" * 4000
    assert len(boot.user_data(boot.Boot(BOOT.url, "ab" * 32, root), TOLD).encode()) < boot.BYTES_MAX


def test_user_data_is_cloud_config_whose_scripts_can_be_read() -> None:
    config = yaml.safe_load(boot.user_data(BOOT, TOLD))
    files = {f["path"]: f for f in config["write_files"]}
    assert files[f"{boot.FOLDER}/boot.json"]["permissions"] == "0600"
    compile(files[f"{boot.FOLDER}/run.py"]["content"], "run.py", "exec")
    deadman = files[f"{boot.FOLDER}/deadman.sh"]["content"]
    for script in (deadman, config["runcmd"][0][2]):
        subprocess.run(["sh", "-n"], input=script.encode(), check=True)


def test_strangers_cannot_use_up_what_the_service_may_have_open() -> None:
    assert f"LimitNOFILE={boot.OPEN_MAX}:" in boot.SERVICE
    assert f"ulimit -Sn {boot.OPEN_MAX}" in boot.START
    assert 2 * (sorting.OPEN_MAX + sorting.WAITING_MAX) < boot.OPEN_MAX


@pytest.mark.parametrize("unit", [boot.SERVICE, boot.DEADMAN_SERVICE])
def test_systemd_starts_again_what_is_killed_however_often(unit: str) -> None:
    about = unit.partition("[Service]")[0]
    assert about.startswith("[Unit]\n")
    assert "StartLimitIntervalSec=0" in about
    assert "Restart=always" in unit


def test_what_runs_in_the_lab_does_not_end_with_the_agent() -> None:
    assert "KillMode=process" in boot.SERVICE


@pytest.mark.parametrize("secret", ["PRIVATE", "password", "dop_v1"])
def test_user_data_holds_no_other_secret(secret: str) -> None:
    assert secret not in boot.user_data(BOOT, TOLD)


def test_a_fresh_machine_gets_user_files_and_setup_in_one_script() -> None:
    file = labs.LabFile("/srv/a", b"hello", 0o600)
    spec = labs.MachineSpec("main", user="student", files=(file,), setup="true")
    text = firstboot.script(spec).decode()
    assert base64.b64encode(b"hello").decode() in text
    assert firstboot.needed(spec)
    plain = labs.MachineSpec("main")
    assert not firstboot.needed(plain)
    subprocess.run(["sh", "-n"], input=firstboot.script(plain), check=True)


@pytest.mark.root
@pytest.mark.parametrize(
    ("setup", "said"),
    [
        ("echo one", "one"),
        ("#!/bin/bash\necho ${BASH_VERSION:+two}", "two"),
        ("#! /usr/bin/env -S python3 -B\nprint(1 + 2)", "3"),
    ],
)
def test_a_setup_runs_where_nothing_in_run_may_be_executed(setup: str, said: str) -> None:
    """As on every machine with systemd."""
    if os.geteuid() != 0:
        pytest.skip("mounts need root")
    script = firstboot.script(labs.MachineSpec("main", setup=f"{setup}\n"))
    mounts = "mount -t tmpfs -o noexec tmpfs /run && sh -s && cat /run/.brihaspati-setup.log"
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", mounts], input=script, capture_output=True, check=False
    )
    assert (done.stdout.decode().strip(), done.stderr) == (said, b"")


def test_where_nothing_is_rented_no_machine_is_believed() -> None:
    assert not world.nobody_is_believed(b"", b"", b"")

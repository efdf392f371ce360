"""The order of files: what takes longest goes first, and is not begun when all others are done.

What mostly waits lies between what works with a browser or builds, so that neither all cores are
idle nor all that runs has a browser; the many quick files at the end share what is left evenly.
"""

from __future__ import annotations

from pathlib import Path

import hypothesis
import pytest

# A busy machine is late, which is not wrong.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")

HERE = Path(__file__).parent
# More than about eight seconds on two cores: in turn what waits and what works, longest first.
LONGEST = (
    "rehearsal/test_story.py",
    "e2e/test_access.py",
    "server/test_bad_days.py",
    "e2e/test_weather.py",
    "rented/test_hard_days.py",
    "rented/test_browser.py",
    "server/test_cli.py",
    "e2e/test_devices.py",
    "amazon/test_machine_life.py",
    "e2e/test_preflight.py",
    "rented/test_machine_life.py",
    "e2e/test_netlify.py",
    "cloudsim/test_machines.py",
    "e2e/test_guide.py",
    "amazon/test_permissions.py",
    "zips/test_packages.py",
    "contracts/providers/test_limits.py",
    "e2e/test_board.py",
    "labs/test_trial.py",
    "e2e/test_previews.py",
    "contracts/providers/test_provider.py",
    "e2e/test_joining.py",
    "contracts/providers/test_place.py",
    "namespaces_images/test_debian.py",
    "rented/test_deadman.py",
    "deploy/test_template.py",
    "e2e/test_weight.py",
    "e2e/test_sizes.py",
    "rented/test_rush.py",
    "server/test_torture.py",
    "namespaces/test_escape.py",
    "simulation/test_rush.py",
    "tidy/test_contracts.py",
    "server/test_raw_requests.py",
    "simulation/test_simulation.py",
    "e2e/test_student.py",
    "amazon/test_commands.py",
    "namespaces_network/test_egress.py",
    "tidy/test_tidy.py",
    "cloudsim/test_sdks.py",
    "sqlite/test_kill.py",
    "server/test_audit.py",
    "contracts/test_store_second_opinion.py",
    "contracts/test_store_model.py",
    "e2e/test_endings.py",
    "rented/test_storm.py",
    "labs/test_commands.py",
)


def pytest_configure() -> None:
    gone = [name for name in LONGEST if not (HERE / name).exists()]
    if gone:
        raise pytest.UsageError(f"tests/conftest.py: LONGEST names what is not there: {gone}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    place = {HERE / name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path, len(LONGEST)))

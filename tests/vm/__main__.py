"""`make vm-test`: a lab on a true machine of each provider, from Play to gone.

The create goes over the stand-in's API; user data, which is the product's own, is found by
cloud-init's own source for the provider, through firmware and metadata service; systemd runs the
product's units. Some minutes each; not in `make test`.
"""

from __future__ import annotations

import subprocess
import sys

from vm import disks, life


def main(chosen: list[str]) -> int:
    """Play at the providers named, or all; exit status 1 if one does not do what it should."""
    steps, failed = life.Steps(), 0
    for provider in chosen or [*life.SYSTEMS]:
        suite, source = life.SYSTEMS[provider]
        disks.disk(disks.FOLDER, suite, source, steps.tell)  # while there is a network
        words = ["unshare", "--net", "--", sys.executable, "-m", "vm.life", provider]
        failed += subprocess.run(words, check=False).returncode != 0
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Makes one image ready in a process of its own: `program.py FOLDER IMAGE`. Says what it does."""

from __future__ import annotations

import sys
from pathlib import Path

from brihaspati.adapters.namespaces import images


def main() -> None:
    folder, image = sys.argv[1:]
    shelf = images.Images(Path(folder))
    sys.stdout.write("started\n")
    try:
        found = shelf.ready(image, lambda what, _: print(what, flush=True))  # noqa: T201
    except images.ImageProblem as problem:
        sys.stdout.write(f"problem: {problem}\n")
    else:
        sys.stdout.write(f"path: {found.path}\n")


if __name__ == "__main__":
    main()

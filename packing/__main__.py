"""`make package`: build the zips, print their sizes, and the resources of the template."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from packing import build, wheels
from packing.functions import ROOT, NoFunctions

TEMPLATE = ROOT / ".serverless" / "cloudformation-template-update-stack.json"
MEGA = 1024 * 1024


@click.command()
@click.option(
    "--architecture",
    type=click.Choice(sorted(wheels.PLATFORMS)),
    default="arm64",
    show_default=True,
)
@click.option("--folder", type=click.Path(path_type=Path), default=build.BUILT)
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
def main(architecture: str, folder: Path, *, as_json: bool) -> None:
    """Build one zip for each function, under build/lambda/ARCHITECTURE/."""
    try:
        packages = build.build(architecture, folder=folder)
    except (wheels.CannotPack, NoFunctions) as error:
        sys.stderr.write(f"package: {error}\n")
        sys.exit(2)
    if as_json:
        click.echo(json.dumps({one.function.name: one.size for one in packages}))
    else:
        for one in packages:
            _tell(one)
        click.echo(_resources(TEMPLATE))
    large = [one.function.name for one in packages if one.size > build.BYTES_MAX]
    if large:
        sys.stderr.write(f"package: larger than {build.BYTES_MAX} B: {', '.join(large)}\n")
        sys.exit(1)


def _tell(one: build.Package) -> None:
    size, unpacked = one.size / MEGA, one.unpacked / MEGA
    path = one.path.relative_to(ROOT) if one.path.is_relative_to(ROOT) else one.path
    names = ", ".join(one.packages)
    click.echo(f"{size:5.2f} MB ({unpacked:5.1f} unpacked)  {path}  with {names}")


def _resources(template: Path) -> str:
    """How many of CloudFormation's 500 resources the packaged template has."""
    if not template.exists():
        return "resources: not counted, `npx serverless package` has not made the template"
    count = len(json.loads(template.read_text())["Resources"])
    return f"resources: {count} of 500"


if __name__ == "__main__":
    main()

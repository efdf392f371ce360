"""Methods of dataclasses, compiled ahead.

Python writes the methods of each dataclass as text, and compiles that, whenever its module is
imported: 180 of them, a third of others' packages, are a quarter of a cold start. Here Lambda's
Python imports our modules once, and the texts become a module of the zip, compiled as all are. When
it is loaded, `dataclasses` looks there first. A text that is not there is compiled as ever.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path

from packing import wheels

NAME = "brihaspati_prepared"
# As the text of dataclasses names what makes the methods.
_MAKER = "__create_fn__"
_RECORD = """
import builtins, dataclasses, importlib, json, sys
texts = set()
def noted(text, space, names):
    texts.add(text)
    builtins.exec(text, space, names)
dataclasses.exec = noted
sys.path[:0] = sys.argv[1:3]
for name in sys.argv[3:]:
    try:
        importlib.import_module(name)
    except ImportError:
        pass
print(json.dumps(sorted(texts)))
"""
_INSTALL = f"""
def _exec(text, space, names):
    code = _MADE.get(text)
    if code is None:
        builtins.exec(text, space, names)
    else:
        names[{_MAKER!r}] = types.FunctionType(code, space)
dataclasses.exec = _exec
"""


def source(python: str, folder: Path, others: wheels.Wheels, modules: Iterable[str]) -> str:
    """The module, made of what can be imported of a folder with `others`, which run here.

    What needs Lambda's own packages cannot. Raises CannotPack.
    """
    command = [python, "-S", "-B", "-E", "-c", _RECORD, str(folder), str(others.folder)]
    command += sorted(modules)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise wheels.CannotPack(f"our modules cannot be imported: {done.stderr.strip()[-500:]}")
    parts = ["import builtins, dataclasses, types", "_MADE = {}"]
    for text in json.loads(done.stdout):
        parts += [text, f"_MADE[{text!r}] = {_MAKER}.__code__"]
    return "\n".join([*parts, _INSTALL])

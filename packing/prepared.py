"""Methods of dataclasses, compiled ahead.

Python writes the methods of each dataclass as text, and compiles that, whenever its module is
imported: a hundred of them are a sixth of a cold start. Here Lambda's Python imports our modules
once, and the texts become a module of the zip, in which they are compiled. When it is loaded,
`dataclasses` looks there first. A text that is not there is compiled as ever.
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
sys.path.insert(0, sys.argv[1])
for name in sys.argv[2:]:
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


def source(python: str, folder: Path, modules: Iterable[str]) -> str:
    """The module, made of what can be imported of a folder without others' packages.

    Raises CannotPack.
    """
    command = [python, "-S", "-B", "-E", "-c", _RECORD, str(folder), *sorted(modules)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise wheels.CannotPack(f"our modules cannot be imported: {done.stderr.strip()[-500:]}")
    parts = ["import builtins, dataclasses, types", "_MADE = {}"]
    for text in json.loads(done.stdout):
        parts += [text, f"_MADE[{text!r}] = {_MAKER}.__code__"]
    return "\n".join([*parts, _INSTALL])

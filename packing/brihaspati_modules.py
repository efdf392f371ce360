"""Finds the modules of a zip in one file beside this one, which is all that is opened for them.

Packing puts a copy of this into each zip. To look for a module in every folder of the path, to look
at its file, to open and to read it takes as long as many a module does; a start needs 190.
"""

from __future__ import annotations

import importlib.util
import marshal
import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourcelessFileLoader
from types import CodeType, ModuleType

FILE = "brihaspati_modules.bin"
# Python's magic number in four bytes, and in four more, little-endian, the length of the next: a
# marshalled list of where the byte code of each module begins after it, how long that is, whether
# the module is a package, and what its file would be called. Then the byte code of all.
Entry = tuple[int, int, bool, str]
HEAD = 8


class Modules:
    """The modules of one file, for `sys.meta_path`. Raises ImportError: another Python made it."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._file = os.open(os.path.join(folder, FILE), os.O_RDONLY)  # noqa: PTH118 - no pathlib yet
        head = os.pread(self._file, HEAD, 0)
        if head[:4] != importlib.util.MAGIC_NUMBER:
            raise ImportError(f"the zip is packed for another Python than {sys.version}")
        length = int.from_bytes(head[4:], "little")
        self._begin = HEAD + length
        listed = os.pread(self._file, length, HEAD)
        self._known: dict[str, Entry] = marshal.loads(listed)  # noqa: S302 - the zip's own

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """As Python asks a finder. None for what is not in the file."""
        del path, target
        entry = self._known.get(name)
        if entry is None:
            return None
        _, _, package, file = entry
        origin = f"{self._folder}/{file}"
        spec = ModuleSpec(name, _Loader(self, name, origin), origin=origin, is_package=package)
        spec.has_location, spec.cached = True, origin
        if spec.submodule_search_locations is not None:  # libraries and data lie there
            spec.submodule_search_locations.append(origin.rpartition("/")[0])
        return spec

    def code(self, name: str) -> CodeType:
        """The byte code of a module."""
        begin, length, _, _ = self._known[name]
        code = os.pread(self._file, length, self._begin + begin)
        found: CodeType = marshal.loads(code)  # noqa: S302 - the zip's own, as .pyc files are
        return found


class _Loader(SourcelessFileLoader):
    def __init__(self, modules: Modules, name: str, path: str) -> None:
        super().__init__(name, path)
        self._modules = modules

    def get_code(self, fullname: str) -> CodeType:
        return self._modules.code(fullname)


def install() -> None:
    """From now on modules are looked for in the file before they are in folders."""
    modules = Modules(__file__.rpartition("/")[0])
    sys.meta_path.insert(sys.meta_path.index(PathFinder), modules)

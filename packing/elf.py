"""Libraries without what only a debugger reads: nine tenths of PyNaCl's.

Whoever loads a library looks at its program headers alone. What no segment covers, as debugging
information, symbol tables and the section headers that tell of both, is left off.
"""

from __future__ import annotations

import struct

MAGIC = b"\x7fELF\x02\x01"  # of 64 bits, little-endian: both processors of Lambda
_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_PROGRAM = struct.Struct("<IIQQQQQQ")


def loaded(library: bytes) -> bytes:
    """The part of a library that is loaded. What is no such library is given back as it is."""
    if not library.startswith(MAGIC):
        return library
    fields = list(_HEADER.unpack_from(library))
    begin, size, count = fields[5], fields[9], fields[10]
    ends = [begin + size * count]
    for at in range(count):
        _, _, offset, _, _, in_file, _, _ = _PROGRAM.unpack_from(library, begin + at * size)
        ends.append(offset + in_file)
    fields[6] = fields[12] = fields[13] = 0  # where sections are, how many, which has their names
    return _HEADER.pack(*fields) + library[_HEADER.size : max(ends)]

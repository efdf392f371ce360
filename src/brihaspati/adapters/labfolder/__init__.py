"""Labs as folders: `read` one, `read_all` below a root, or learn all that is wrong with them."""

from brihaspati.adapters.labfolder.problems import LabProblems, Problem
from brihaspati.adapters.labfolder.reading import json_schema, read, read_all, version

__all__ = ["LabProblems", "Problem", "json_schema", "read", "read_all", "version"]

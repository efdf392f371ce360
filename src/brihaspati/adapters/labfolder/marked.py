"""YAML read into values that remember their line.

Plain words mean what YAML 1.2 says: `no`, `on` and `12:30` are text, `0256` is 256. Anchors, tags
and several documents are refused: a lab file is short, and each of them hides what a line says.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml
from yaml.composer import Composer
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.resolver import BaseResolver
from yaml.scanner import Scanner

from brihaspati.adapters.labfolder.problems import Report

DEPTH_MAX = 12
_TAG = "tag:yaml.org,2002:"
_SPACES = "Check the line and the one above it: indent with spaces, and put odd text in quotes."

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Tree:
    """A value and the line it starts on. `key_lines` is filled for mappings.

    `text_line` is where the first line of a text stands: below its `|` or `>`, else the same.
    """

    value: Scalar | dict[str, Tree] | list[Tree]
    line: int
    key_lines: dict[str, int] = field(default_factory=dict)
    text_line: int = 0

    @property
    def members(self) -> dict[str, Tree]:
        """The mapping, or an empty one when this is something else."""
        return self.value if isinstance(self.value, dict) else {}

    def __iter__(self) -> Iterator[Tree]:
        return iter(self.value if isinstance(self.value, list) else ())

    def get(self, key: str) -> Tree | None:
        """The member of this name, if it is there."""
        return self.members.get(key)

    def text(self, key: str, default: str = "") -> str:
        """A member that the schema says is text."""
        found = self.members.get(key)
        return found.value if found and isinstance(found.value, str) else default

    def whole(self, key: str, default: int = 0) -> int:
        """A member that the schema says is a whole number."""
        found = self.members.get(key)
        return found.value if found and isinstance(found.value, int) else default

    def number(self, key: str, default: float = 0.0) -> float:
        """A member that the schema says is a number."""
        found = self.members.get(key)
        return float(found.value) if found and isinstance(found.value, int | float) else default

    def truth(self, key: str) -> bool:
        """A member that the schema says is true or false; false when it is absent."""
        found = self.members.get(key)
        return found is not None and found.value is True

    def each(self, key: str) -> list[Tree]:
        """The items of a list member; none when it is absent."""
        found = self.members.get(key)
        return list(found) if found else []

    def texts(self, key: str) -> tuple[str, ...]:
        """The items of a list of texts."""
        return tuple(str(item.value) for item in self.each(key))

    def line_of(self, key: str) -> int:
        """Where a member is written, or where it would be."""
        return self.key_lines.get(key, self.line)


class _Loader(Reader, Scanner, Parser, Composer, BaseResolver):
    """PyYAML's reader up to nodes, with the plain words of YAML 1.2 and no anchors."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)
        BaseResolver.__init__(self)
        self.depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """As PyYAML's, but never deeper than DEPTH_MAX and never through an alias."""
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise yaml.composer.ComposerError(
                None, None, "anchors (&) and aliases (*) are not used here", event.start_mark
            )
        self.depth += 1
        if self.depth > DEPTH_MAX:
            raise yaml.composer.ComposerError(None, None, "nested too deeply", event.start_mark)
        node: yaml.Node | None = Composer.compose_node(self, parent, index)
        self.depth -= 1
        return node


for _name, _pattern in (
    ("null", r"|~|null|Null|NULL"),
    ("bool", r"true|True|TRUE|false|False|FALSE"),
    ("int", r"[-+]?[0-9]{1,15}"),
    (
        "float",
        (
            r"[-+]?(?:\.[0-9]{1,15}|[0-9]{1,15}(?:\.[0-9]{0,15})?)(?:[eE][-+]?[0-9]{1,3})?"
            r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
        ),
    ),
):
    _Loader.add_implicit_resolver(_TAG + _name, re.compile(rf"^(?:{_pattern})\Z"), None)


def _scalar(node: yaml.ScalarNode) -> Scalar:
    text: str = node.value
    match node.tag.removeprefix(_TAG):
        case "null":
            return None
        case "bool":
            return text.lower() == "true"
        case "int":
            return int(text)
        case "float":
            bare = text.lower().lstrip("+-")
            special = {".inf": math.inf, ".nan": math.nan}
            return special[bare] if bare in special else float(text)
    return text


class _Planter:
    """Turns nodes into trees, noting what a mapping must not have."""

    def __init__(self, file: str, report: Report) -> None:
        self.file = file
        self.report = report

    def tree(self, node: yaml.Node) -> Tree:
        line = node.start_mark.line + 1
        self._tag(node, line)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, line)
        if isinstance(node, yaml.SequenceNode):
            return Tree([self.tree(item) for item in node.value], line)
        assert isinstance(node, yaml.ScalarNode)
        return Tree(_scalar(node), line, text_line=line + (node.style in {"|", ">"}))

    def _tag(self, node: yaml.Node, line: int) -> None:
        if node.tag.removeprefix(_TAG) not in {
            "null", "bool", "int", "float", "str", "map", "seq",
        }:  # fmt: skip
            self.report.add(
                self.file, line, f"The tag {node.tag} is not used here.", "Write the plain value."
            )

    def _mapping(self, node: yaml.MappingNode, line: int) -> Tree:
        members: dict[str, Tree] = {}
        lines: dict[str, int] = {}
        for key, value in node.value:
            name = str(key.value) if isinstance(key, yaml.ScalarNode) else "?"
            at = key.start_mark.line + 1
            if name in members:
                self.report.add(
                    self.file,
                    at,
                    f"`{name}` is written twice (first on line {lines[name]}).",
                    "Keep one of the two.",
                )
                continue
            members[name] = self.tree(value)
            lines[name] = at
        return Tree(members, line, lines)


def parse(text: str, file: str, report: Report) -> Tree | None:
    """The file as a tree, or None when it is not YAML at all (the report then says why)."""
    try:
        node = _Loader(text).get_single_node()
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        report.add(file, line, "A control character is in the text.", "Remove it.")
        return None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        report.add(file, line, *_explained(str(error.problem or error.context)))
        return None
    if node is None:
        report.add(file, 1, "The file is empty.", "Start it with `schema: 1`.")
        return None
    return _Planter(file, report).tree(node)


def _explained(problem: str) -> tuple[str, str]:
    if "\\t" in problem:
        return "A tab is used where YAML allows only spaces.", "Indent with spaces."
    if "anchors" in problem:
        return f"{problem[0].upper()}{problem[1:]}.", "Write the value out where it is needed."
    if "but found another document" in problem:
        return "The file holds more than one YAML document.", "Keep one; remove the `---` line."
    return f"This is not valid YAML: {problem}.", _SPACES

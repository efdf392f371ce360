"""The files of a lab folder, read with limits. Nothing outside the folder is ever opened."""

from __future__ import annotations

import base64
import os
import stat
from pathlib import Path

from brihaspati.adapters.labfolder.problems import Report
from brihaspati.domain import labs

TEXT_BYTES_MAX = 256 * 1024
SCRIPT_BYTES_MAX = 64 * 1024
IMAGE_BYTES_MAX = 96 * 1024
FILE_BYTES_MAX = 8 * 1024 * 1024
FILES_MAX = 1000

_IMAGE_KINDS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
)


def _names_shell(words: list[str]) -> bool:
    names = [word.rpartition("/")[2] for word in words]
    if names[:1] == ["env"]:
        names = names[1:]
    return names[:1] in (["sh"], ["bash"])


class Contents:
    """Reads what lab.yaml and the steps name. `file` and `line` say where it was named."""

    def __init__(self, folder: Path, report: Report) -> None:
        self.folder = folder
        self.report = report
        self._real = folder.resolve()

    def _found(self, name: str, file: str, line: int) -> Path | None:
        path = self.folder / name
        if not path.resolve().is_relative_to(self._real):
            self.report.add(
                file,
                line,
                f"{name} leads out of the lab folder.",
                "Put a copy into the folder instead of a link.",
            )
            return None
        if not path.exists():
            self.report.add(file, line, f"{name} does not exist.", "Create it, or fix the path.")
            return None
        return path

    def data(self, name: str, file: str, line: int, bytes_max: int) -> bytes | None:
        """The bytes of a regular file, or None with the reason in the report."""
        path = self._found(name, file, line)
        if path is None:
            return None
        if not path.is_file():
            self.report.add(file, line, f"{name} is not a regular file.", "Name a file here.")
            return None
        try:
            with path.open("rb") as opened:
                data = opened.read(bytes_max + 1)
        except OSError as error:
            fix = "Make it readable for the user Brihaspati runs as."
            self.report.add(file, line, f"{name} cannot be read: {error.strerror}.", fix)
            return None
        if len(data) > bytes_max:
            size, most = path.stat().st_size // 1024, bytes_max // 1024
            self.report.add(
                name, 1, f"The file is {size} KiB; the most is {most} KiB.", "Make it smaller."
            )
            return None
        return data

    def text(self, name: str, file: str, line: int, bytes_max: int = TEXT_BYTES_MAX) -> str | None:
        """A UTF-8 text with unix line ends."""
        data = self.data(name, file, line, bytes_max)
        if data is None:
            return None
        bad = data.find(b"\0")
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            bad = error.start if bad < 0 else min(bad, error.start)
        if bad >= 0:
            at = data.count(b"\n", 0, bad) + 1
            self.report.add(name, at, "This is not text in UTF-8.", "Save the file as UTF-8 text.")
            return None
        return text.replace("\r\n", "\n")

    def script(self, name: str, file: str, line: int) -> str | None:
        """A shell script; one that names another interpreter is refused."""
        text = self.text(name, file, line, SCRIPT_BYTES_MAX)
        if text is None:
            return None
        first = text.partition("\n")[0]
        if first.startswith("#!") and not _names_shell(first[2:].split()):
            self.report.add(
                name, 1, f"The script is not for a shell ({first}).", "Start it with #!/bin/bash."
            )
            return None
        return text

    def image(self, name: str, file: str, line: int) -> str | None:
        """A small picture as a data: URI."""
        data = self.data(name, file, line, IMAGE_BYTES_MAX)
        if data is None:
            return None
        kind = next((kind for magic, kind in _IMAGE_KINDS if data.startswith(magic)), None)
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            kind = "image/webp"
        if kind is None:
            fix = "Save the picture in one of these formats."
            self.report.add(file, line, f"{name} is not a PNG, JPEG, GIF or WebP picture.", fix)
            return None
        return f"data:{kind};base64,{base64.b64encode(data).decode()}"

    def placed(self, name: str, file: str, line: int, bytes_max: int) -> tuple[labs.LabFile, ...]:
        """Every file below a folder, as it is to be placed in a machine; sorted by path."""
        top = self._found(name, file, line)
        if top is None:
            return ()
        if not top.is_dir():
            self.report.add(file, line, f"{name} is not a folder.", "Name a folder here.")
            return ()
        found: list[labs.LabFile] = []
        total = 0
        for path in self._walk(top, file, line):
            inside = path.relative_to(self.folder).as_posix()
            data = self.data(inside, file, line, FILE_BYTES_MAX)
            if data is None:
                continue
            total += len(data)
            mode = 0o755 if path.stat().st_mode & 0o111 else 0o644
            found.append(labs.LabFile("/" + path.relative_to(top).as_posix(), data, mode))
        if total > bytes_max:
            size, most = -(-total // 2**20), bytes_max // 2**20
            message = f"The files in {name} need {size} MiB of a disk of {most} MiB."
            self.report.add(file, line, message, "Raise disk_mb, or place less.")
        return tuple(sorted(found, key=lambda item: item.path))

    def _walk(self, top: Path, file: str, line: int) -> list[Path]:
        found: list[Path] = []
        for folder, folders, names in os.walk(top):
            folders.sort()
            for name in [*folders, *names]:
                path = Path(folder) / name
                inside = path.relative_to(self.folder).as_posix()
                mode = path.lstat().st_mode
                if not inside.isprintable():
                    fix = "Rename it: printable characters in UTF-8 only."
                    self.report.add(file, line, f"{inside!a} is no usable name.", fix)
                elif stat.S_ISLNK(mode):
                    fix = "Make the link in the setup script with `ln -s`."
                    self.report.add(inside, 1, "This is a symbolic link.", fix)
                elif stat.S_ISREG(mode):
                    found.append(path)
                elif not stat.S_ISDIR(mode):
                    self.report.add(inside, 1, "This is not a regular file.", "Remove it.")
            if len(found) > FILES_MAX:
                message = f"{top.name} has more than {FILES_MAX} files."
                self.report.add(file, line, message, "Place an archive and unpack it in the setup.")
                return []
        return found

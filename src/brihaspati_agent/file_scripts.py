"""What the files socket runs inside a machine: POSIX shell, for images with nothing but busybox.

The machine's own user runs them, so they can do what the student can do in a terminal, no more.
Arguments come as `$1`, `$2`, never as part of a script. How one ends is its exit status.
"""

from __future__ import annotations

from collections.abc import Mapping

MISSING, WRONG_KIND, EXISTS, CHANGED, DENIED, NOT_REGULAR, DISK = 3, 4, 5, 6, 7, 8, 10

SAID: Mapping[int, tuple[str, str]] = {
    MISSING: ("missing", "there is no such file or folder"),
    EXISTS: ("exists", "something of this name is there already"),
    CHANGED: ("changed", "the file was changed meanwhile"),
    DENIED: ("denied", "the machine's user may not do this"),
    NOT_REGULAR: ("special", "this is not a regular file"),
}
"""Kind and words of the exit statuses that mean the same everywhere."""

# $1 folder (or nothing: the home), $2 how many entries. First line: where it is. Then a line for
# each entry, and for each link once more, marked L, what it leads to.
LIST = r"""
p=${1:-$HOME}
[ -e "$p" ] || exit 3
[ -d "$p" ] || exit 4
cd -- "$p" 2>/dev/null && [ -r . ] || exit 7
pwd
find . -maxdepth 1 ! -name . -exec stat -c '%f %s %n' {} + 2>/dev/null | head -n "$2"
find . -maxdepth 1 -type l -exec stat -L -c 'L%f %s %n' {} + 2>/dev/null | head -n "$2"
"""

# $1 file, $2 most bytes. First line: size, mode, whether it may be written. Then one byte more
# than asked for, where there are so many.
READ = r"""
[ -e "$1" ] || exit 3
[ -d "$1" ] && exit 4
[ -f "$1" ] || exit 8
[ -r "$1" ] || exit 7
w=r; [ -w "$1" ] && w=w
stat -L -c "%s %a $w" -- "$1" || exit 1
[ "$(stat -L -c %s -- "$1")" -gt "$2" ] && exit 0
exec head -c "$(($2 + 1))" <"$1"
"""

# $1 file, $2 what it must be now (a digest, `new` or `any`), $3 digest of standard input, which
# is what it becomes. A file beside it takes its place, with its mode and owner; where that cannot
# be (another's file, a folder that is not ours, a mount point) its bytes are written over.
WRITE = r"""
digest() { sha256sum <"$1" | cut -d' ' -f1; }
t=$(readlink -f -- "$1") && [ -n "$t" ] || t=$1
d=${t%/*}
[ -d "$t" ] && exit 4
[ -d "$d/" ] || exit 3
if [ -e "$t" ]; then
  [ -f "$t" ] || exit 8
  [ -r "$t" ] || exit 7
  have=$(digest "$t")
  [ "$have" = "$3" ] && exit 0
  case $2 in any | "$have") ;; new) exit 5 ;; *) exit 6 ;; esac
  [ -w "$t" ] || exit 7
else
  case $2 in any | new) ;; *) exit 6 ;; esac
fi
n=
if [ ! -e "$t" ] || [ -O "$t" ] || [ "$(id -u)" = 0 ]; then
  n=$(mktemp "$d/.${t##*/}.XXXXXX" 2>/dev/null) || n=
fi
if [ -z "$n" ]; then
  [ -e "$t" ] || exit 7
  n=$(mktemp) || exit 10
  over=1
fi
trap 'rm -f -- "$n"' EXIT
if [ -z "$over" ]; then
  if [ -e "$t" ]; then cp -p -- "$t" "$n" || exit 10; else chmod =rw -- "$n"; fi
fi
cat >"$n" && [ "$(digest "$n")" = "$3" ] || exit 10
[ -z "$over" ] && mv -f -- "$n" "$t" 2>/dev/null && exit 0
cat "$n" >"$t" || exit 10
"""

MKDIR = r"""
[ -e "$1" ] || [ -L "$1" ] && exit 5
mkdir -- "$1"
"""

# $1 what, $2 its new name.
RENAME = r"""
[ -e "$1" ] || [ -L "$1" ] || exit 3
[ -e "$2" ] || [ -L "$2" ] && exit 5
mv -- "$1" "$2"
"""

REMOVE = r"""
[ -e "$1" ] || [ -L "$1" ] || exit 3
rm -rf -- "$1"
"""

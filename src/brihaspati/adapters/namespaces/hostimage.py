"""The `host` image: this host's programs, and nothing else of this host.

/usr is bound read-only at run time; the rest is made up here: no account, key or log of the host is
in it. From /etc come only files that programs need and that say nothing secret.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

_FOLDERS = {
    "dev": 0o755,
    "etc": 0o755,
    "home": 0o755,
    "home/student": 0o750,
    "media": 0o755,
    "mnt": 0o755,
    "opt": 0o755,
    "proc": 0o555,
    "root": 0o700,
    "run": 0o755,
    "srv": 0o755,
    "sys": 0o555,
    "tmp": 0o1777,
    "usr": 0o755,
    "var": 0o755,
    "var/backups": 0o755,
    "var/cache": 0o755,
    "var/lib": 0o755,
    "var/local": 0o755,
    "var/log": 0o755,
    "var/mail": 0o755,
    "var/spool": 0o755,
    "var/tmp": 0o1777,
    "var/www": 0o755,
}
_MERGED = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
# Files and folders of the host's /etc that programs look for. Copied, links kept as links.
_FROM_ETC = (
    "alternatives",
    "ca-certificates.conf",
    "debian_version",
    "ethertypes",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "locale.alias",
    "localtime",
    "magic",
    "magic.mime",
    "mailcap",
    "manpath.config",
    "mime.types",
    "nanorc",
    "os-release",
    "perl",
    "pki/tls/certs",
    "protocols",
    "rpc",
    "services",
    "shells",
    "ssl/certs",
    "ssl/openssl.cnf",
    "terminfo",
    "vim",
    "xattr.conf",
)
_STUDENT = 1000

_USERS = """\
root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
bin:x:2:2:bin:/bin:/usr/sbin/nologin
sys:x:3:3:sys:/dev:/usr/sbin/nologin
mail:x:8:8:mail:/var/mail:/usr/sbin/nologin
www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin
student:x:1000:1000:Student:/home/student:/bin/bash
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
"""
_GROUPS = """\
root:x:0:
daemon:x:1:
bin:x:2:
sys:x:3:
adm:x:4:
tty:x:5:
disk:x:6:
mail:x:8:
utmp:x:43:
shadow:x:42:
www-data:x:33:
users:x:100:
student:x:1000:
nogroup:x:65534:
"""
_PROFILE = """\
# For login shells.
umask 022
[ -n "$BASH_VERSION" ] && [ -r /etc/bash.bashrc ] && . /etc/bash.bashrc
"""
_BASHRC = r"""# For interactive shells. The prompt ends in `#` instead of `$` when you are root.
case $- in *i*) ;; *) return ;; esac
shopt -s checkwinsize
PS1='\[\e[1;32m\]\u@\h\[\e[0m\] \[\e[1;34m\]\w\[\e[0m\] \$ '
HISTCONTROL=ignoreboth
alias ls='ls --color=auto' ll='ls -l' la='ls -A' grep='grep --color=auto'
"""
_BASH_PROFILE = "[ -r ~/.bashrc ] && . ~/.bashrc\n"
_TEXTS = {
    "etc/passwd": _USERS,
    "etc/group": _GROUPS,
    "etc/shadow": "".join(f"{line.split(':')[0]}:*:::::::\n" for line in _USERS.splitlines()),
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n",
    "etc/host.conf": "multi on\n",
    "etc/hosts": "127.0.0.1\tlocalhost\n",
    "etc/hostname": "lab\n",
    "etc/resolv.conf": "",
    "etc/profile": _PROFILE,
    "etc/bash.bashrc": _BASHRC,
    "etc/environment": "",
    "etc/login.defs": "UID_MIN 1000\nUID_MAX 60000\nGID_MIN 1000\nGID_MAX 60000\n",
    "etc/fstab": "",
    "etc/timezone": "Etc/UTC\n",
    "etc/inputrc": '"\\e[A": history-search-backward\n"\\e[B": history-search-forward\n',
    "root/.profile": _BASH_PROFILE,
    "home/student/.profile": _BASH_PROFILE,
    "root/.bashrc": "# Yours to change.\n",
    "home/student/.bashrc": "# Yours to change.\n",
}


class NotMerged(Exception):  # noqa: N818
    """This host keeps programs outside /usr, so `host` cannot be made of it."""


def _link_merged(folder: Path, host: Path) -> None:
    for name in _MERGED:
        there = host / name
        if there.is_symlink():
            (folder / name).symlink_to(f"usr/{name}")
        elif there.exists():
            raise NotMerged(f"{there} is not a link into /usr: use another image than `host`")


def _copy_etc(folder: Path, host: Path) -> None:
    for name in _FROM_ETC:
        source, target = host / "etc" / name, folder / "etc" / name
        if not source.exists() and not source.is_symlink():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir() and not source.is_symlink():
            shutil.copytree(source, target, symlinks=True)
        else:
            shutil.copy2(source, target, follow_symlinks=False)


def build(folder: Path, host: Path = Path("/")) -> None:
    """Make the image at `folder`, whole or not at all; quick when it is there already.

    Raises NotMerged, OSError.
    """
    if folder.exists():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".draft", dir=folder.parent))
    try:
        for name, mode in _FOLDERS.items():
            (draft / name).mkdir()
            (draft / name).chmod(mode)
        _link_merged(draft, host)
        _copy_etc(draft, host)
        for name, text in _TEXTS.items():
            (draft / name).write_text(text)
        (draft / "etc/shadow").chmod(0o640)
        (draft / "etc/mtab").symlink_to("/proc/self/mounts")
        (draft / "var/run").symlink_to("/run")
        (draft / "var/lock").symlink_to("/run/lock")
        for path in (draft / "home/student", *(draft / "home/student").iterdir()):
            os.chown(path, _STUDENT, _STUDENT)
        draft.chmod(0o755)
        _publish(draft, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _publish(draft: Path, folder: Path) -> None:
    try:
        draft.rename(folder)
    except OSError:
        if not folder.exists():  # else another process was as quick, with the same result
            raise

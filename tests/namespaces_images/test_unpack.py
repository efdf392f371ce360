"""Layers are put on one another as their specification says, and never outside their folder."""

from __future__ import annotations

import os
import stat
import tarfile
from pathlib import Path

import pytest

from brihaspati.adapters.namespaces import rootfs, unpack
from namespaces_images.distribution import entry, layer

DIR, LINK, SYMLINK = tarfile.DIRTYPE, tarfile.LNKTYPE, tarfile.SYMTYPE


def unpacked(tmp_path: Path, *layers: bytes, bounds: unpack.Bounds | None = None) -> Path:
    root = tmp_path / "root"
    root.mkdir()
    unpacker = unpack.Unpacker(root, bounds or unpack.Bounds())
    try:
        for number, data in enumerate(layers):
            archive = tmp_path / f"layer{number}"
            archive.write_bytes(data)
            unpacker.layer(archive)
    finally:
        unpacker.close()
    return root


def names(root: Path) -> set[str]:
    paths = root.rglob("*")
    return {str(p.relative_to(root)) for p in paths if p.is_symlink() or not p.is_dir()}


def test_a_higher_layer_replaces_files_of_a_lower_one(tmp_path: Path) -> None:
    root = unpacked(tmp_path, layer(("a/x", b"old"), ("a/y", b"y")), layer(("./a/x", b"new")))
    assert (root / "a/x").read_bytes() == b"new"
    assert names(root) == {"a/x", "a/y"}


def test_a_whiteout_hides_a_file_a_folder_and_a_link_but_not_its_target(tmp_path: Path) -> None:
    low = layer(
        ("f", b"1"), ("d/inner", b"1"), ("kept", b"1"), entry("l", SYMLINK, linkname="kept")
    )
    root = unpacked(tmp_path, low, layer((".wh.f", b""), (".wh.d", b""), (".wh.l", b"")))
    assert names(root) == {"kept"}


def test_an_opaque_folder_hides_all_below_and_keeps_what_its_own_layer_wrote_before_it(
    tmp_path: Path,
) -> None:
    low = layer(("d/old", b"1"), ("d/sub/old", b"1"), ("d/gone/x", b"1"))
    high = layer(("d/sub/new", b"2"), ("d/.wh..wh..opq", b""), ("d/later", b"2"))
    root = unpacked(tmp_path, low, high)
    assert names(root) == {"d/sub/new", "d/later"}
    assert not (root / "d/gone").exists()


def test_a_whiteout_spares_what_its_own_layer_wrote(tmp_path: Path) -> None:
    high = layer(("d/new", b"2"), (".wh.d", b""))
    assert names(unpacked(tmp_path, layer(("d/old", b"1")), high)) == {"d/new"}


def test_kinds_replace_one_another(tmp_path: Path) -> None:
    low = layer(("was-file", b"1"), ("was-dir/x", b"1"), entry("was-link", SYMLINK, linkname="x"))
    high = layer(
        entry("was-file", DIR), ("was-file/in", b"2"), ("was-dir", b"2"), ("was-link", b"2")
    )
    root = unpacked(tmp_path, low, high)
    assert names(root) == {"was-file/in", "was-dir", "was-link"}
    assert not (root / "was-link").is_symlink()


def test_a_hard_link_shares_its_file_even_over_an_older_one(tmp_path: Path) -> None:
    low = layer(("bin/busybox", b"b"), ("bin/ls", b"old"))
    link = entry("bin/ls", LINK, linkname="/bin/busybox")
    root = unpacked(tmp_path, low, layer(link, link))
    assert (root / "bin/ls").stat().st_ino == (root / "bin/busybox").stat().st_ino
    assert names(root) == {"bin/busybox", "bin/ls"}


def test_a_hard_link_takes_the_place_of_a_folder(tmp_path: Path) -> None:
    low = layer(("a", b"a"), ("b/inner", b"1"))
    root = unpacked(tmp_path, low, layer(entry("b", LINK, linkname="a")))
    assert names(root) == {"a", "b"}


@pytest.mark.parametrize("target", ["/usr/./lib", "../usr/lib", "../../../usr/lib"])
def test_a_file_below_a_linked_folder_lands_where_the_link_leads(
    tmp_path: Path, target: str
) -> None:
    low = layer(entry("usr/lib", DIR), entry("opt/lib", SYMLINK, linkname=target))
    root = unpacked(tmp_path, low, layer(("opt/lib/so", b"1"), ("opt/lib/.wh.none", b"")))
    assert names(root) == {"opt/lib", "usr/lib/so"}


@pytest.mark.parametrize("target", ["{out}", "../../out", "/../..{out}", "sub/../../../out"])
def test_a_link_that_points_outside_leads_back_inside(tmp_path: Path, target: str) -> None:
    outside = tmp_path / "out"
    outside.mkdir()
    (outside / "secret").write_text("precious")
    link = entry("esc", SYMLINK, linkname=target.format(out=outside))
    attack = layer(
        link,
        ("esc/secret", b"overwritten"),
        ("esc/new", b"1"),
        ("esc/.wh.secret", b""),
        ("esc/.wh..wh..opq", b""),
        entry("esc/deep", DIR, mode=0o777),
    )
    root = unpacked(tmp_path, layer(entry("sub", DIR)), attack)
    assert [path.name for path in outside.iterdir()] == ["secret"]
    assert (outside / "secret").read_text() == "precious"
    assert any(path.name == "new" for path in root.rglob("*"))


def test_a_file_is_never_written_or_changed_through_a_link(tmp_path: Path) -> None:
    outside = tmp_path / "out"
    outside.write_text("precious")
    outside.chmod(0o600)
    link = entry("f", SYMLINK, linkname=str(outside))
    root = unpacked(tmp_path, layer(link), layer(("f", b"mine")))
    assert outside.read_text() == "precious"
    assert stat.S_IMODE(outside.stat().st_mode) == 0o600
    assert (root / "f").read_bytes() == b"mine"


def test_a_hard_link_cannot_reach_a_file_outside(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("precious")
    through = layer(
        entry("up", SYMLINK, linkname=".."), entry("got", LINK, linkname="up/out", mode=0o777)
    )
    with pytest.raises(rootfs.ImageProblem, match="missing file"):
        unpacked(tmp_path, through)
    assert (tmp_path / "out").stat().st_nlink == 1


@pytest.mark.parametrize(
    "member",
    [
        entry("../out"),
        entry("a/../../out"),
        entry("x", LINK, linkname="../out"),
        entry("a/.wh..."),
        entry("a/.wh."),
        entry("a/.wh.."),
    ],
    ids=lambda member: member.name,
)
def test_names_that_climb_are_refused(tmp_path: Path, member: tarfile.TarInfo) -> None:
    (tmp_path / "out").write_text("precious")
    with pytest.raises(rootfs.ImageProblem):
        unpacked(tmp_path, layer(member))
    assert (tmp_path / "out").read_text() == "precious"
    assert (tmp_path / "root").is_dir()


def test_links_in_a_circle_are_refused(tmp_path: Path) -> None:
    circle = layer(
        entry("a", SYMLINK, linkname="b"), entry("b", SYMLINK, linkname="a"), ("a/x", b"1")
    )
    with pytest.raises(rootfs.ImageProblem, match="circle"):
        unpacked(tmp_path, circle)


def test_device_nodes_and_file_capabilities_are_left_out(tmp_path: Path) -> None:
    device = entry("dev/sda", tarfile.BLKTYPE, devmajor=8, devminor=0)
    program = entry("bin/ping", mode=0o755)
    program.pax_headers = {"SCHILY.xattr.security.capability": "\x01\x00\x00\x02\x00 \x00\x00" * 2}
    root = unpacked(tmp_path, layer(device, entry("dev/tty", tarfile.CHRTYPE), program))
    assert names(root) == {"bin/ping"}
    assert os.listxattr(root / "bin/ping") == []


@pytest.mark.root
def test_owners_and_rights_are_kept_and_impossible_owners_are_nobody(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may give files away")
    members = (
        entry("s", uid=1000, gid=50, mode=0o4755),
        entry("big", uid=70_000, gid=2**40, mode=0o600),
        entry("d", DIR, uid=7, gid=7, mode=0o1777),
        entry("l", SYMLINK, linkname="s", uid=9, gid=9),
    )
    root = unpacked(tmp_path, layer(*members))
    seen = {n: (root / n).lstat() for n in ("s", "big", "d", "l")}
    owners = {n: (at.st_uid, at.st_gid) for n, at in seen.items()}
    assert owners == {"s": (1000, 50), "big": (65534, 65534), "d": (7, 7), "l": (9, 9)}
    assert stat.S_IMODE(seen["s"].st_mode) == 0o4755
    assert stat.S_IMODE(seen["d"].st_mode) == 0o1777


def test_a_layer_that_unpacks_to_too_much_is_stopped(tmp_path: Path) -> None:
    bomb = layer(("zeros", bytes(5 << 20)))
    assert len(bomb) < 20_000
    with pytest.raises(rootfs.ImageProblem, match="larger unpacked"):
        unpacked(tmp_path, bomb, bounds=unpack.Bounds(bytes_max=1 << 20))


def test_the_bound_is_on_all_layers_together(tmp_path: Path) -> None:
    layers = [layer((f"zeros{n}", bytes(600_000))) for n in range(2)]
    with pytest.raises(rootfs.ImageProblem, match="larger unpacked"):
        unpacked(tmp_path, *layers, bounds=unpack.Bounds(bytes_max=1 << 20))


def test_too_many_files_are_stopped(tmp_path: Path) -> None:
    many = layer(*[(f"f{n}", b"") for n in range(20)])
    with pytest.raises(rootfs.ImageProblem, match="more files"):
        unpacked(tmp_path, many, bounds=unpack.Bounds(entries_max=10))


def test_a_header_that_claims_to_be_huge_does_not_fill_our_memory(tmp_path: Path) -> None:
    head = entry("pax", tarfile.XHDTYPE, size=6 << 30).tobuf(tarfile.GNU_FORMAT)
    with pytest.raises(rootfs.ImageProblem, match="absurd"):
        unpacked(tmp_path, head + bytes(4096))


@pytest.mark.parametrize("kept", [0.3, 0.8])
@pytest.mark.parametrize("compress", [True, False])
def test_a_broken_layer_is_said_to_be_one(tmp_path: Path, kept: float, *, compress: bool) -> None:
    whole = layer(("a", os.urandom(50_000)), ("b", b"1"), compress=compress)
    with pytest.raises(rootfs.ImageProblem, match=r"broken|cut off"):
        unpacked(tmp_path, whole[: int(len(whole) * kept)])


def test_zstd_is_named_as_what_we_cannot_read(tmp_path: Path) -> None:
    with pytest.raises(rootfs.ImageProblem, match="zstd") as problem:
        unpacked(tmp_path, b"\x28\xb5\x2f\xfd rest")
    assert "gzip" in problem.value.fix

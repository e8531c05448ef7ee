"""Which file system a path is on, as far as it decides whether SQLite may be trusted with it."""

import os
import re

NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre", "gpfs", "fuse.sshfs",
     "fuse.glusterfs", "fuse.ceph-fuse", "fuse.s3fs", "fuse.rclone", "davfs", "fuse.davfs2"}
)  # fmt: skip
MOUNTS = "/proc/self/mountinfo"


def network_filesystem(folder: str, mounts: str | None = None) -> str:
    """Return the type of network file system that ``folder`` is on, or "" where it is none or cannot be told."""
    try:
        with open(mounts or MOUNTS, encoding="utf-8", errors="surrogateescape") as lines:
            found = [_mount(line) for line in lines]
    except FileNotFoundError:
        return ""
    real = os.path.realpath(folder or ".")
    deepest, kind = "", ""
    for point, type_ in found:
        if _is_under(real, point) and len(point) >= len(deepest):  # of two on the same point the later one covers
            deepest, kind = point, type_
    return kind if kind in NETWORK else ""


def _mount(line: str) -> tuple[str, str]:
    """Return (mount point, type) of a line of mountinfo (proc(5))."""
    before, _, after = line.partition(" - ")
    point = re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), before.split()[4])
    return point, after.split()[0]


def _is_under(path: str, point: str) -> bool:
    return path == point or path.startswith(point.rstrip("/") + "/")

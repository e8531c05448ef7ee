"""A small disk for the project to live on, that can be filled.

It is mounted in a namespace of this process and its children alone (Linux, and only for who may mount), so that it is
gone with them, whatever ends them.
"""

import ctypes
import os
import shutil
import sys
from pathlib import Path

from walkaway import proc

SIZE_MIB = 224
"""More than walkaway wants to see free, and little enough for any machine's memory."""

_CLONE_NEWNS = 0x00020000
_PATIENCE_S = 10.0


class Disk:
    """A tmpfs at a folder; where it could not be mounted, `why_not` says why and nothing can be filled."""

    def __init__(self, folder: Path) -> None:
        """Try to mount it at ``folder``, which is made."""
        self._folder = folder
        self._folder.mkdir(parents=True, exist_ok=True)
        self.why_not = _mount(folder)

    @property
    def _ballast(self) -> Path:
        """Where walkaway's guard of the user's files does not look."""
        return self._folder / ".walkaway" / "ballast"

    def fill(self, left_mib: int) -> None:
        """Leave so much room and no more; raises `OSError` where not even that is left."""
        room = os.statvfs(self._folder)
        size = room.f_bavail * room.f_frsize - (left_mib << 20)
        with self._ballast.open("wb") as ballast:
            if size > 0:
                os.posix_fallocate(ballast.fileno(), 0, size)

    @property
    def full(self) -> bool:
        """Whether it was filled and not freed."""
        return self._ballast.exists()

    def free(self) -> None:
        """Give the room back; harmless twice."""
        self._ballast.unlink(missing_ok=True)

    def keep(self) -> None:
        """Put what lies on it where it stays when the mount is gone."""
        if self.why_not:
            return
        self.free()
        aside = self._folder.with_name(f"{self._folder.name}.kept")
        shutil.copytree(self._folder, aside, symlinks=True)
        self.close()
        self._folder.rmdir()
        aside.rename(self._folder)

    def close(self) -> None:
        """Unmount it, with all that lies on it; harmless twice."""
        if not self.why_not:
            self.why_not = "it was unmounted"
            proc.run(["umount", "--lazy", str(self._folder)], "/", None, _PATIENCE_S)


def _mount(folder: Path) -> str:
    """Mount a tmpfs that only this process and its children see; return "" or why that cannot be."""
    if sys.platform != "linux":
        return "only Linux has a file system in memory that can be mounted so"
    if os.geteuid() != 0:
        return "no right to mount"
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNS) != 0:
        return f"no right to mount: {os.strerror(ctypes.get_errno())}"
    try:
        for command in (
            ["mount", "--make-rprivate", "/"],
            ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MIB}m", "walkaway-chaos", str(folder)],
        ):
            done = proc.run(command, "/", None, _PATIENCE_S)
            if done.exit_code != 0:
                return f"no right to mount: {done.stderr.strip()}"
    except OSError as error:
        return f"mount cannot be run: {error.strerror}"
    return ""

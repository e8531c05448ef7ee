"""Opening files for tools: ordinary files of text, of a size that can be handled."""

import stat
from pathlib import Path

from walkaway.agent.tool import Site, ToolFailed, ToolRefused

MOST_BYTES = 8 << 20


def text_of(path: Path, site: Site) -> str:
    """Return a file's text with its line ends as they are; refuse what is no ordinary, readable text file."""
    shown = site.show(path)
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        message = f"There is no file {shown}."
        raise ToolRefused(message) from error
    except OSError as error:
        message = f"{shown} cannot be read: {error}"
        raise ToolFailed(message) from error
    if stat.S_ISDIR(found.st_mode):
        message = f"{shown} is a directory: use ls."
        raise ToolRefused(message)
    if not stat.S_ISREG(found.st_mode):
        message = f"{shown} is no ordinary file."
        raise ToolRefused(message)
    if found.st_size > MOST_BYTES:
        message = f"{shown} has {found.st_size} bytes, more than read and edit take: use grep, or a command."
        raise ToolRefused(message)
    return _decoded(path, shown)


def _decoded(path: Path, shown: str) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        message = f"{shown} cannot be read: {error}"
        raise ToolFailed(message) from error
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        message = f"{shown} is no UTF-8 text."
        raise ToolRefused(message) from error
    if "\0" in text:
        message = f"{shown} is binary."
        raise ToolRefused(message)
    return text


def put(path: Path, text: str, site: Site) -> None:
    """Write a text file byte by byte as given, with its folders."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode(errors="surrogatepass"))
    except (IsADirectoryError, NotADirectoryError, FileExistsError) as error:
        message = f"{site.show(path)} cannot be a file: a folder or a file is in the way."
        raise ToolRefused(message) from error
    except OSError as error:
        message = f"{site.show(path)} cannot be written: {error}"
        raise ToolFailed(message) from error

"""Glob patterns over relative paths: ``*`` stays within a folder, ``**`` crosses folders."""

import re
from functools import lru_cache


@lru_cache(maxsize=256)
def regex(pattern: str) -> str:
    """Return the regular expression of a glob; one without a slash matches the name in any folder."""
    if "/" not in pattern:
        pattern = f"**/{pattern}"
    parts: list[str] = []
    for token in re.findall(r"\*\*/|\*\*|\*|\?|\[!?[^]/]+]|[^*?[]|\[", pattern.removeprefix("./")):
        match token:
            case "**/":
                parts.append("(?:.*/)?")
            case "**":
                parts.append(".*")
            case "*":
                parts.append("[^/]*")
            case "?":
                parts.append("[^/]")
            case _ if token.startswith("[") and len(token) > 1:
                parts.append(token.replace("[!", "[^", 1))
            case _:
                parts.append(re.escape(token))
    return "".join(parts)


def matches(pattern: str, path: str) -> bool:
    """Whether the glob matches the whole relative path, written with slashes."""
    return re.fullmatch(regex(pattern), path) is not None

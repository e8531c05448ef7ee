"""Is a text a command that may be run?  What a model or a person wrote as the check of a task -> "" or what is wrong.

Rule: a text is never run to find out whether it is a command (workflow §13.4: prose was, in the original).
"""

import re

_QUOTED = re.compile(r"'[^']*'|\"(?:[^\"\\]|\\.)*\"")
_FIRST = re.compile(
    r"(?:[A-Za-z_][A-Za-z0-9_]*=\S*\s+)*(?:[!({\[]\s*)*([~$]?[A-Za-z0-9_./+-][A-Za-z0-9_./+${}-]*|\[|\$\{?\w+.*)"
)
_WORD = re.compile(r"(?<![\w./=:-])[A-Za-z]+(?![\w/=:-]|\.\w)")
_PROSE = frozenset({"the", "that", "this", "should", "must", "are", "is", "it", "its", "and", "with", "which", "when"})
"""Words that stand bare in sentences and in no command line: a command has them quoted or as part of a name."""

_DANGEROUS = (
    (re.compile(r"\brm\s+(?:-\S+\s+)*-\w*[rR]\w*\s+(?:\S+\s+)*?(?:--\s+)?[\"']?(?:/|~|\$\{?HOME\}?)/?\*?[\"']?(?=\s|$|;|&|\|)"),
     "deletes everything"),
    (re.compile(r"\bmkfs(?:\.\w+)?\b|\bdd\b[^|;&]*\bof=/dev/|>\s*/dev/(?:sd|nvme|vd|hd|disk)"), "writes over a disk"),
    (re.compile(r":\s*\(\s*\)\s*\{"), "multiplies itself without end"),
    (re.compile(r"\b(?:curl|wget)\b[^;&]*\|\s*(?:sudo\s+)?(?:ba|da|z|k)?sh\b"), "runs what it downloads"),
    (re.compile(r"(?:^|[;&|]\s*)(?:sudo|doas|shutdown|reboot|poweroff|halt)\b"), "takes over the machine"),
)  # fmt: skip


def wrong(text: str) -> str:
    """Return why ``text`` is not to be run, as the end of a sentence that begins with it, or ""."""
    return prose(text) or dangerous(text)


def prose(text: str) -> str:
    """Return that ``text`` is no command line, or ""."""
    line = text.strip()
    if "\n" in line:
        return "has more than one line; join commands with &&"
    bare = _QUOTED.sub("''", line)
    first = _FIRST.match(bare)
    if first is None or not bare.isascii():
        return "is no command line"
    words = _WORD.findall(bare)
    sentence = bare.endswith((".", "!", "?")) and len(words) > 1 and not bare.endswith((" .", "/.", "..", "$?"))
    if sentence or _PROSE & {word.lower() for word in words[1:]}:
        return "is a sentence, not a command"
    name = first[1]
    if name.isalpha() and name[:1].isupper() and name[1:].islower() and len(words) > 1:
        return "begins with a word of a sentence, not with a program"
    return ""


def dangerous(text: str) -> str:
    """Return what nobody wants of a check, or "". A net for mistakes, not a wall: commands are not understood."""
    return next((f"{does}, which no check may" for form, does in _DANGEROUS if form.search(text)), "")

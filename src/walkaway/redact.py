"""Take secrets out of text before it is stored or shown.

Rule: what looks like a key is gone; what is known to be one is gone in every form. Redacting twice changes nothing.
"""

import re
from collections.abc import Iterable

REDACTED = "[redacted]"
_SHORTEST = 6
"""A known value shorter than this is a word, not a secret: taking it out would only spoil the text."""

_BLOCK = re.compile(
    r"-----BEGIN (?P<kind>[A-Z ]*PRIVATE KEY(?: BLOCK)?)-----.*?(?:-----END (?P=kind)-----|\Z)", re.DOTALL
)
_VENDORS = re.compile(
    r"""(?<![A-Za-z0-9_])(?:
      sk-(?:ant-|proj-|or-|svcacct-)?[A-Za-z0-9_-]{16,}     # OpenAI, Anthropic, OpenRouter
    | (?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{10,}           # Stripe
    | gh[pousr]_[A-Za-z0-9]{20,} | github_pat_\w{20,}       # GitHub
    | glpat-[\w-]{16,}                                      # GitLab
    | (?:AKIA|ASIA)[A-Z0-9]{16}                             # AWS
    | AIza[\w-]{30,} | ya29\.[\w-]{20,}                     # Google
    | xox[abeoprs]-[A-Za-z0-9-]{10,} | xapp-[A-Za-z0-9-]{10,}  # Slack
    | npm_[A-Za-z0-9]{30,} | pypi-[\w-]{30,} | hf_[A-Za-z0-9]{20,} | gsk_[A-Za-z0-9]{20,} | xai-[A-Za-z0-9]{20,}
    | eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}                 # JSON web tokens
    )""",
    re.VERBOSE,
)
# A pattern that can begin inside a word begins only at the word's start: else a minified file costs seconds.
_BEARER = re.compile(r"\b(?P<keep>(?:bearer|basic)\s+)(?!\[redacted\])[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE)
_URL = re.compile(
    r"(?P<keep>(?<![a-z0-9+.-])[a-z][a-z0-9+.-]*://[^\s/:@]*:)(?!\[redacted\]@)[^\s/@]+(?=@)", re.IGNORECASE
)
_ASSIGNED = re.compile(
    r"""(?P<keep>(?<![\w.-])[\w.-]*(?:password|passwd|passphrase|secret|api[_-]?key|access[_-]?key|auth[_-]?token|access[_-]?token
        |private[_-]?key|client[_-]?secret|credentials?|(?-i:_TOKEN|_KEY))["']?\s*(?:=|:)\s*["']?)
        (?!\[redacted\])(?=[^\s"',;&]{4})[^\s"',;&]+""",
    re.IGNORECASE | re.VERBOSE,
)


class Redactor:
    """Takes out what is known to be secret here, and then whatever looks like it."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        """Know ``values`` as secrets, such as the keys read from the environment."""
        known = sorted({value for value in values if len(value) >= _SHORTEST}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def __call__(self, text: str) -> str:
        """Return ``text`` with every secret replaced by a mark; names and punctuation around it stay."""
        if self._known is not None:
            text = self._known.sub(REDACTED, text)
        text = _VENDORS.sub(REDACTED, _BLOCK.sub(REDACTED, text))
        for pattern in (_BEARER, _URL, _ASSIGNED):
            text = pattern.sub(rf"\g<keep>{REDACTED}", text)
        return text


def redact(text: str) -> str:
    """Return ``text`` without what looks like a secret."""
    return _UNINFORMED(text)


_UNINFORMED = Redactor()

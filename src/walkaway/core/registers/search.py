"""Which texts of a project are about some words: ranked full text, the same on every database.

The registers are a few hundred short texts that are read whole, so no index is kept: nothing can be out of date.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import log

from walkaway.core.registers.model import Registers

_WORD = re.compile(r"[^\W_]+")
_ENDINGS = ("ations", "ation", "ings", "ing", "ies", "ed", "es", "s")
_SHORTEST_STEM = 3
_SATURATION, _LENGTH = 1.2, 0.75
"""The two usual constants of BM25: how soon a word repeated says nothing new, and how much length counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One text that can be found. ``worth`` multiplies how well it fits."""

    id: str
    text: str
    worth: float = 1.0


def texts_of(r: Registers) -> tuple[Text, ...]:
    """Return what the registers say, for searching: current decisions, requirements, active memories."""
    decided = (Text(id=d.id, text=f"{d.topic}: {d.decision}: {d.choice}. {d.rationale}") for d in r.current())
    required = (Text(id=q.id, text=f"{q.description} {q.why} {q.notes}".strip()) for q in r.requirements.values())
    kept = (Text(id=m.id, text=m.content, worth=r.rank(m)) for m in r.active())
    return (*decided, *required, *kept)


def search(texts: Sequence[Text], query: str, most: int) -> tuple[Text, ...]:
    """Return at most ``most`` texts that hold a word of ``query``, the best first (BM25); equals in their order."""
    wanted = set(_stems(query))
    counted = [Counter(_stems(text.text)) for text in texts]
    sizes = [sum(words.values()) for words in counted]
    usual = sum(sizes) / len(sizes) if sum(sizes) else 1.0
    rarity = {word: _rarity(sum(word in words for words in counted), len(texts)) for word in wanted}
    fits = [
        text.worth * sum(rarity[word] * _weight(words[word], size / usual) for word in wanted)
        for text, words, size in zip(texts, counted, sizes, strict=True)
    ]
    best = sorted(range(len(texts)), key=lambda i: -fits[i])[:most]
    return tuple(texts[i] for i in best if fits[i] > 0)


def _rarity(holding: int, of: int) -> float:
    return log(1 + (of - holding + 0.5) / (holding + 0.5))


def _weight(count: int, length: float) -> float:
    return count * (_SATURATION + 1) / (count + _SATURATION * (1 - _LENGTH + _LENGTH * length))


def _stems(text: str) -> list[str]:
    return [_stem(word) for word in _WORD.findall(text.casefold())]


def _stem(word: str) -> str:
    """Return a word without its most usual English ending, so that ``exports`` finds ``exporting``."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
            return word.removesuffix(ending)
    return word

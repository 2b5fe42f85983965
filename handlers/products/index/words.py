"""Words of texts, and the vocabulary of the catalogue, against which misspellings are corrected."""

from __future__ import annotations

import bisect
import re
from collections import Counter
from collections.abc import Callable
from typing import Final

from handlers.platform.texts import folded

_WORD: Final = re.compile(r"[^\W_]+")
# Words that say nothing about a product.
STOP_WORDS: Final = frozenset(
    {"a", "an", "and", "at", "by", "for", "from", "in", "of", "on", "or", "the", "to", "with"}
)
MIN_PREFIX: Final = 3
_MIN_CORRECTABLE: Final = 4
_LONG_WORD: Final = 6
_CANDIDATES: Final = 40


def words(text: str) -> list[str]:
    """The words of a text, folded, in their order."""
    return _WORD.findall(folded(text))


def query_words(text: str) -> list[str]:
    """The words to look for, each once: without stop words, unless there are no others."""
    found = list(dict.fromkeys(words(text)))
    return [word for word in found if word not in STOP_WORDS] or found


def singulars(word: str) -> list[str]:
    """What an English plural may be the plural of."""
    if len(word) < 4 or not word.endswith("s") or word.endswith("ss"):
        return []
    found = [word[:-1]]
    if word.endswith("es"):
        found.append(word[:-2])
    if word.endswith("ies"):
        found.append(word[:-3] + "y")
    return found


def distance(left: str, right: str, limit: int) -> int:
    """Edits from one word to the other: insert, delete, replace, swap of neighbours; `limit` + 1 when there are more.

    The optimal string alignment distance (Damerau 1964, Levenshtein 1966).
    """
    if abs(len(left) - len(right)) > limit:
        return limit + 1
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        previous, row = row, [i]
        for j, b in enumerate(right, 1):
            cost = min(previous[j] + 1, row[j - 1] + 1, previous[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        if min(row) > limit:
            return limit + 1
        before = previous
    return row[-1]


class Vocabulary:
    """Every word that the catalogue has or had, sorted, with the trigrams that lead to similar ones."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._sorted: list[str] = []
        self._new: list[str] = []
        self._by_trigram: dict[str, list[str]] = {}

    def add(self, word: str) -> None:
        """Takes in a word, known or not."""
        if word not in self._known:
            self._known.add(word)
            self._new.append(word)

    def starting_with(self, prefix: str) -> list[str]:
        """The words that start with the prefix, in order."""
        self.settle()
        low = bisect.bisect_left(self._sorted, prefix)
        high = bisect.bisect_left(self._sorted, prefix + "\U0010ffff", low)
        return self._sorted[low:high]

    def correction(self, word: str, frequency: Callable[[str], int]) -> str | None:
        """The most likely word meant by one that matches nothing, or None. Words of frequency 0 are no candidates."""
        if len(word) < _MIN_CORRECTABLE or word.isdecimal():
            return None
        self.settle()
        limit = 1 if len(word) < _LONG_WORD else 2
        shared = Counter(other for trigram in _trigrams(word) for other in self._by_trigram.get(trigram, ()))
        # Two edits leave at least a few of the trigrams, so the best by shared trigrams are enough to measure.
        candidates = sorted(shared, key=lambda other: (-shared[other], abs(len(other) - len(word)), other))
        ranked = [
            (distance(word, other, limit), -shared[other], -frequency(other), other)
            for other in candidates[:_CANDIDATES]
            if frequency(other)
        ]
        best = min(ranked, default=None)
        return best[3] if best is not None and best[0] <= limit else None

    def settle(self) -> None:
        """Sorts in what is new; asking does that by itself, after much has come it takes a while."""
        if not self._new:
            return
        if len(self._new) > 64:
            self._sorted = sorted([*self._sorted, *self._new])
        else:
            for word in self._new:
                bisect.insort(self._sorted, word)
        for word in self._new:
            if word.isdecimal():
                continue  # nobody means one number by another, and SKUs are full of them
            for trigram in _trigrams(word):
                self._by_trigram.setdefault(trigram, []).append(word)
        self._new = []


def _trigrams(word: str) -> set[str]:
    padded = f" {word} "
    return {padded[i : i + 3] for i in range(len(padded) - 2)}

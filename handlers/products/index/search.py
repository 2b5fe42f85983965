"""Words to products, the best matches first."""

from __future__ import annotations

from dataclasses import dataclass

from handlers.products.index.bits import Bits
from handlers.products.index.index import Index
from handlers.products.index.words import MIN_PREFIX, query_words, singulars


@dataclass(frozen=True, slots=True)
class Found:
    """What words lead to: sets of products without overlap, the best first, and the words when they were corrected."""

    tiers: tuple[Bits, ...]
    corrected: str | None = None

    def within(self, bits: Bits) -> list[Bits]:
        """The tiers, narrowed to a set."""
        return [tier & bits for tier in self.tiers]

    @property
    def all(self) -> Bits:
        """Every product that matches."""
        found: Bits = 0
        for tier in self.tiers:
            found |= tier
        return found


def search(index: Index, text: str) -> Found:
    """The products that match every word, as a whole or as the beginning of one.

    Tiers: every word is a word of the name; begins one; stands in name, brand, attributes, SKUs or category; anywhere.
    A word that matches nothing is replaced by the most similar one of the catalogue.
    """
    asked = query_words(text)
    used = [_corrected(index, word) for word in asked]
    if not used:
        return Found(())
    corrected = " ".join(used) if used != asked else None
    whole = name = facts = anywhere = index.all()
    for word in used:
        forms = [word, *singulars(word)]
        whole &= index.having_any(f"n{form}" for form in forms)
        likely = {*forms, *(index.vocabulary.starting_with(word) if len(word) >= MIN_PREFIX else ())}
        in_name = index.having_any(f"n{other}" for other in likely)
        in_facts = in_name | index.having_any(f"w{other}" for other in likely)
        name &= in_name
        facts &= in_facts
        anywhere &= in_facts | index.having_any(f"d{other}" for other in likely)
    return Found((whole, name & ~whole, facts & ~name, anywhere & ~facts), corrected)


def _corrected(index: Index, word: str) -> str:
    def frequency(other: str) -> int:
        return sum(index.count(f"{kind}{other}") for kind in "nwd")

    known = [word, *singulars(word)]
    if len(word) >= MIN_PREFIX:
        known += index.vocabulary.starting_with(word)
    if any(frequency(other) for other in known):
        return word
    return index.vocabulary.correction(word, frequency) or word

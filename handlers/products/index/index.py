"""The index itself: products in slots, terms with their postings, orders. Changes take effect at once."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Final, Literal, cast

from handlers.products.index.bits import Bits, Postings, positions, union
from handlers.products.index.entry import PRICE_BITS, Entry, Reading
from handlers.products.index.words import Vocabulary

SortKey = Literal["price", "name", "created_at", "rating", "popularity"]
Key = tuple[int | str, str]  # what a slot is sorted by, then the id

SORTS: Final[tuple[SortKey, ...]] = ("price", "name", "created_at", "rating", "popularity")
KEPT_SETS: Final = 256
# Making the orders anew costs as much as finding the places of every fiftieth product.
_MANY: Final = 50
_WORD_KINDS: Final = "nwd"


class Index:
    """All products of the catalogue, of every status. `generation` grows with every change that is seen."""

    def __init__(self) -> None:
        self.generation = 0
        self.vocabulary = Vocabulary()
        self.labels: dict[str, str] = {}
        self._entries: list[Entry | None] = []
        self._slots: dict[str, int] = {}
        self._slugs: dict[str, str] = {}
        self._free: list[int] = []
        self._live: Postings = Postings()
        self._term_ids: dict[str, int] = {}
        self._terms: list[str] = []
        self._postings: list[Postings] = []
        self._by_kind: dict[str, list[str]] = {}
        self._of_slot: list[array[int]] = []
        self._orders: dict[SortKey, list[int] | None] = dict.fromkeys(SORTS)
        self._ranks: dict[SortKey, array[int] | None] = dict.fromkeys(SORTS)
        self._arranged: dict[tuple[SortKey, Bits], array[int]] = {}

    def __len__(self) -> int:
        return len(self._slots)

    # --- changes ----------------------------------------------------------------------------------------------------

    def put(self, reading: Reading) -> None:
        """Takes in a product, new or changed. The same version again changes nothing, nor does an older one.

        While a product moves to another category there are two of it, and the newer one counts.
        """
        entry = reading.entry
        slot = self._slots.get(entry.id)
        old = self._entries[slot] if slot is not None else None
        if old is not None and (old.version == entry.version or old.updated_at > entry.updated_at):
            return
        if slot is None:
            slot = self._new_slot(entry.id)
        self._reorder(slot, old, entry)
        self._retag(slot, reading)
        if old is not None and old.slug != entry.slug and self._slugs.get(old.slug) == entry.id:
            del self._slugs[old.slug]
        self._slugs[entry.slug] = entry.id
        self.generation += 1

    def put_many(self, readings: Iterable[Reading]) -> None:
        """Takes in many products, five times as fast as one by one when most of them are new."""
        batch = list(readings)  # all are read before anything changes: one that cannot be read changes nothing
        if len(batch) * _MANY < len(self) and any(self._orders.values()):
            for reading in batch:
                self.put(reading)
            return
        added: defaultdict[int, list[int]] = defaultdict(list)
        known, later = self._term_ids, []
        for reading in batch:
            entry = reading.entry
            if entry.id in self._slots:
                later.append(reading)
                continue
            slot = self._new_slot(entry.id)
            self._entries[slot] = entry
            self._slugs[entry.slug] = entry.id
            numbers = [known[term] if term in known else self._term(term) for term in reading.terms]
            self._of_slot[slot] = array("I", numbers)
            for number in numbers:
                added[number].append(slot)
            for term, label in reading.labels.items():
                self.labels.setdefault(term, label)
        for number, slots in added.items():
            self._postings[number].extend(slots)
        if added:
            self._orders = dict.fromkeys(SORTS)
            self._forget_arranged()
            self.generation += 1
        for reading in later:
            self.put(reading)

    def remove(self, product_id: str) -> None:
        """Forgets a product, if it is there."""
        slot = self._slots.pop(product_id, None)
        if slot is None:
            return
        old = self._entries[slot]
        assert old is not None  # noqa: S101 - a slot that is taken has its entry
        self._reorder(slot, old, None)
        for term in self._of_slot[slot]:
            self._postings[term].discard(slot)
        self._of_slot[slot] = array("I")
        self._live.discard(slot)
        self._free.append(slot)
        if self._slugs.get(old.slug) == product_id:
            del self._slugs[old.slug]
        self.generation += 1

    def _new_slot(self, product_id: str) -> int:
        if self._free:
            slot = self._free.pop()
        else:
            slot = len(self._entries)
            self._entries.append(None)
            self._of_slot.append(array("I"))
        self._slots[product_id] = slot
        self._live.add(slot)
        return slot

    def _retag(self, slot: int, reading: Reading) -> None:
        known, postings = self._term_ids, self._postings
        wanted = {known[term] if term in known else self._term(term) for term in reading.terms}
        had = set(self._of_slot[slot])
        for number in had - wanted:
            postings[number].discard(slot)
        for number in wanted - had:
            postings[number].add(slot)
        self._of_slot[slot] = array("I", wanted)
        for term, label in reading.labels.items():
            self.labels.setdefault(term, label)

    def _term(self, term: str) -> int:
        """The number of a term that was not seen before."""
        number = self._term_ids[term] = len(self._terms)
        self._terms.append(term)
        self._postings.append(Postings())
        if term[0] in _WORD_KINDS:
            self.vocabulary.add(term[1:])
        else:
            self._by_kind.setdefault(_kind(term), []).append(term)
        return number

    # --- orders -----------------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Makes orders and vocabulary now, and not when somebody asks: about a second with 100,000 products."""
        for sort in SORTS:
            self.order(sort)
        self.vocabulary.settle()

    def order(self, sort: SortKey) -> list[int]:
        """Every slot in ascending order of a column, then id. Not to be changed by the caller."""
        order = self._orders[sort]
        if order is None:
            slots = list(self._slots.values())
            keys = map(attrgetter(sort, "id"), map(self.at, slots))
            order = self._orders[sort] = [slot for _, slot in sorted(zip(keys, slots, strict=True))]
        return order

    def arranged(self, bits: Bits, sort: SortKey) -> Sequence[int]:
        """The slots of a set in ascending order of a column, then id.

        By their places in the whole order, without a look at them; the last `KEPT_SETS` sets are kept, so that paging
        through a category arranges it once.
        """
        kept = self._arranged.get((sort, bits))
        if kept is None:
            if len(self._arranged) >= KEPT_SETS:
                self._arranged.clear()
            kept = self._arranged[sort, bits] = array("I", sorted(positions(bits), key=self._rank(sort).__getitem__))
        return kept

    def _rank(self, sort: SortKey) -> array[int]:
        """The place of each slot in an order."""
        rank = self._ranks[sort]
        if rank is None:
            rank = array("I", bytes(4 * len(self._entries)))
            for place, slot in enumerate(self.order(sort)):
                rank[slot] = place
            self._ranks[sort] = rank
        return rank

    def _forget_arranged(self) -> None:
        self._ranks = dict.fromkeys(SORTS)
        self._arranged.clear()

    def key(self, slot: int, sort: SortKey) -> Key:
        """What a slot is sorted by."""
        entry = self.at(slot)
        return getattr(entry, sort), entry.id

    def _reorder(self, slot: int, old: Entry | None, new: Entry | None) -> None:
        for sort, order in self._orders.items():
            if order is None:
                continue
            before = (getattr(old, sort), old.id) if old is not None else None
            after = (getattr(new, sort), new.id) if new is not None else None
            if before == after:
                continue
            self._forget_arranged()
            if before is not None:
                del order[bisect_left(order, before, key=lambda other: self.key(other, sort))]
            if after is not None:
                order.insert(bisect_left(order, after, key=lambda other: self.key(other, sort)), slot)
        self._entries[slot] = new

    # --- reading ----------------------------------------------------------------------------------------------------

    def at(self, slot: int) -> Entry:
        """The product in a slot that is taken."""
        return cast("Entry", self._entries[slot])

    def entries(self, slots: Iterable[int]) -> list[Entry]:
        """The products in slots that are taken."""
        return cast("list[Entry]", [self._entries[slot] for slot in slots])

    def find(self, id_or_slug: str) -> Entry | None:
        """The product of this id or slug, whatever its status."""
        slot = self.slot_of(id_or_slug)
        if slot is None and id_or_slug in self._slugs:
            slot = self._slots.get(self._slugs[id_or_slug])
        return self.at(slot) if slot is not None else None

    def slot_of(self, product_id: str) -> int | None:
        """The slot of a product, or None."""
        return self._slots.get(product_id)

    def all(self) -> Bits:
        """Every product."""
        return self._live.bits()

    def having(self, term: str) -> Bits:
        """The products that have the term."""
        number = self._term_ids.get(term)
        return self._postings[number].bits() if number is not None else 0

    def having_any(self, terms: Iterable[str]) -> Bits:
        """The products that have at least one of the terms."""
        found: Bits = 0
        few: list[int] = []
        for term in terms:
            number = self._term_ids.get(term)
            if number is not None:
                found |= self._postings[number].spill(few)
        return found | union(few, len(self._entries)) if few else found

    def count(self, term: str) -> int:
        """How many products have the term."""
        return self.having(term).bit_count()

    def counts(self, terms: Iterable[str], within: Bits, data: bytes) -> list[tuple[str, int]]:
        """How many of the products in `within`, whose bytes `data` are, have each of the terms; none are left out."""
        found = [(term, self._postings[self._term_ids[term]].count_in(within, data)) for term in terms]
        return [(term, count) for term, count in found if count]

    def tally(self, slots: Iterable[int]) -> Counter[str]:
        """How many of the products have each term that one of them has."""
        numbers: Counter[int] = Counter()
        for slot in slots:
            numbers.update(self._of_slot[slot])
        return Counter({self._terms[number]: count for number, count in numbers.items()})

    def terms(self, kind: str) -> Sequence[str]:
        """The terms of a kind that there are or were: `b` brands, `h` attributes, `a<key>` the values of one."""
        return self._by_kind.get(kind, ())

    def terms_of(self, slot: int, kinds: str) -> list[str]:
        """The terms of a product, of these kinds."""
        found = (self._terms[number] for number in self._of_slot[slot])
        return [term for term in found if term[0] in kinds]

    def price_below(self, units: int, within: Bits) -> Bits:
        """The products in `within` that cost less than so many minor units.

        The bits of the price are terms of their own; comparing goes from the highest bit down (O'Neil and Quass,
        "Improved Query Performance with Variant Indexes", 1997).
        """
        if units >= 1 << PRICE_BITS:
            return within
        below: Bits = 0
        equal = within
        for bit in range(PRICE_BITS - 1, -1, -1):
            if not equal:
                break
            without = equal & ~self.having(f"p{bit}")
            if units >> bit & 1:
                below |= without
                equal ^= without
            else:
                equal = without
        return below


def _kind(term: str) -> str:
    if term[0] == "a":
        return term.partition("\x1f")[0]
    return term[0]

"""The tree, whatever the documents say."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from handlers.categories.rules import Tree

SLUGS = [f"c{number}" for number in range(8)]


def tree(parents: dict[str, str | None]) -> Tree:
    """A tree of documents with these parents."""
    documents = ({"slug": slug, "name": slug, "position": 0, "parent_slug": parent} for slug, parent in parents.items())
    return Tree((document, "etag") for document in documents)


@given(st.dictionaries(st.sampled_from(SLUGS), st.sampled_from([None, "gone", *SLUGS])))
def test_every_category_has_exactly_one_place(parents: dict[str, str | None]) -> None:
    made = tree(parents)
    assert sorted(made.all) == sorted(parents)
    for slug in parents:
        path = made.path(slug)
        assert len(set(path)) == len(path)
        assert slug not in path
        assert slug in (made.children(path[-1]) if path else made.children(None))
        assert slug in made.subtree(slug)
        assert made.height(slug) == max(len(made.path(below)) for below in made.subtree(slug)) - len(path) + 1


def test_versions_tell_trees_apart() -> None:
    assert tree({"a": None}).version == tree({"a": None}).version
    assert tree({"a": None}).version != tree({"b": None}).version

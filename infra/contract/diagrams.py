"""State diagrams, drawn as SVG from `x-transitions` of the contract's schemas; no tool, no font, no other host needed.

A status is a column with its life line; a trigger is a row: dots on the statuses that it leaves, an arrow to the status
that it leads to. So a large table stays readable, and the same contract gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

Json = dict[str, Any]
# The next status by status and trigger.
Table = Mapping[str, Mapping[str, str]]

KEY = "x-transitions"
COLUMN = 138
ROW = 30
LEFT = 178
TOP = 64
BOX = (124, 32)
_STYLE = """
text { font: 12px system-ui, sans-serif; fill: #16202b; }
.status { fill: #fff; stroke: #0b6b4f; stroke-width: 1.5; } .final { fill: #dcefe8; stroke-width: 3; }
.life { stroke: #d0d6de; stroke-dasharray: 3 4; } .way { stroke: #0b6b4f; stroke-width: 1.5; fill: none; }
.from { fill: #0b6b4f; } .ground { fill: #fff; }
@media (prefers-color-scheme: dark) {
text { fill: #e8edf3; } .status { fill: #0f1319; stroke: #5fd0a8; } .final { fill: #17382d; }
.life { stroke: #2c3440; } .way { stroke: #5fd0a8; } .from { fill: #5fd0a8; } .ground { fill: #0f1319; }
}
"""


@dataclass(frozen=True)
class Row:
    """A trigger that leads from some statuses to one."""

    trigger: str
    sources: tuple[str, ...]
    target: str


def tables(bundle: Json) -> dict[str, Table]:
    """The tables of a document, by schema. Where no triggers are named, a step is named by where it leads."""
    schemas: dict[str, Json] = bundle.get("components", {}).get("schemas", {})
    return {name: _table(schema[KEY]) for name, schema in sorted(schemas.items()) if KEY in schema}


def _table(declared: Mapping[str, Any]) -> Table:
    return {
        status: dict(after) if isinstance(after, Mapping) else {f"to {each}": each for each in after}
        for status, after in declared.items()
    }


def rows(table: Table) -> list[Row]:
    """Every trigger and target once, in the order in which the table names them."""
    found: dict[tuple[str, str], list[str]] = {}
    for status, after in table.items():
        for trigger, target in after.items():
            found.setdefault((trigger, target), []).append(status)
    return [Row(trigger, tuple(sources), target) for (trigger, target), sources in found.items()]


def draw(name: str, table: Table) -> str:
    """The diagram of a table as an SVG document."""
    columns = {status: LEFT + COLUMN * at + COLUMN // 2 for at, status in enumerate(table)}
    listed = rows(table)
    width, height = LEFT + COLUMN * len(columns) + 12, TOP + ROW * len(listed) + 24
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'role="img" aria-labelledby="title summary">',
        f'<title id="title">{escape(name)}</title>',
        f'<desc id="summary">{escape("; ".join(map(_sentence, listed)))}</desc>',
        f"<style>{_STYLE}</style>",
        '<defs><marker id="head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" '
        'orient="auto-start-reverse"><path class="from" d="M0 0L8 4L0 8Z"/></marker></defs>',
        f'<rect class="ground" width="{width}" height="{height}"/>',
        *(part for status in table for part in _status(status, columns[status], height, final=not table[status])),
        *(part for at, row in enumerate(listed) for part in _row(row, columns, TOP + ROW * at + ROW // 2)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _sentence(row: Row) -> str:
    return f"{row.trigger}: from {', '.join(row.sources)} to {row.target}"


def _status(status: str, x: int, height: int, *, final: bool) -> Iterator[str]:
    width, tall = BOX
    kind = "status final" if final else "status"
    yield f'<line class="life" x1="{x}" y1="{16 + tall}" x2="{x}" y2="{height - 12}"/>'
    yield f'<rect class="{kind}" x="{x - width // 2}" y="16" width="{width}" height="{tall}" rx="8"/>'
    yield f'<text x="{x}" y="{16 + tall // 2 + 4}" text-anchor="middle">{escape(status)}</text>'


def _row(row: Row, columns: Mapping[str, int], y: int) -> Iterator[str]:
    target = columns[row.target]
    yield f'<text x="12" y="{y + 4}">{escape(row.trigger)}</text>'
    for sources in ([x for x in _places(row, columns) if x < target], [x for x in _places(row, columns) if x > target]):
        if sources:
            start = min(sources) if sources[0] < target else max(sources)
            yield f'<line class="way" x1="{start}" y1="{y}" x2="{target}" y2="{y}" marker-end="url(#head)"/>'
    if row.target in row.sources:
        yield (
            f'<path class="way" d="M{target} {y - 7}C{target + 26} {y - 9} {target + 26} {y + 9} {target} {y + 7}" '
            'marker-end="url(#head)"/>'
        )
    yield from (f'<circle class="from" cx="{x}" cy="{y}" r="4"/>' for x in _places(row, columns) if x != target)


def _places(row: Row, columns: Mapping[str, int]) -> list[int]:
    return [columns[source] for source in row.sources]

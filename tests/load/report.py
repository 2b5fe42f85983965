"""What a run of the bench found: a table on the terminal, JSON and a picture in `bench/`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from html import escape
from pathlib import Path
from typing import Any, Final, Literal

FOLDER: Final = Path("bench")


@dataclass(frozen=True, slots=True)
class Line:
    """One measured thing of one side: name, rate and times."""

    what: str
    side: str
    values: dict[str, float]


@dataclass(frozen=True, slots=True)
class Check:
    """A floor or ceiling and what was measured against it. `spread`: lowest and highest over the rounds."""

    what: str
    measured: float
    bound: float
    unit: str
    kind: Literal["at least", "at most"] = "at least"
    spread: tuple[float, float] | None = None

    @property
    def holds(self) -> bool:
        """Whether the bound is kept."""
        return self.measured >= self.bound if self.kind == "at least" else self.measured <= self.bound

    def __str__(self) -> str:
        spread = f" ({self.spread[0]:.2f} to {self.spread[1]:.2f})" if self.spread else ""
        verdict = "kept" if self.holds else "MISSED"
        return (
            f"{self.what:44} {_short(self.measured)} {self.unit}{spread}, {self.kind} {_short(self.bound)}: {verdict}"
        )


@dataclass(slots=True)
class Findings:
    """Everything a run found."""

    machine: dict[str, str]
    lines: list[Line] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def missed(self) -> list[Check]:
        """The bounds that were not kept."""
        return [check for check in self.checks if not check.holds]

    def as_json(self) -> dict[str, Any]:
        """The findings as plain data."""
        checks = [{**asdict(check), "holds": check.holds} for check in self.checks]
        return {
            "machine": self.machine,
            "lines": [asdict(x) for x in self.lines],
            "checks": checks,
            "remarks": self.remarks,
        }


def write(findings: Findings, folder: Path = FOLDER) -> list[Path]:
    """Writes `bench.json` and `bench.svg`; answers their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    data, picture = folder / "bench.json", folder / "bench.svg"
    data.write_text(json.dumps(findings.as_json(), indent=2) + "\n", encoding="utf-8")
    picture.write_text(svg(findings.checks), encoding="utf-8")
    return [data, picture]


def table(findings: Findings) -> str:
    """The findings for a terminal."""
    parts = ["", "  ".join(f"{key}: {value}" for key, value in findings.machine.items()), ""]
    for columns, lines in _by_columns(findings.lines):
        width = max(30, *(len(line.what) for line in lines))
        parts.append(" " * (width + 10) + "".join(f"{column:>16}" for column in columns))
        parts += [_row(line, width) for line in lines]
        parts.append("")
    parts += [str(check) for check in findings.checks]
    parts += ["", *findings.remarks] if findings.remarks else []
    return "\n".join(parts)


def _row(line: Line, width: int) -> str:
    return f"{line.what:{width}} {line.side:9}" + "".join(f"{_short(value):>16}" for value in line.values.values())


def _by_columns(lines: Iterable[Line]) -> list[tuple[tuple[str, ...], list[Line]]]:
    groups: dict[tuple[str, ...], list[Line]] = {}
    for line in lines:
        groups.setdefault(tuple(line.values), []).append(line)
    return list(groups.items())


def _short(value: float) -> str:
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 100 else f"{value:.2f}"


# --- the picture ----------------------------------------------------------------------------------------------------

_WIDTH, _ROW, _LEFT, _RIGHT = 880, 34, 330, 200


def svg(checks: Sequence[Check]) -> str:
    """Each check as a bar; the stroke is its bound, which all bars share as one line."""
    height = _ROW * len(checks) + 50
    rows = [_bar(check, 40 + number * _ROW) for number, check in enumerate(checks)]
    style = (
        "text{font:13px system-ui,sans-serif;fill:#1f2933}.n{fill:#52606d}.k{fill:#2f7d5b}.m{fill:#b3372f}"
        ".w{stroke:#1f2933;stroke-width:1}.b{stroke:#1f2933;stroke-width:1.5;stroke-dasharray:4 3}"
        "@media(prefers-color-scheme:dark){text{fill:#e4e7eb}.n{fill:#9aa5b1}.b,.w{stroke:#e4e7eb}}"
    )
    bound = _LEFT + _scale(1.0)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img">',
            f"<title>Bench: measured against its bounds</title><style>{style}</style>",
            f'<text x="{bound}" y="20" text-anchor="middle" class="n">bound</text>',
            f'<line class="b" x1="{bound}" x2="{bound}" y1="28" y2="{height - 12}"/>',
            *rows,
            "</svg>",
            "",
        ]
    )


def _bar(check: Check, y: int) -> str:
    width = _scale(check.measured / check.bound)
    low, high = (_LEFT + _scale(value / check.bound) for value in check.spread or (check.measured, check.measured))
    whisker = f'<line class="w" x1="{low:.1f}" x2="{high:.1f}" y1="{y + 9}" y2="{y + 9}"/>' if check.spread else ""
    value = f"{_short(check.measured)} {check.unit} ({check.kind} {_short(check.bound)})"
    kind = "k" if check.holds else "m"
    return (
        f'<text x="{_LEFT - 10}" y="{y + 13}" text-anchor="end">{escape(check.what)}</text>'
        f'<rect class="{kind}" x="{_LEFT}" y="{y}" width="{width:.1f}" height="18" rx="2"/>{whisker}'
        f'<text class="n" x="{max(high, _LEFT + width) + 8:.1f}" y="{y + 13}">{escape(value)}</text>'
    )


def _scale(share_of_bound: float) -> float:
    """Pixels; three times the bound and more fills the room."""
    return min(share_of_bound, 3.0) / 3.0 * (_WIDTH - _LEFT - _RIGHT)

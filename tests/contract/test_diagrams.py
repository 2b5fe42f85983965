"""The state diagrams: every transition of the contract is drawn, and nothing else; served, and current."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from infra.contract import diagrams
from tests.support.app import RunningApp
from tests.support.contract import document

SVG = "{http://www.w3.org/2000/svg}"
SMALL = {
    "open": {"close": "shut", "knock": "open"},
    "ajar": {"close": "shut"},
    "shut": {"open": "open", "lock": "locked"},
    "locked": {},
}


def test_a_small_table_is_drawn_whole() -> None:
    assert diagrams.rows(SMALL) == [
        diagrams.Row("close", ("open", "ajar"), "shut"),
        diagrams.Row("knock", ("open",), "open"),
        diagrams.Row("open", ("shut",), "open"),
        diagrams.Row("lock", ("shut",), "locked"),
    ]
    root = ET.fromstring(diagrams.draw("Door", SMALL))
    boxes = [each for each in root.iter(f"{SVG}rect") if each.get("class", "").startswith("status")]
    assert [each.get("class") for each in boxes] == ["status", "status", "status", "status final"]
    arrows = [each for each in root.iter() if each.get("marker-end")]
    assert [each.tag for each in arrows] == [f"{SVG}line", f"{SVG}path", f"{SVG}line", f"{SVG}line"]
    columns = {name: float(box.get("x", 0)) + diagrams.BOX[0] / 2 for name, box in zip(SMALL, boxes, strict=True)}
    ways = [(float(line.get("x1", 0)), float(line.get("x2", 0))) for line in arrows if line.tag == f"{SVG}line"]
    assert ways == [
        (columns["open"], columns["shut"]),
        (columns["shut"], columns["open"]),
        (columns["shut"], columns["locked"]),
    ]
    assert len(list(root.iter(f"{SVG}circle"))) == 4  # two for `close`; the loop needs none


def test_a_table_without_triggers_is_named_by_its_targets() -> None:
    bundle = {"components": {"schemas": {"Lamp": {"x-transitions": {"on": ["off"], "off": ["on"]}}, "Other": {}}}}
    assert diagrams.tables(bundle) == {"Lamp": {"on": {"to off": "off"}, "off": {"to on": "on"}}}


async def test_every_table_of_the_contract_is_served_as_drawn(running: RunningApp) -> None:
    tables = diagrams.tables(document())
    assert {"OrderStatus", "ShipmentStatus"} <= set(tables)
    page = (await running.client.get("/docs/states")).text
    for name, table in tables.items():
        answer = await running.client.get(f"/docs/assets/states-{name}.svg")
        assert answer.headers["content-type"] == "image/svg+xml"
        assert answer.text == diagrams.draw(name, table)
        assert f"/docs/assets/states-{name}.svg" in page
        drawn = ET.fromstring(answer.content).find(f"{SVG}desc")
        assert drawn is not None
        steps = [f"{row.trigger}: from {', '.join(row.sources)} to {row.target}" for row in diagrams.rows(table)]
        assert drawn.text == "; ".join(steps)
        assert "http" not in answer.text.replace("http://www.w3.org/2000/svg", "")

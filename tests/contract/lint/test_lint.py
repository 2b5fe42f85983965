"""The lint: the real contract is clean, and every rule finds its defect and no other."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from infra.contract.bundle import ROOT
from infra.contract.lint import conventions, lengths, schemas
from infra.contract.lint.__main__ import main
from infra.contract.lint.contract import Contract, read
from infra.contract.lint.rules import RULES, findings
from tests.contract.lint import seeds_operations, seeds_schemas
from tests.contract.lint.seeds import GOOD, Seed

SEEDS = [*seeds_operations.SEEDS, *seeds_schemas.SEEDS]


@pytest.fixture(scope="module")
def real() -> Contract:
    """The contract of this repository."""
    return read(ROOT)


def test_real_contract_is_clean(real: Contract) -> None:
    started = time.process_time()
    assert [str(finding) for finding in findings(real)] == []
    assert time.process_time() - started < 5


def test_small_contract_is_clean() -> None:
    assert [str(finding) for finding in findings(read(GOOD))] == []


@pytest.mark.parametrize("seed", SEEDS, ids=[f"{seed.rule}-{number}" for number, seed in enumerate(SEEDS)])
def test_defect_is_found(seed: Seed, tmp_path: Path) -> None:
    seed.plant(tmp_path)
    found = findings(read(tmp_path))
    places = {finding.place for finding in found if finding.rule == seed.rule}
    assert (seed.place or seed.file) in places, [str(finding) for finding in found]
    assert {finding.rule for finding in found} <= {seed.rule, *seed.also}, [str(finding) for finding in found]


def test_every_rule_has_a_defect() -> None:
    assert {seed.rule for seed in SEEDS} == set(RULES)


def test_every_rule_says_what_it_holds() -> None:
    assert [rule.name for rule in RULES.values() if not re.match(r"^[A-Z`].+\.$", rule.holds, re.DOTALL)] == []


def test_exceptions_are_still_needed(real: Contract) -> None:
    assert set(schemas.OPEN_REQUESTS) <= set(real.components("schemas"))
    owners = [owner for group in lengths.OTHER_MEANINGS.values() for owner in group]
    assert len(owners) == len(set(owners))
    for owner in owners:
        schema, name = owner.split(".")
        known = real.components("schemas").get(schema) or real.events["components"]["schemas"][schema]
        assert name in known["properties"], owner
    assert set(conventions.UNPAGED) <= {operation.id for operation in real.operations}


def test_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["lint", "--root", str(GOOD)])
    assert main() == 0
    SEEDS[-1].plant(tmp_path)
    monkeypatch.setattr("sys.argv", ["lint", "--root", str(tmp_path)])
    assert main() == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "asyncapi/messages/ProductCreated.yaml: plan-event: x-topic should be order-events"
    monkeypatch.setattr("sys.argv", ["lint", "--rules"])
    assert main() == 0
    assert len(capsys.readouterr().out.splitlines()) >= len(RULES)

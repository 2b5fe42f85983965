"""Schemathesis over every implemented operation: its answers are what the contract says, whatever it is sent.

Every check is on. An operation is called as the least of the callers that may call it, with everything that
Schemathesis knows to generate, and as every other caller with a few requests. `FUZZ_EXAMPLES` raises the number of
random requests (`make fuzz`). The same requests every time: a failure here can be repeated.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
import requests
import schemathesis
from hypothesis import strategies as st
from schemathesis import Case

from infra.contract.bundle import walk
from tests.support.callers import ROLES
from tests.support.contract import Declared, document, example_of, operations, resolved
from tests.support.house import House, running_house

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "15"))
OPERATIONS = {operation.id: operation for operation in operations() if operation.built}
DEEP = 10_000
LONGEST = 4000
FORMATS = ("email", "uri", "date-time")
CURSOR = {"$ref": "#/components/parameters/Cursor"}

# Statuses that a valid and an invalid request may meet anywhere; others are declared where they happen.
POSITIVE = ["2xx", "401", "403", "404", "409", "429"]
NEGATIVE = ["400", "401", "403", "404", "405", "409", "415", "422", "429"]


def _checks(declared: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "positive_data_acceptance": {"expected-statuses": sorted({*POSITIVE, *declared})},
        "negative_data_rejection": {"expected-statuses": sorted({*NEGATIVE, *declared})},
    }


def _groups() -> list[dict[str, Any]]:
    """The operations with expected statuses of their own; those with the same ones together, for speed."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for operation in OPERATIONS.values():
        declared = tuple(sorted(map(str, operation.content.get("x-expected-statuses", ()))))
        if declared:
            groups.setdefault(declared, []).append(operation.id)
    return [{"include-operation-id": names, "checks": _checks(declared)} for declared, names in groups.items()]


def _for_schemathesis() -> Any:
    """The built part of the contract, without what Schemathesis cannot know or takes too long to try.

    Cookies: an odd one counts as none (decision 58) and is no fault. Cursors: only ours are taken; see the last test.
    Lengths of texts that have a format: it looks for an address of exactly 254 characters by trial and error.
    """
    whole = copy.deepcopy(document())
    names = {name for name, each in whole["components"]["parameters"].items() if each["in"] == "cookie"} | {"Cursor"}
    left_out = {f"#/components/parameters/{name}" for name in names}
    for item in whole["paths"].values():
        for method in list(item):
            if item[method]["operationId"] not in OPERATIONS:
                del item[method]
            elif "parameters" in item[method]:
                kept = [each for each in item[method]["parameters"] if each.get("$ref") not in left_out]
                item[method]["parameters"] = kept
    for _, node in walk(whole):
        if isinstance(node, dict) and node.get("format") in FORMATS:
            node.pop("maxLength", None)
            node.pop("minLength", None)
    return whole


def _schema(examples: int, *, whole: bool) -> Any:
    config = {
        "seed": 1,
        "generation": {
            "deterministic": True,
            "database": "none",
            "max-examples": examples,
            "no-shrink": True,
            # Text holds no NUL, in no operation: databases and logs disagree about it.
            "allow-x00": False,
        },
        "phases": {"coverage": {"enabled": whole}, "examples": {"enabled": whole}},
        "checks": _checks(),
        "operations": _groups(),
    }
    return schemathesis.openapi.from_dict(_for_schemathesis(), config=schemathesis.Config.from_dict(config))


# Formats as people fill them in. Hypothesis' own ideas of addresses are a hundred times slower, and what is odd about
# formats is proved in test_body.py and test_converters.py. Years far off are refused where documents sort by them.
_LETTERS = "[a-z0-9]{1,8}"
_MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(9998, 12, 31))  # noqa: DTZ001 - UTC is said in the text
schemathesis.openapi.format(
    "email", st.from_regex(rf"{_LETTERS}([.+]{_LETTERS})?@{_LETTERS}\.(com|org)", fullmatch=True)
)
schemathesis.openapi.format(
    "uri", st.from_regex(rf"https?://{_LETTERS}\.com(/{_LETTERS})?(\?{_LETTERS})?", fullmatch=True)
)
schemathesis.openapi.format("date-time", _MOMENTS.map(lambda moment: moment.isoformat() + "Z"))

WHOLE = _schema(EXAMPLES, whole=True)
BRIEF = _schema(max(2, EXAMPLES // 10), whole=False)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[House]:
    """A demo shop of this module's own."""
    with running_house(tmp_path_factory.mktemp("conformance"), redis_url) as running:
        yield running


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    """One connection for all requests."""
    with requests.Session() as kept:
        yield kept


def least(operation: Declared) -> str:
    """The first caller that may call an operation."""
    return next(role for role in ROLES if operation.may(role))


def _stay_shallow(case: Case[Any]) -> None:
    """Keeps valid requests within `page * limit` (decision 6): a bound that no schema can say."""
    query = case.query or {}
    try:
        limit = int(query.get("limit", 20))
        deep = max(int(query.get("page", 0)) * limit, int(query.get("offset", 0)) + limit) > DEEP
    except (TypeError, ValueError):
        return
    if deep and case.meta is not None and case.meta.generation.mode.is_positive:
        query.update({name: 1 for name in ("page", "offset") if name in query})


def call(case: Case[Any], house: House, session: requests.Session, headers: dict[str, str]) -> None:
    """Sends a case and holds the answer to the contract."""
    _stay_shallow(case)
    if len(urlencode(case.query or {})) > LONGEST:
        # No schema says how long a whole query may be; servers do.
        return
    if case.headers and "Idempotency-Key" in case.headers:
        # A key of its own for each request: what is sent twice is another test's.
        case.headers["Idempotency-Key"] = f"{case.headers['Idempotency-Key']}"[:80] + uuid4().hex
    case.call_and_validate(base_url=house.base, session=session, headers=headers)


class Callers(dict[tuple[str, str], dict[str, str]]):
    """The headers of new callers for each operation: what it does to their accounts ends with its test."""

    def __init__(self, house: House) -> None:
        super().__init__()
        self._house = house

    def __missing__(self, key: tuple[str, str]) -> dict[str, str]:
        self[key] = self._house.newcomer(key[1]).by_bearer
        return self[key]


@pytest.fixture(scope="module")
def callers(house: House) -> Callers:
    """A caller by operation and role."""
    return Callers(house)


@WHOLE.parametrize()  # type: ignore[untyped-decorator]  # the schema is Any
def test_as_the_least_who_may(case: Case[Any], house: House, session: requests.Session, callers: Callers) -> None:
    operation = OPERATIONS[case.operation.definition.raw["operationId"]]
    call(case, house, session, callers[operation.id, least(operation)])


@BRIEF.parametrize()  # type: ignore[untyped-decorator]  # schemathesis has no types
def test_as_everybody_else(case: Case[Any], house: House, session: requests.Session, callers: Callers) -> None:
    operation = OPERATIONS[case.operation.definition.raw["operationId"]]
    for role in ROLES:
        if role != least(operation):
            call(case, house, session, callers[operation.id, role])


@pytest.mark.parametrize(
    "operation", [o for o in OPERATIONS.values() if CURSOR in o.content.get("parameters", ())], ids=lambda o: o.id
)
def test_only_cursors_of_ours_are_taken(
    operation: Declared, house: House, session: requests.Session, callers: Callers
) -> None:
    headers = callers[operation.id, least(operation)]
    for cursor in ("x", "AAAA", "é", "%00", "a" * 1024):
        answer = session.get(
            f"{house.base}{operation.url()}", params={"cursor": cursor, **required(operation)}, headers=headers
        )
        assert answer.status_code == 400, answer.text
        (fault,) = answer.json()["error"]["details"]["faults"]
        assert (fault["in"], fault["path"]) == ("query", "cursor")


def required(operation: Declared) -> dict[str, str]:
    """The query that an operation cannot do without."""
    found = [resolved(each) for each in operation.content.get("parameters", ())]
    return {each["name"]: str(example_of(each)) for each in found if each["in"] == "query" and each.get("required")}

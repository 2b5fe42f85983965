"""The `x-` keys and the shapes that operations share: lists, entity tags, deprecation, pages, agents."""

from __future__ import annotations

import re
from datetime import date

from infra.contract.bundle import Json
from infra.contract.lint.contract import ENTRY, Contract, Operation
from infra.contract.lint.registry import Found, rule
from infra.contract.lint.walkers import named, successes

PAGES = [
    "homepage",
    "category",
    "search",
    "product",
    "order_tracking",
    "login",
    "signup",
    "checkout",
    "dashboard",
    "profile",
    "staff_sales",
    "staff_requests",
    "staff_logistics",
    "admin",
]
KNOWN_KEYS = [
    "x-required-role",
    "x-permissions",
    "x-rate-limit",
    "x-body-limit",
    "x-idempotent",
    "x-priority",
    "x-cache",
    "x-emits",
    "x-pages",
    "x-agent",
    "x-origin",
    "x-status",
    "x-expected-statuses",
    "x-deprecated-since",
    "x-sunset",
    "x-transitions",
]
# Lists that are not paged, with the reason.
UNPAGED = {"listRelatedProducts": "a handful of suggestions, never more"}


@rule("known-keys")
def known_keys(contract: Contract) -> Found:
    """An operation has only the `x-` keys of the README, so that none is misspelt."""
    for operation in contract.operations:
        for key in operation.document:
            if key.startswith("x-") and key not in KNOWN_KEYS:
                yield operation.place, f"{key} is not a key that we know"
        for key, known in (("x-status", "planned"), ("x-origin", "extension")):
            if operation.document.get(key, known) != known:
                yield operation.place, f"{key} is {operation.document[key]!r}; it is {known!r} or left out"


@rule("page-known")
def page_known(contract: Contract) -> Found:
    """`x-pages` names pages of the plan."""
    for operation in contract.operations:
        for page in operation.document.get("x-pages", []):
            if page not in PAGES:
                yield operation.place, f"x-pages: {page} is no page of the plan"


@rule("page-covered")
def page_covered(contract: Contract) -> Found:
    """Every page of the plan has operations."""
    used = {page for operation in contract.operations for page in operation.document.get("x-pages", [])}
    for page in PAGES:
        if page not in used:
            yield ENTRY, f"no operation names the page {page} in x-pages"


@rule("agent-known")
def agent_known(contract: Contract) -> Found:
    """`x-agent` names agents of the enum AgentName, one or a list, with a tool and what answers without it."""
    names = set(contract.components("schemas").get("AgentName", {}).get("enum", []))
    for operation in contract.operations:
        asked = operation.document.get("x-agent", [])
        for agent in asked if isinstance(asked, list) else [asked]:
            if agent.get("service") not in names:
                yield operation.place, f"x-agent: {agent.get('service')} is not in AgentName"
            if not str(agent.get("tool", "")).startswith("/") or not agent.get("fallback"):
                yield operation.place, "x-agent: it has a service, a tool that begins with / and a fallback"


@rule("list-parameters")
def list_parameters(contract: Contract) -> Found:
    """A list answers a `…Page` and takes Page, Limit and Cursor."""
    for operation in contract.operations:
        answered = _answered(operation)
        if operation.method != "get" or not (answered.endswith("Page") or operation.id.startswith("list")):
            continue
        if operation.id in UNPAGED:
            continue
        if not answered.endswith("Page"):
            yield operation.place, f"a list answers a …Page, not {answered or 'something without a name'}"
        taken = {named(parameter.get("$ref", "")) for parameter in operation.document.get("parameters", [])}
        for parameter in ("Page", "Limit", "Cursor"):
            if parameter not in taken:
                yield operation.place, f"a list takes the parameter {parameter}"


def _answered(operation: Operation) -> str:
    """The name of the schema of the first success answer."""
    for _, response in successes(operation):
        for entry in (response.get("content") or {}).values():
            return named(entry.get("schema", {}).get("$ref", ""))
    return ""


@rule("entity-tag")
def entity_tag(contract: Contract) -> Found:
    """An operation that takes If-Match answers the new ETag where it answers the document."""
    for operation in contract.operations:
        if not any(parameter.get("name") == "If-Match" for parameter in contract.parameters(operation)):
            continue
        for status, response in successes(operation):
            if response.get("content") and "ETag" not in (response.get("headers") or {}):
                yield operation.place, f"the answer {status} has no ETag header, though If-Match is taken"


@rule("deprecation")
def deprecation(contract: Contract) -> Found:
    """A deprecated operation says since when and until when; others do not."""
    for operation in contract.operations:
        said = {key: operation.document.get(key) for key in ("x-deprecated-since", "x-sunset")}
        if operation.document.get("deprecated") is not True:
            yield from ((operation.place, f"{key} without `deprecated: true`") for key, value in said.items() if value)
            continue
        for key, value in said.items():
            if not _is_day(value):
                yield operation.place, f"deprecated without {key}, a day in quotes"
        if all(map(_is_day, said.values())) and str(said["x-sunset"]) <= str(said["x-deprecated-since"]):
            yield operation.place, "x-sunset is not after x-deprecated-since"


def _is_day(value: object) -> bool:
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


@rule("expected-statuses")
def expected_statuses(contract: Contract) -> Found:
    """`x-expected-statuses` are among the documented answers."""
    for operation in contract.operations:
        documented = {str(status) for status in operation.document.get("responses") or {}}
        for status in operation.document.get("x-expected-statuses", []):
            if str(status) not in documented:
                yield operation.place, f"x-expected-statuses: {status} is not documented"


@rule("rate-limit-shape")
def rate_limit(contract: Contract) -> Found:
    """`x-rate-limit` is `{per_minute, burst}`, both whole numbers above 0."""
    for operation in contract.operations:
        limit = operation.document.get("x-rate-limit")
        if limit is not None and not _counts(limit, "per_minute", "burst"):
            yield operation.place, f"x-rate-limit: {limit} is not {{per_minute, burst}}"


@rule("cache-shape")
def cache_shape(contract: Contract) -> Found:
    """`x-cache` is `{max_age, scope: public|private}`, on GET; only anonymous answers are public."""
    for operation in contract.operations:
        cache = operation.document.get("x-cache")
        if cache is None:
            continue
        if operation.method != "get" or cache.get("scope") not in ("public", "private") or "max_age" not in cache:
            yield operation.place, f"x-cache: {cache} is not {{max_age, scope}} on a GET"
        elif cache["scope"] == "public" and operation.document.get("x-required-role") != "anonymous":
            yield operation.place, "x-cache: public, but the answer depends on the caller"


@rule("cache-server")
def cache_server(contract: Contract) -> Found:
    """`server` in `x-cache` is seconds, `of` tags, `shared` false; `X-Cache` is in the answer just then, a 200."""
    tags = {tag["name"] for tag in contract.http.get("tags", [])}
    for operation in contract.operations:
        cache = operation.document.get("x-cache") or {}
        answers = dict(successes(operation))
        says = any("X-Cache" in (answer.get("headers") or {}) for answer in answers.values())
        if says != ("server" in cache):
            yield operation.place, "an answer has the header X-Cache if, and only if, x-cache has server"
        if set(cache) - _CACHE_KEYS or ("server" not in cache and set(cache) & {"of", "shared"}):
            yield operation.place, f"x-cache: {sorted(set(cache) - {'max_age', 'scope'})} is not server, of, shared"
        elif "server" in cache and not (_counts({"server": cache["server"]}, "server") and set(answers) == {"200"}):
            yield operation.place, "x-cache: server is a number of seconds, and the operation answers 200"
        elif cache.get("shared", False) is not False or not set(cache.get("of", [])) <= tags:
            yield operation.place, "x-cache: shared is false or left out, and of is a list of tags"


_CACHE_KEYS = frozenset({"max_age", "scope", "server", "of", "shared"})


def _counts(value: Json, *keys: str) -> bool:
    return set(value) == set(keys) and all(isinstance(value[key], int) and value[key] > 0 for key in keys)

"""The plan's operations and events are all there, and what is more says so."""

from __future__ import annotations

from infra.contract.lint.contract import ENTRY, EVENTS_ENTRY, Contract
from infra.contract.lint.registry import Found, rule


@rule("plan-operation")
def plan_operation(contract: Contract) -> Found:
    """Every operation of the plan is in the contract."""
    there = {f"{operation.method.upper()} {operation.path}" for operation in contract.operations}
    for line in sorted(contract.plan_operations - there):
        yield ENTRY, f"{line} of the plan is missing"


@rule("origin-extension")
def origin_extension(contract: Contract) -> Found:
    """`x-origin: extension` is said exactly by the operations that the plan does not have."""
    for operation in contract.operations:
        planned = f"{operation.method.upper()} {operation.path}" in contract.plan_operations
        extension = operation.document.get("x-origin") == "extension"
        if planned and extension:
            yield operation.place, "x-origin: extension, but the plan has this operation"
        if not planned and not extension:
            yield operation.place, "the plan has no such operation; say `x-origin: extension`"


@rule("plan-event")
def plan_event(contract: Contract) -> Found:
    """Every event of the plan is in the contract, on the topic that it was given; every topic has events."""
    messages = contract.events.get("components", {}).get("messages", {})
    for event, topic in sorted(contract.plan_events.items()):
        if event not in messages:
            yield EVENTS_ENTRY, f"{event} of the plan is missing"
        elif messages[event].get("x-topic") != topic:
            yield f"asyncapi/messages/{event}.yaml", f"x-topic should be {topic}"
    topics = set(contract.plan_events.values())
    for name in sorted(topics ^ set(contract.events.get("channels", {}))):
        yield EVENTS_ENTRY, f"topic {name} is {'missing' if name in topics else 'not in the plan'}"

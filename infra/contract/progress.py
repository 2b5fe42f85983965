"""How much of the contract is built: `python -m infra.contract.progress`, printed at the end of `make check`."""

from __future__ import annotations

from collections import Counter

from infra.contract.bundle import Json, bundle_asyncapi, bundle_openapi
from infra.contract.policy import operations
from infra.contract.routing import built


def counts(http: Json, events: Json) -> dict[str, tuple[int, int]]:
    """Implemented and all, of the operations of each tag and of the events."""
    total: Counter[str] = Counter()
    done: Counter[str] = Counter()
    for _, _, operation in operations(http):
        total[operation["tags"][0]] += 1
        done[operation["tags"][0]] += built(operation)
    result = {tag: (done[tag], total[tag]) for tag in total}
    messages = events["components"]["messages"].values()
    result["events"] = (sum(1 for message in messages if built(message)), len(messages))
    return result


def main() -> int:
    """Prints one line a tag and the sums."""
    found = counts(bundle_openapi(), bundle_asyncapi())
    events = found.pop("events")
    for tag, (done, total) in found.items():
        bar = "█" * done + "·" * (total - done)
        print(f"  {tag:<16}{done:>3} of {total:<3} {bar}")
    done, total = (sum(pair[index] for pair in found.values()) for index in (0, 1))
    print(f"  implemented: {done} of {total} operations, {events[0]} of {events[1]} events; the others answer 501")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

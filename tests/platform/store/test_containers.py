"""`infra/containers.yaml`: it is complete, it makes sense, and the generated table is what it says."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from generated.containers import CONTAINERS, PER_DOCUMENT
from handlers.platform.outbox import COUNTER
from infra.contract.containers import TARGET, BadContainers, load, render

# What containers.tsv lists and decision 51, 15, 26 or 56 has replaced.
REPLACED = {
    "order_items",
    "reservations",
    "outbox",
    "processed_events",
    "idempotency_keys",
    "email_verifications",
    "password_resets",
    "guest_sessions",
    "refresh tokens",
}
SEED = {
    "users": ("user_id",),
    "products": ("category_slug",),
    "orders": ("user_id",),
    "reviews": ("product_id",),
    "cart": ("user_id",),
    "addresses": ("user_id",),
    "payment_methods": ("user_id",),
    "tickets": ("user_id",),
    "shipments": ("order_id",),
    "audit_logs": ("entity_type", "month"),
}


def test_the_generated_table_is_current() -> None:
    assert TARGET.read_text(encoding="utf-8") == render(load())


@pytest.mark.parametrize("name", SEED)
def test_the_plans_containers_have_their_partition_keys(name: str) -> None:
    assert CONTAINERS[name].partition_key == SEED[name]


def test_every_container_of_the_inventory_is_there() -> None:
    listed = {
        *("categories", "wishlist", "banners", "promo_codes", "returns", "payments", "inventory", "config"),
        *("auth_tokens", "sales_aggregates", "unique_claims", "lookups", "counters", "deadlines", "dead_letters"),
        *("checkpoints", "leases", "notifications", "erasures", *SEED),
    }
    assert listed == {*CONTAINERS}
    assert not REPLACED & {*CONTAINERS}


def test_outbox_rows_collide_with_no_partition_key() -> None:
    own = {"id", "kind", "ttl", "created_at", "topic", "partition_key", "sequence", "envelope", COUNTER}
    for container in CONTAINERS.values():
        if "outbox" in container.kinds:
            assert not own & {*container.partition_key}, container.name
            assert "outbox_relay" in container.cross_partition


def test_times_to_live() -> None:
    assert CONTAINERS["audit_logs"].ttl == 90 * 24 * 3600
    assert CONTAINERS["cart"].ttl == CONTAINERS["auth_tokens"].ttl == PER_DOCUMENT
    assert CONTAINERS["orders"].ttl is None
    assert CONTAINERS["orders"].kinds["idempotency"] == 24 * 3600
    assert CONTAINERS["inventory"].kinds["hold"] == PER_DOCUMENT


def change(path: str, value: Any) -> dict[str, Any]:
    """The description with one place changed."""
    described = copy.deepcopy(load())
    *above, leaf = path.split("/")
    place = described
    for name in above:
        place = place[name]
    if value is None:
        del place[leaf]
    else:
        place[leaf] = value
    return described


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        ("containers", None, "not a mapping"),
        ("containers/users/partition_key", None, "missing"),
        ("containers/users/reason", None, "missing"),
        ("containers/users/ttl", "soon", "ttl"),
        ("containers/users/ttl", 0, "ttl"),
        ("containers/users/ttl", True, "ttl"),
        ("containers/users/partition_key", ["user_id"], "no path"),
        ("containers/users/partition_key", [], "one to three"),
        ("containers/users/filters", ["/a'b"], "no path"),
        ("containers/users/indexes", [["/role sideways"]], "neither"),
        ("containers/users/service_rows", ["unknown"], "unknown service rows"),
        ("containers/users/unique_keys", [["/email"]], "exclude each other"),
        ("containers/users/colour", "red", "unknown fields"),
        ("containers/users/cross_partition", {"Admin Users": "x"}, "needs a name"),
        ("containers/users/cross_partition", {"admin_users": ""}, "needs a name and a reason"),
        ("containers/users/cross_partition", ["admin_users"], "not a mapping"),
        ("containers/Users!", {"reason": "x", "partition_key": ["/a"], "ttl": "none"}, "lower case"),
        ("service_rows/outbox/ttl", None, "missing"),
        ("service_rows/Out-box", {"reason": "x", "ttl": "none"}, "lower case"),
    ],
)
def test_a_description_that_makes_no_sense_is_refused(path: str, value: Any, complaint: str) -> None:
    with pytest.raises(BadContainers, match=complaint):
        render(change(path, value))

"""Entries of the stock ledger: what moves the stock of a variant, and the event that tells of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from generated import models as m
from generated import views as v
from handlers.inventory.rules import status
from handlers.platform.errors import unprocessable

Json = dict[str, Any]
Reason = Literal["reserved", "released", "shipped", "restocked", "adjusted"]

MAX_UNITS: Final = 10_000_000


def moved(stock: Mapping[str, Any], *, on_hand: int = 0, reserved: int = 0, now: str) -> Json:
    """The stock after an entry: units added to the warehouse and to those held, negative when taken away.

    Raises `Problem` 422: fewer on hand than are held, more than can be counted.
    """
    after = {
        **stock,
        "on_hand": stock["on_hand"] + on_hand,
        "reserved": stock["reserved"] + reserved,
        "version": stock["version"] + 1,
        "updated_at": max(now, stock["updated_at"]),
    }
    after["told"] = told(after)  # the entry's event is written with it, and tells of everything up to it
    if after["on_hand"] < after["reserved"] or after["on_hand"] < 0:
        raise unprocessable(
            "Stock cannot fall below what is reserved for open orders",
            "stock_negative",
            on_hand=stock["on_hand"],
            reserved=stock["reserved"],
        )
    if after["on_hand"] > MAX_UNITS:
        raise unprocessable(f"At most {MAX_UNITS} units", "limit_reached", on_hand=stock["on_hand"])
    return after


def told(stock: Mapping[str, Any]) -> Json:
    """What an event that tells of the stock as it is has told: kept in the stock, as `told`."""
    return {name: stock[name] for name in ("version", "on_hand", "reserved")}


def is_told(stock: Mapping[str, Any]) -> bool:
    """Whether every entry has been told of."""
    return bool(_before(stock)["version"] >= stock["version"])


def summed(stock: Mapping[str, Any], reason: Reason) -> Json:
    """The data of `StockLevelChanged` about all entries since the event before; `reason` is that of the last."""
    return _told(_before(stock), stock, reason)


def _before(stock: Mapping[str, Any]) -> Mapping[str, Any]:
    """What was told last. A stock from before this was kept has as its last entry one that moved nothing."""
    found: Mapping[str, Any] = stock.get("told") or {**told(stock), "version": max(stock["version"] - 1, 0)}
    return found


def level(stock: Mapping[str, Any]) -> v.StockLevel:
    """The stock of a variant in full."""
    units = stock["on_hand"] - stock["reserved"]
    return {
        "product_id": stock["product_id"],
        "variant_id": stock["variant_id"],
        "sku": stock["sku"],
        "on_hand": stock["on_hand"],
        "reserved": stock["reserved"],
        "available": units,
        "status": status(units),
        "updated_at": stock["updated_at"],
    }


def entry(before: Mapping[str, Any], after: Mapping[str, Any], reason: Reason, **more: Any) -> Json:
    """The data of `StockLevelChanged`; `more`: `adjustment_reason`, `order_id`, `return_id`.

    The changes are those since the event before, so that who adds them up has the level.
    """
    return _told(before.get("told") or before, after, reason, **more)


def _told(before: Mapping[str, Any], after: Mapping[str, Any], reason: Reason, **more: Any) -> Json:
    return {
        "product_id": after["product_id"],
        "variant_id": after["variant_id"],
        "reason": reason,
        "on_hand_change": after["on_hand"] - before["on_hand"],
        "reserved_change": after["reserved"] - before["reserved"],
        "level": level(after),
        "version": after["version"],
        **more,
    }


def adjustment(
    body: m.StockAdjustmentCreate, after: Mapping[str, Any], adjustment_id: str, by: str, note: str | None
) -> v.StockAdjustment:
    """The adjustment as it was recorded."""
    recorded: v.StockAdjustment = {
        "adjustment_id": adjustment_id,
        "delta": body.delta,
        "reason": body.reason,
        "level": level(after),
        "created_by": by,
        "created_at": after["updated_at"],
    }
    if note is not None:
        recorded["note"] = note
    return recorded

"""Operations of the tag `addresses`."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import MISSING

from generated import models as m
from generated import params as p
from generated import views as v
from handlers.addresses import rules, store
from handlers.addresses.postal import Examined, examined
from handlers.contract.call import Call
from handlers.contract.reply import Reply
from handlers.platform import etags
from handlers.platform.clock import timestamp
from handlers.platform.errors import not_found, unprocessable
from handlers.platform.ids import new_id
from handlers.platform.paging import part_of
from handlers.platform.store.port import Document
from handlers.pricing.prices import Prices
from handlers.pricing.shipping import ShippingTable


async def list_addresses(params: p.ListAddressesParameters, call: Call) -> v.AddressBookEntryPage:
    """A page of the caller's book: defaults first, then the newest."""
    found = await store.read_all(call.services.store, call.principal.id)
    entries = rules.in_order(each.data for each in found)
    part = part_of(entries, params, call.services.cursors, f"addresses|{call.principal.id}")
    return {
        "items": [rules.entry_view(entry) for entry in part.items],
        "page": part.page,
        "limit": params.limit,
        "total": part.total,
        "next_cursor": part.next_cursor,
    }


async def create_address(body: m.AddressCreate, call: Call) -> Reply[v.AddressBookEntry]:
    """Adds an address; the first of its type is the default."""
    now, address_id = timestamp(call.services.clock.now()), new_id("address")
    kind = body.type if body.type is not MISSING else "shipping"
    address = rules.possible(examined(rules.given(body), _shipping(call)))
    entry = rules.new_entry(call.principal.id, address_id, kind, address, now)

    def add(before: Sequence[Document]) -> list[rules.Json]:
        if len(before) >= rules.MAX_ENTRIES:
            raise unprocessable(f"At most {rules.MAX_ENTRIES} addresses", "limit_reached", limit=rules.MAX_ENTRIES)
        entries = [*(each.data for each in before), entry]
        return rules.arranged(entries, now, first=address_id if body.is_default else None)

    return await _changed(call, address_id, add)


async def update_address(
    params: p.UpdateAddressParameters, body: m.AddressUpdate, call: Call
) -> Reply[v.AddressBookEntry]:
    """Changes an address; the result as a whole has to be possible."""
    now, address_id = timestamp(call.services.clock.now()), params.address_id
    wish = body.is_default if body.is_default is not MISSING else None

    def update(before: Sequence[Document]) -> list[rules.Json]:
        entry = _entry(before, address_id, params.if_match).data
        address = rules.possible(examined(rules.changed_fields(entry, body), _shipping(call)))
        changed = rules.changed_entry(entry, body, address, now)
        entries = [changed if each.data is entry else each.data for each in before]
        first, last = (address_id if wish is True else None), (address_id if wish is False else None)
        return rules.arranged(entries, now, first=first, last=last)

    return await _changed(call, address_id, update)


async def delete_address(params: p.DeleteAddressParameters, call: Call) -> None:
    """Removes an address; when it was a default, the newest other one of its type takes its place."""
    now = timestamp(call.services.clock.now())

    def remove(before: Sequence[Document]) -> list[rules.Json]:
        gone = _entry(before, params.address_id, params.if_match)
        return rules.arranged((each.data for each in before if each is not gone), now)

    await store.change(call.services.store, call.principal.id, remove)


async def set_default_address(params: p.SetDefaultAddressParameters, call: Call) -> Reply[v.AddressBookEntry]:
    """Makes an address the default of its type."""
    now = timestamp(call.services.clock.now())

    def prefer(before: Sequence[Document]) -> list[rules.Json]:
        _entry(before, params.address_id, params.if_match)
        return rules.arranged((each.data for each in before), now, first=params.address_id)

    return await _changed(call, params.address_id, prefer)


async def validate_address(body: m.AddressInput, call: Call) -> v.AddressValidation:
    """What checkout would think of an address."""
    return rules.validation_view(examine(body, call))


def examine(body: m.AddressInput, call: Call) -> Examined:
    """An address of a request, examined."""
    return examined(rules.given(body), _shipping(call))


def _shipping(call: Call) -> ShippingTable:
    return call.services.room(Prices).shipping


async def _changed(call: Call, address_id: str, edit: store.Edit) -> Reply[v.AddressBookEntry]:
    written = (await store.change(call.services.store, call.principal.id, edit))[address_id]
    return Reply(rules.entry_view(written.data), etag=written.etag)


def _entry(book: Sequence[Document], address_id: str, if_match: str | None) -> Document:
    """The entry of an id. Raises `Problem` 404, 412."""
    found = next((each for each in book if each.data["address_id"] == address_id), None)
    if found is None:
        raise not_found("Address", address_id=address_id)
    etags.check(if_match, found.etag)
    return found

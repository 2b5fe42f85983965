"""The saved payment methods: container `payment_methods`, partition `/user_id`, a document for each, read whole.

The row `wallet|<user>` holds the customer's id at Stripe and the default. It is in every batch that changes the
methods, guarded by its etag, so that parallel changes leave one default, no more methods than allowed, none twice.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from handlers.payment_methods.rules import MAX_METHODS, default_after
from handlers.platform.concurrency import FASTER, retrying
from handlers.platform.errors import unavailable
from handlers.platform.store.port import (
    Create,
    Delete,
    Document,
    DocumentExists,
    DocumentMissing,
    DocumentStore,
    Operation,
    Query,
    Replace,
)

CONTAINER: Final = "payment_methods"
KIND: Final = "wallet"

Json = dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Wallet:
    """What a customer has saved. `customer`: the id at Stripe, None before anything was saved."""

    user_id: str
    methods: list[Json]
    row: Document | None

    @property
    def customer(self) -> str | None:
        """The customer's id at Stripe."""
        return self.row.data["customer"] if self.row is not None else None

    @property
    def default(self) -> str | None:
        """The id of the default method, None when nothing is saved."""
        return default_after(self.methods, self.row.data["default"] if self.row is not None else None)


async def read(store: DocumentStore, user_id: str) -> Wallet:
    """Everything a customer has saved."""
    # The row first: what is written in between then fails at its etag.
    row = await store.read(CONTAINER, user_id, _row_id(user_id))
    page = await store.query(Query(CONTAINER, partition=user_id, limit=MAX_METHODS + 1))
    return Wallet(user_id, [each.data for each in page.items], row)


async def customer_of(store: DocumentStore, user_id: str) -> str | None:
    """The customer's id at Stripe, None before anything was saved. One point read."""
    row = await store.read(CONTAINER, user_id, _row_id(user_id))
    return row.data["customer"] if row is not None else None


async def find(store: DocumentStore, user_id: str, method_id: str) -> tuple[Json, str] | None:
    """A saved method and the customer's id at Stripe, or None. Two point reads, where `read` asks for everything."""
    places = [(CONTAINER, user_id, method_id), (CONTAINER, user_id, _row_id(user_id))]
    method, row = await store.read_many(places)
    if method is None or row is None or method.data.get("payment_method_id") != method_id:
        return None
    return method.data, row.data["customer"]


async def open_wallet(store: DocumentStore, user_id: str, customer: str) -> None:
    """Notes the customer's id at Stripe; the first one noted stays."""
    row = {"id": _row_id(user_id), "kind": KIND, "user_id": user_id, "customer": customer, "default": None}
    with suppress(DocumentExists):
        await store.write(CONTAINER, Create(row))


async def add(
    store: DocumentStore, user_id: str, method: Json, check: Callable[[Sequence[Json]], None], *, first: bool
) -> tuple[Document, str | None]:
    """Writes a method; answers it and the default. `check` sees the methods as they are and may refuse by raising.

    Raises `Problem` 503 when others keep being faster.
    """

    async def attempt() -> tuple[Document, str | None]:
        wallet = await read(store, user_id)
        check(wallet.methods)
        wanted = method["payment_method_id"] if first or not wallet.methods else wallet.default
        written = await _write(store, wallet, Create(method), wanted)
        assert written is not None  # noqa: S101 - a create answers its document
        return written, wanted

    return await _settled(attempt)


async def remove(store: DocumentStore, user_id: str, method_id: str) -> None:
    """Removes a method, if it is there. The newest other one becomes the default."""

    async def attempt() -> None:
        wallet = await read(store, user_id)
        left = [each for each in wallet.methods if each["payment_method_id"] != method_id]
        if len(left) < len(wallet.methods):
            await _write(store, wallet, Delete(method_id), default_after(left, wallet.default))

    await _settled(attempt)


async def erase(store: DocumentStore, user_id: str) -> None:
    """Removes everything. May be done twice."""
    wallet = await read(store, user_id)
    for each in (*(method["id"] for method in wallet.methods), _row_id(user_id)):
        with suppress(DocumentMissing):
            await store.write(CONTAINER, Delete(each), partition=user_id)


async def _write(store: DocumentStore, wallet: Wallet, operation: Operation, default: str | None) -> Document | None:
    if wallet.row is None:
        raise DocumentMissing("the wallet was closed meanwhile")
    row = Replace({**wallet.row.data, "default": default}, if_match=wallet.row.etag)
    return (await store.batch(CONTAINER, wallet.user_id, [operation, row]))[0]


async def _settled(attempt: Callable[[], Awaitable[T]]) -> T:
    try:
        return await retrying(attempt, on=FASTER)
    except FASTER:
        raise unavailable("Others are changing these payment methods") from None


def _row_id(user_id: str) -> str:
    return f"{KIND}|{user_id}"

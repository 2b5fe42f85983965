"""Who reads which partition, and how far: members of all groups, owners, epochs and checkpoints in the document store.

A member is a process; its document in `leases` says until when it lives, so one write renews all its partitions. The
document of a group's partition in `checkpoints` has its owner, its epoch and its checkpoint, so whoever loses a
partition has lost the etag to write with. The epoch is the owner level at the broker too: it ends the link of a former
owner the moment the next one arrives.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from handlers.platform.bus.consumption import Balance
from handlers.platform.process import has_ended
from handlers.platform.store.port import (
    Create,
    Delete,
    Document,
    DocumentExists,
    DocumentMissing,
    DocumentStore,
    Json,
    Query,
    Replace,
    Upsert,
    VersionConflict,
)

MEMBERS: Final = "event-members"  # the group of `leases`
EARLIEST: Final = "-1"  # the offset before the first message (Event Hubs)
_LEASES: Final = "leases"
_CHECKPOINTS: Final = "checkpoints"
_MOST: Final = 5000
_ATTEMPTS: Final = 3

Key = tuple[str, str, int]  # group, topic, partition


@dataclass(frozen=True, slots=True)
class Place:
    """Where to go on: behind `offset`, which is that of message number `sequence`. `epoch` None: nobody else minds."""

    epoch: int | None
    sequence: int = 0
    offset: str = EARLIEST


class Shares:
    """The share of one member. All methods raise `StoreError`. `lease`: seconds."""

    def __init__(self, store: DocumentStore, member: str, lease: float, wanted: Mapping[str, Sequence[Key]]) -> None:
        self._store = store
        self._member = member
        self._lease = lease
        self._wanted = wanted
        self._held: dict[Key, Document] = {}

    async def balance(self) -> Balance[Key, Place]:
        """Renews the membership, and takes what is free, up to a fair share of each group."""
        await self._renew()
        members = await self._members()
        owned: dict[Key, Place] = {}
        surplus: list[Key] = []
        for group, keys in self._wanted.items():
            share = _share(self._member, [name for name, groups in members.items() if group in groups], len(keys))
            own = await self._own(group, keys, share, members)
            owned |= {key: _place(document.data) for key, document in own.items()}
            surplus += [*own][share:]
        return Balance(owned, surplus)

    async def save(self, key: Key, place: Place) -> bool:
        """A checkpoint, unless there is a later one. False: the partition is another's now."""

        def later(document: Json) -> Json:
            return {"sequence": place.sequence, "offset": place.offset} if place.sequence > document["sequence"] else {}

        return await self._change(key, place.epoch, later)

    async def release(self, keys: Sequence[Key]) -> None:
        """Hands partitions back."""
        for key in keys:
            held = self._held.get(key)
            if held is not None:
                await self._change(key, held.data["epoch"], lambda _: {"owner": ""})
                self._held.pop(key, None)

    async def leave(self) -> None:
        """Hands everything back and is a member no more."""
        await self.release([*self._held])
        with suppress(DocumentMissing):
            await self._store.write(_LEASES, Delete(self._member), partition=MEMBERS)

    # --- members ----------------------------------------------------------------------------------------------------

    async def _renew(self) -> None:
        until = int((time.time() + self._lease) * 1000)
        document = {"id": self._member, "group": MEMBERS, "groups": [*self._wanted], "until": until}
        await self._store.write(_LEASES, Upsert({**document, "ttl": int(self._lease) + 600}))

    async def _members(self) -> dict[str, list[str]]:
        """Those who live, and their groups."""
        page = await self._store.query(Query(_LEASES, MEMBERS, limit=_MOST))
        now = time.time() * 1000
        return {
            found.data["id"]: found.data["groups"]
            for found in page.items
            if found.data["until"] > now and not has_ended(found.data["id"])
        }

    # --- partitions -------------------------------------------------------------------------------------------------

    async def _own(
        self, group: str, keys: Sequence[Key], share: int, members: Mapping[str, list[str]]
    ) -> dict[Key, Document]:
        found = {item.data["id"]: item for item in await self._documents(group)}
        own: dict[Key, Document] = {}
        for key in keys:
            document = found.get(_id(key))
            if document is not None and document.data["owner"] == self._member:
                own[key] = document
        for key in keys:
            if len(own) >= share:
                break
            document = found.get(_id(key))
            if key not in own and (document is None or document.data["owner"] not in members):
                taken = await self._take(key, document)
                if taken is not None:
                    own[key] = taken
        for key in keys:
            self._held.pop(key, None)
        self._held |= own
        return own

    async def _documents(self, group: str) -> list[Document]:
        return (await self._store.query(Query(_CHECKPOINTS, group, limit=_MOST))).items

    async def _take(self, key: Key, found: Document | None) -> Document | None:
        """None: another was faster."""
        group, topic, partition = key
        try:
            if found is None:
                document = {"id": _id(key), "consumer_group": group, "topic": topic, "partition": partition}
                first = {"owner": self._member, "epoch": 1, "sequence": 0, "offset": EARLIEST}
                return await self._store.write(_CHECKPOINTS, Create({**document, **first}))
            more = {"owner": self._member, "epoch": found.data["epoch"] + 1}
            return await self._store.write(_CHECKPOINTS, Replace({**found.data, **more}, if_match=found.etag))
        except (DocumentExists, DocumentMissing, VersionConflict):
            return None

    async def _change(self, key: Key, epoch: int | None, build: Callable[[Json], Json]) -> bool:
        """Writes to a partition's document as its owner. A conflict with a write of our own is none."""
        for _ in range(_ATTEMPTS):
            held = self._held.get(key)
            if held is None or held.data["epoch"] != epoch or held.data["owner"] != self._member:
                return False
            more = build(held.data)
            if not more:
                return True
            try:
                written = await self._store.write(_CHECKPOINTS, Replace({**held.data, **more}, if_match=held.etag))
            except (DocumentMissing, VersionConflict):
                await self._look_again(key)
            else:
                self._keep(key, written)
                return True
        return False

    async def _look_again(self, key: Key) -> None:
        self._keep(key, await self._store.read(_CHECKPOINTS, key[0], _id(key)))

    def _keep(self, key: Key, found: Document | None) -> None:
        if found is None:
            self._held.pop(key, None)
        else:
            self._held[key] = found


async def checkpoints(store: DocumentStore, group: str) -> dict[tuple[str, int], int]:
    """The number of the last message that a group has handled, by topic and partition. Raises `StoreError`."""
    found = (await store.query(Query(_CHECKPOINTS, group, limit=_MOST))).items
    return {(each.data["topic"], each.data["partition"]): each.data["sequence"] for each in found}


def _share(member: str, members: Sequence[str], total: int) -> int:
    """The same sum for every member: total over members, the first few by name one more."""
    names = sorted({*members, member})
    return total // len(names) + (names.index(member) < total % len(names))


def _id(key: Key) -> str:
    return f"{key[1]}|{key[2]}"


def _place(document: Json) -> Place:
    return Place(document["epoch"], document["sequence"], document["offset"])

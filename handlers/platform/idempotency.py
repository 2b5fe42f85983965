"""`Idempotency-Key`: the answer is kept beside the effect, in one batch, so that a repeated POST changes nothing.

The row lives in the container and partition of what it guards (decision 51) for 24 hours. Because effect and answer are
written together, there is no "still running": of two at once, the second fails on the row and answers as the first did.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from generated.containers import CONTAINERS
from handlers.contract.call import Call
from handlers.platform.errors import unprocessable
from handlers.platform.store.port import Create, Document, DocumentStore, StoreMisuse
from handlers.platform.store.values import place

KIND: Final = "idempotency"


@dataclass(frozen=True, slots=True)
class Attempt:
    """A POST with a key: which row it is, and the digest of its body."""

    id: str
    digest: str

    def row(self, container: str, guarded: Mapping[str, Any], answer: Mapping[str, Any]) -> Create:
        """The row with the answer, for the batch of the effect."""
        if KIND not in CONTAINERS[container].kinds:
            raise StoreMisuse(f"{container}: no idempotency rows here (infra/containers.yaml)")
        fields = place(CONTAINERS[container].partition_key, guarded)
        return Create({**fields, "id": self.id, "kind": KIND, "digest": self.digest, "answer": dict(answer)})

    async def answered(self, store: DocumentStore, container: str, partition: str) -> Any:
        """What the first such POST answered, or None. Raises `Problem` 422 when it had another body."""
        found: Document | None = await store.read(container, partition, self.id)
        if found is None:
            return None
        if found.data["digest"] != self.digest:
            raise unprocessable("This key was used with another body", "idempotency_key_reused")
        return found.data["answer"]


def attempt(key: str | None, operation: str, call: Call) -> Attempt | None:
    """The attempt that the header names: keys belong to a caller and an operation. None without a header."""
    if key is None:
        return None
    owner = hashlib.sha256(f"{call.principal.id}\x00{operation}".encode()).hexdigest()[:16]
    return Attempt(f"{KIND}|{owner}|{key}", hashlib.sha256(call.body_bytes).hexdigest())

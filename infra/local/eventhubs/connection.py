"""One client's connection (AMQP 1.0, parts 2.2 to 2.4): headers, SASL, frames in and out."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final

from infra.local.eventhubs import frames
from infra.local.eventhubs.codec import Malformed
from infra.local.eventhubs.session import Session
from infra.local.eventhubs.tokens import Gate

if TYPE_CHECKING:
    from infra.local.eventhubs.broker import Broker

IDLE: Final = 240_000  # milliseconds, what the service says too


class Connection:
    """Runs until the peer goes or `cut` is called."""

    def __init__(self, broker: Broker, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.broker = broker
        self.gate = Gate(broker.key, broker.bearers)
        self._reader = reader
        self._writer = writer
        self._sessions: dict[int, Session] = {}
        self._ticking: asyncio.TimerHandle | None = None

    async def run(self) -> None:
        """Serves it. Bytes that are not AMQP end it."""
        try:
            await self._greet()
            while await self._frame():
                pass
        except (asyncio.IncompleteReadError, OSError, Malformed):
            pass  # the peer is gone, or not worth talking to
        finally:
            self._end()

    def send(self, channel: int, body: bytes) -> None:
        """A frame, unless the connection is broken already."""
        if not self._writer.is_closing():
            self._writer.write(frames.frame(channel, body))

    def cut(self) -> None:
        """Breaks, without a word."""
        self._writer.transport.abort()

    async def _greet(self) -> None:
        """SASL first, where the peer asks for it; then AMQP (2.2, 5.3)."""
        header = await self._reader.readexactly(8)
        if header == frames.SASL_HEADER:
            self._writer.write(header + frames.frame(0, frames.mechanisms(), sasl=True))
            await self._read()
            self._writer.write(frames.frame(0, frames.outcome(), sasl=True))
            header = await self._reader.readexactly(8)
        if header != frames.AMQP_HEADER:
            raise Malformed("no AMQP 1.0")
        self._writer.write(header)

    async def _read(self) -> frames.Frame:
        size, offset, channel = frames.head(await self._reader.readexactly(8))
        rest = await self._reader.readexactly(size - 8)
        return frames.parse(rest[offset - 8 :], channel)

    async def _frame(self) -> bool:
        """One frame. False: it was the last."""
        frame = await self._read()
        match frame.code:
            case 0:
                return True
            case frames.OPEN:
                self.send(0, frames.opening(IDLE))
                self._tick(frame.field(4))
            case frames.BEGIN:
                self._sessions[frame.channel] = Session(self, frame)
            case frames.END:
                ended = self._sessions.pop(frame.channel, None)
                if ended is not None:
                    ended.close()
                    self.send(frame.channel, frames.end())
            case frames.CLOSE:
                self.send(0, frames.close())
                with contextlib.suppress(OSError):
                    await self._writer.drain()
                return False
            case _:
                session = self._sessions.get(frame.channel)
                if session is not None:
                    session.on_frame(frame)
        return True

    def _tick(self, milliseconds: int | None) -> None:
        """Empty frames, twice as often as the peer wants some (2.4.5)."""
        if not milliseconds:
            return
        self.send(0, b"")
        self._ticking = asyncio.get_running_loop().call_later(milliseconds / 2000, self._tick, milliseconds)

    def _end(self) -> None:
        if self._ticking is not None:
            self._ticking.cancel()
        for session in self._sessions.values():
            session.close()
        self._writer.close()

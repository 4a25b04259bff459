"""The door between a shop and its database: counts what is written, and can act before a write.

It knows of the protocol what it has to: packets, and which commands carry SQL.
"""

from __future__ import annotations

import contextlib
import random
import re
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

PORT: Final = 3306
_QUERY: Final = 0x03
_PREPARE: Final = 0x16
_EXECUTE: Final = 0x17
_WRITE: Final = re.compile(
    rb"(?:\s|/\*.*?\*/)*(INSERT|UPDATE|DELETE|REPLACE|CREATE|ALTER|DROP|TRUNCATE|RENAME|COMMIT)\b",
    re.IGNORECASE | re.DOTALL,
)

Trap = Callable[[int, bytes], bool]
"""Given how many writes there were with this one, and its SQL and values: whether to act."""


class Gate:
    """Listens on an address of 127.77.0.0/16, so that several suites may run beside each other."""

    def __init__(self, backend: Path) -> None:
        self._backend = backend
        self._listener, self.address = _listen()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._trap: Trap | None = None
        self._act: Callable[[], None] = lambda: None
        self.shut = False
        self.writes = 0
        self.refused = 0
        self.sprung = False
        threading.Thread(target=self._accept, daemon=True).start()

    def reset(self) -> None:
        """Open, with nothing counted and no trap."""
        with self._lock:
            self._trap = None
            self.shut = self.sprung = False
            self.writes = self.refused = 0

    def arm(self, trap: Trap, act: Callable[[], None]) -> None:
        """Shut the gate and act, once, before the write that the trap chooses is handed on."""
        with self._lock:
            self._trap, self._act = trap, act

    def close(self) -> None:
        """End for good."""
        self.shut = True
        self._listener.close()
        self._sever()

    def _sever(self) -> None:
        with self._lock:
            ends = list(self._open)
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.shut:
                self.refused += 1
                client.close()
                continue
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with self._lock:
            self._open |= {client, server}
        back = threading.Thread(target=_pump, args=(server, client), daemon=True)
        try:
            server.connect(str(self._backend))
            back.start()
            self._forward(client, server)
        except OSError:
            pass  # either end is gone, and with it the connection
        finally:
            with self._lock:
                self._open -= {client, server}
            for end in (server, client):
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
            if back.ident is not None:
                back.join()
            server.close()
            client.close()

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        prepared = False
        while True:
            head = _exactly(client, 4)
            body = _exactly(client, int.from_bytes(head[:3], "little"))
            writes = False
            # Commands begin a sequence; the rest belongs to logging in.
            if head[3] == 0 and body:
                is_write = _WRITE.match(body, 1) is not None
                if body[0] == _PREPARE:
                    prepared = is_write  # lib.php executes what it prepared last
                writes = (body[0] == _QUERY and is_write) or (body[0] == _EXECUTE and prepared)
            if self.shut or (writes and self._springs(body)):
                return
            server.sendall(head + body)

    def _springs(self, body: bytes) -> bool:
        with self._lock:
            self.writes += 1
            if self._trap is None or not self._trap(self.writes, body):
                return False
            self._trap = None
            self.shut = self.sprung = True
        self._act()
        self._sever()
        return True


def _listen() -> tuple[socket.socket, str]:
    for _ in range(100):
        address = f"127.77.{random.randrange(256)}.{random.randrange(1, 255)}"
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((address, PORT))
            listener.listen(64)
        except OSError:
            listener.close()
            continue
        return listener, address
    raise RuntimeError(f"no address of 127.77.0.0/16 has port {PORT} free: is a server on 0.0.0.0?")


def _exactly(end: socket.socket, count: int) -> bytes:
    parts = bytearray()
    while len(parts) < count:
        piece = end.recv(count - len(parts))
        if not piece:
            raise ConnectionError("the other end has closed")
        parts += piece
    return bytes(parts)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(1 << 16):
            sink.sendall(piece)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR)

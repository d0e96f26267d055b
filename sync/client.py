"""Talk to a peer over HTTP: one POST per message, signed with the node's key (httpx)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager

import httpcore
import httpx

from sync import envelope, pairing
from sync.errors import LinkError, PairingError, RefusedError, WireError
from sync.identity import NodeKey
from sync.messages import MAX_MESSAGE_BYTES, Join, Joined, Message, Push, Refusal, Role, from_line, to_line
from sync.node import Node
from sync.ports import Traffic

CONTENT_TYPE = "application/vnd.outpost.sync"
# A satellite modem may hold 30 s of our bytes before the other side sees the first.
_TIMEOUT = httpx.Timeout(120.0, connect=30.0)

# What is taken from a socket at once, if so much is there. With the 64 kB of httpcore, files take twice the CPU.
httpcore.HTTP11Connection.READ_NUM_BYTES = 1024 * 1024


class HttpReply:
    """An answer whose message was read and whose bytes are still arriving."""

    def __init__(self, message: Message, rest: Iterator[bytes]) -> None:
        self.message = message
        self._rest = rest

    def chunks(self) -> Iterator[bytes]:
        """Return the bytes after the message, as they arrive."""
        try:
            yield from self._rest
        except httpx.HTTPError as error:
            raise LinkError(f"The link broke: {type(error).__name__}") from error


class HttpTransport:
    """Asks one node at one address.

    Args:
        address: the node's public URL, ``/sync`` is added.
        to: the node's id; ``None`` while pairing, when it is not known yet.
    """

    def __init__(
        self, address: str, *, key: NodeKey, to: str | None, client: httpx.Client | None = None
    ) -> None:
        self.traffic = Traffic()
        self._key = key
        self._to = to
        self._base = address.rstrip("/") + "/sync/v1/"
        self._client = client or httpx.Client(timeout=_TIMEOUT, headers={"user-agent": "outpost"})

    def close(self) -> None:
        """Let the connection go."""
        self._client.close()

    def knock(self) -> bool:
        """Say whether a node answers at the address, for about 1 kB; nothing is sealed or said for it.

        An empty greeting is refused, in the form in which only nodes refuse. The connection is used again.
        """
        headers = {"content-type": CONTENT_TYPE, "accept-encoding": "identity"}
        try:
            with closing(self._send("hello", headers, b"")) as response:
                if response.headers.get("content-type") != CONTENT_TYPE:
                    return False
                for _ in self._arriving(response):
                    pass
        except httpx.HTTPError:
            return False
        return True

    @contextmanager
    def ask(self, message: Message, body: Iterable[bytes] = ()) -> Iterator[HttpReply]:
        """Send a message and its bytes; see ``sync.ports.Transport``."""
        line = to_line(message) + b"\n"
        headers = {"content-type": CONTENT_TYPE, "accept-encoding": "identity"}
        if self._to is not None:
            headers["authorization"] = envelope.authorization(
                self._key, to=self._to, kind=message.kind, line=line
            )
        length = len(line)
        if isinstance(message, Push):
            length += sum(frame.length for frame in message.frames)
        headers["content-length"] = str(length)
        try:
            with closing(self._send(message.kind, headers, self._counted(line, body))) as response:
                reply = self._reply(response)
                yield reply
                for _ in reply.chunks():  # read to its end, or the connection could not be used again
                    pass
        except httpx.UnsupportedProtocol as error:
            raise LinkError(f"{self._base!r} is no address: write it as https://… or http://…") from error
        except httpx.ConnectError as error:
            raise LinkError(
                f"Nobody answers at {self._base}. Is it running, and is there a network?"
            ) from error
        except httpx.HTTPError as error:
            raise LinkError(f"The link broke: {type(error).__name__}") from error

    def _send(self, kind: str, headers: dict[str, str], content: bytes | Iterable[bytes]) -> httpx.Response:
        request = self._client.build_request("POST", self._base + kind, headers=headers, content=content)
        self.traffic.turns += 1
        # Before it is sent: one that finds nobody has cost as much, though other packets.
        self.traffic.bytes_up += _size_of(request.headers)
        response = self._client.send(request, stream=True)
        self.traffic.bytes_down += _size_of(response.headers)
        return response

    def _counted(self, line: bytes, body: Iterable[bytes]) -> Iterator[bytes]:
        self.traffic.bytes_up += len(line)
        yield line
        for chunk in body:
            self.traffic.bytes_up += len(chunk)
            yield chunk

    def _reply(self, response: httpx.Response) -> HttpReply:
        if response.headers.get("content-type") != CONTENT_TYPE:
            raise WireError(
                f"What answered ({response.status_code}) is no Outpost node. A sign-in page of the network "
                "may be in the way, or the address is wrong."
            )
        chunks = self._arriving(response)
        line = b""
        rest = b""
        for chunk in chunks:
            head, feed, rest = chunk.partition(b"\n")
            line += head
            if feed or len(line) > MAX_MESSAGE_BYTES:
                break
        message = from_line(line)
        if isinstance(message, Refusal):
            raise RefusedError(message.code, message.detail)
        return HttpReply(message, _joined(rest, chunks))

    def _arriving(self, response: httpx.Response) -> Iterator[bytes]:
        for chunk in response.iter_raw():
            self.traffic.bytes_down += len(chunk)
            yield chunk


def join(
    node: Node, address: str, code: str, *, name: str, role: Role, client: httpx.Client | None = None
) -> str:
    """Pair with the node at an address by the code it gave; return its id.

    Raises:
        PairingError: the code is mistyped or does not fit. Nothing was changed.
        SyncError: the link or the other side failed; try again with the same code.
    """
    question, code_key = pairing.ask_to_join(node.key, name=name, role=role, code=code)
    answer = _ask_once(HttpTransport(address, key=node.key, to=None, client=client), question)
    with node.write() as session:
        pairing.accept(session, node, question, answer, code_key=code_key, address=address)
    return answer.node


def _ask_once(transport: HttpTransport, question: Join) -> Joined:
    try:
        with transport.ask(question) as reply:
            answer = reply.message
    except RefusedError as error:
        raise PairingError(error.detail) from error
    finally:
        transport.close()
    if not isinstance(answer, Joined):
        raise WireError("The other side answered something else than a certificate.")
    return answer


def _joined(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    if first:
        yield first
    yield from rest


def _size_of(headers: httpx.Headers) -> int:
    # Name, colon, space, value, line end; the request or status line is about 40 bytes.
    return 40 + sum(len(name) + len(value) + 4 for name, value in headers.raw)

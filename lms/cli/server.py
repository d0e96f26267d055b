"""Serve a node: two listeners, one program; one server per data folder."""

from __future__ import annotations

import gc
import logging
import multiprocessing
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing.process import BaseProcess
from types import FrameType

import uvicorn
from filelock import FileLock, Timeout
from starlette.concurrency import run_in_threadpool

from lms.app import Front, ServingNode, build_front, build_worker
from lms.certificates.authority import open_authority
from lms.certificates.door import build_door
from lms.certificates.hosts import authority_of, renew
from lms.certificates.pages import Reached
from lms.node import utc_now
from lms.settings import Settings
from lms.support.log import keeping_log

log = logging.getLogger(__name__)

LOCK_NAME = "server.lock"
REQUESTS_END_WITHIN_S = 7
JOBS_END_WITHIN_S = 2  # together less than the ten seconds that whoever stops us may wait
LOOK_AT_CERTIFICATE_TICKS = 300
_ENDINGS = (signal.SIGTERM, signal.SIGINT)


class ServerError(Exception):
    """The server cannot start; the message says why and what to do."""


@contextmanager
def only_server_of(settings: Settings) -> Iterator[None]:
    """Hold the data folder for the server alone; commands beside it need no such hold.

    Raises:
        ServerError: another server has it.
    """
    lock = FileLock(settings.data / LOCK_NAME)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise ServerError(
            f"Another Outpost server already uses {settings.data}. Stop it first, or give this one "
            "a folder of its own with --data."
        ) from error
    try:
        yield
    finally:
        lock.release()


def listen(host: str, port: int) -> socket.socket:
    """Open a listening socket.

    Raises:
        ServerError: the port is taken, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    if os.name != "nt":  # on Windows this would let two servers share one port
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise ServerError(
            f"Cannot listen on {host}:{port} ({error.strerror}). Is another program using it? "
            "Choose another with --port."
        ) from error
    listener.set_inheritable(True)
    return listener


def _nothing(_told: Reached) -> None:
    pass


def serve(
    settings: Settings, *, workers: int = 1, when_listening: Callable[[Reached], None] = _nothing
) -> None:
    """Serve until SIGTERM or Ctrl-C; what is under way has ten seconds to finish.

    Raises:
        ServerError: the server cannot start.
        KeyLostError: the node's key is not in its folder.
    """
    with only_server_of(settings), keeping_log(settings.data):
        ports = [settings.port, settings.content_port, *settings.ports_of_courses]
        listeners = [listen(settings.host, port) for port in ports]
        door = listen(settings.host, settings.join_port) if settings.https else None
        node = ServingNode(settings)
        node.database.upgrade()
        worker = build_worker(node)  # asks for the node's key: without one nothing is started
        if door is not None:
            authority_of(settings, now=utc_now())
            _open_door(node, door)
        when_listening(node.reached)
        worker.start()
        try:
            if workers == 1:
                run_server(build_front(node), listeners, settings)
            else:
                _run_processes(settings, listeners, workers)
        finally:
            worker.stop(within_s=JOBS_END_WITHIN_S)  # a job too long for that is done again
            node.close()


def _open_door(node: ServingNode, listener: socket.socket) -> None:
    """Hand out the root certificate by plain HTTP, until the process ends."""
    config = uvicorn.Config(
        build_door(node.site, node.reach, node.settings.data),
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
    )
    run = partial(uvicorn.Server(config).run, sockets=[listener])
    threading.Thread(target=run, name="door", daemon=True).start()


class _Server(uvicorn.Server):
    """Ends the answers that have no end before it waits for the others; shows a certificate that is good."""

    def __init__(self, config: uvicorn.Config, front: Front, settings: Settings) -> None:
        super().__init__(config)
        self._front = front
        self._settings = settings

    async def on_tick(self, counter: int) -> bool:
        """Look ten times in a second whether to end, and every half minute whether the certificate still fits."""
        if self._settings.https and counter % LOOK_AT_CERTIFICATE_TICKS == 0:
            await run_in_threadpool(self._show_certificate)
        return await super().on_tick(counter)

    def _show_certificate(self) -> None:
        authority = open_authority(self._settings.data)
        if renew(self._settings, authority, now=utc_now()):
            log.info("certificate_renewed")
        if self.config.ssl is not None:  # another process may have made it: new connections are shown it
            self.config.ssl.load_cert_chain(authority.chain_file, authority.key_file)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more requests, and finish those under way."""
        self._front.end_streams()
        await super().shutdown(sockets)


def run_server(front: Front, listeners: list[socket.socket], settings: Settings) -> None:
    """Answer requests on the listeners until told to stop."""
    authority = authority_of(settings, now=utc_now()) if settings.https else None
    config = uvicorn.Config(
        front,
        ssl_certfile=authority.chain_file if authority else None,
        ssl_keyfile=authority.key_file if authority else None,
        http="httptools",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=REQUESTS_END_WITHIN_S,
        timeout_keep_alive=15,
        h11_max_incomplete_event_size=16 * 1024,
    )
    server = _Server(config, front, settings)
    gc.set_threshold(50_000, 20, 20)  # of a batch of 500 statements nearly all is freed without a collection
    gc.collect()
    gc.freeze()  # what was built for the server lives as long as it; no collection need look at it again

    def ask_to_stop(_number: int, _frame: FrameType | None) -> None:
        server.should_exit = True

    # Uvicorn listens to these itself, but once all is answered raises them again for whoever listened before.
    # By default that is the end of the process on the spot: nothing closed, and a status that says failure.
    for number in _ENDINGS:
        signal.signal(number, ask_to_stop)
    server.run(sockets=listeners)


def _run_processes(settings: Settings, listeners: list[socket.socket], count: int) -> None:
    """Keep several stateless processes on the same listeners; one that dies is replaced."""
    new_process = _process_of_this_program()
    stop = threading.Event()

    def ask_to_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in _ENDINGS:
        signal.signal(number, ask_to_stop)

    def start() -> BaseProcess:
        process = new_process(target=_serve_in_process, args=(settings, listeners), daemon=True)
        process.start()
        return process

    processes = [start() for _ in range(count)]
    while not stop.wait(0.5):
        for place, process in enumerate(processes):
            if not process.is_alive():
                log.error("server_process_died", extra={"exit_code": process.exitcode})
                processes[place] = start()
    for process in processes:
        process.terminate()
    for process in processes:
        process.join(REQUESTS_END_WITHIN_S + 1)


def _process_of_this_program() -> Callable[..., BaseProcess]:
    """Return what makes processes that begin clean: without the threads and connections of this one.

    On Linux they come out of one that has loaded the program, once for all and for those that replace them.
    """
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn").Process
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context.Process


def _serve_in_process(settings: Settings, listeners: list[socket.socket]) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    node = ServingNode(settings)
    try:
        run_server(build_front(node), listeners, settings)
    finally:
        node.close()


def _end_with_parent() -> None:
    """Stop when the parent is gone: a killed one ends nobody, and whoever is left keeps its ports."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        signal.raise_signal(signal.SIGTERM)

"""This node as sync sees it: its key, its doors, its streams."""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from pathlib import Path

import machineid
from sqlalchemy.orm import Session

from lms.database import Database
from sync.identity import NodeKey
from sync.messages import Role
from sync.node import Node, create_identity
from sync.ports import Blobs, Erasure, Kept, Stream, Wishes


def now_ms() -> int:
    """Return the present instant as sync counts it."""
    return time.time_ns() // 1_000_000


def machine() -> str:
    """Return what differs between two machines, so that a cloned disk is recognised.

    The identifier of the operating system's installation, hashed with the product's name, as its keepers
    ask; where there is none, the name of the machine.
    """
    try:
        return str(machineid.hashed_id("outpost"))
    except machineid.MachineIdNotFound:
        return socket.gethostname()


def make_identity(session: Session, folder: Path, *, name: str, role: Role) -> NodeKey:
    """Give this node its key and its own certificate; safe to repeat."""
    return create_identity(session, folder, name=name or socket.gethostname(), role=role, now_ms=now_ms())


def sync_node(
    database: Database,
    key: NodeKey,
    folder: Path,
    *,
    streams: Sequence[Stream],
    blobs: Blobs,
    erasure: Erasure | None = None,
    kept: Kept | None = None,
    wishes: Wishes | None = None,
) -> Node:
    """Return what sync needs to take part."""
    return Node(
        key=key,
        write=database.write,
        read=database.read,
        clock=now_ms,
        streams=streams,
        blobs=blobs,
        folder=folder,
        machine=machine(),
        erasure=erasure,
        kept=kept,
        wishes=wishes,
    )

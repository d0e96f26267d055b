"""A training room: a hub and laptops, each in a network namespace of its own, on one switch.

Nothing here is connected with any other network: the namespaces are made by the test, and know each other only.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

NETWORK = "10.77.0"
HUB_ADDRESS = f"{NETWORK}.1"
COURSES_ADDRESS = f"{NETWORK}.2"  # a second one of the hub
ETC = Path("/etc/netns")  # what stands there for a namespace stands over /etc inside it (ip-netns(8))
OPEN_TIMEOUT_S = 180  # on a machine with much else to do


def ip(*arguments: str) -> None:
    """Run ``ip``."""
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


def why_not() -> str | None:
    """Return what keeps this machine from having such a room."""
    if shutil.which("ip") is None:
        return "no `ip` on the path; install iproute2 (Linux only)"
    trial = f"outpost-trial-{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", trial], capture_output=True, text=True, check=False)
    if made.returncode:
        return f"network namespaces cannot be made here: {made.stderr.strip()}"
    try:
        pair = ["ip", "-n", trial, "link", "add", "one", "type", "veth", "peer", "name", "other"]
        made = subprocess.run(pair, capture_output=True, text=True, check=False)
        return f"no veth here: {made.stderr.strip()}" if made.returncode else None
    finally:
        ip("netns", "del", trial)


@dataclass
class Room:
    """The namespaces of one test run."""

    places: list[str] = field(default_factory=list)
    tag: str = field(default_factory=lambda: f"outpost-{os.getpid()}")

    def namespace(self, place: str) -> str:
        """Return the name of a place's namespace."""
        return f"{self.tag}-{place}"

    def add(self, place: str, *addresses: str, names: str = "") -> None:
        """Put a machine into the room."""
        space = self.namespace(place)
        (ETC / space).mkdir(parents=True)
        (ETC / space / "hosts").write_text(f"127.0.0.1 localhost\n{names}\n", encoding="ascii")
        (ETC / space / "resolv.conf").write_text("", encoding="ascii")
        ip("netns", "add", space)
        self.places.append(place)
        ip("-n", space, "link", "set", "lo", "up")
        end = f"to-{place}"
        switch = self.namespace("switch")
        ip("-n", switch, "link", "add", end, "type", "veth", "peer", "name", "eth0", "netns", space)
        ip("-n", switch, "link", "set", end, "master", "switch", "up")
        for address in addresses:
            ip("-n", space, "addr", "add", f"{address}/24", "dev", "eth0")
        ip("-n", space, "link", "set", "eth0", "up")

    def cut(self, place: str) -> None:
        """Take a machine out of the network, as when it leaves the reach of the Wi-Fi: it knows that it is out."""
        ip("-n", self.namespace(place), "link", "set", "eth0", "down")

    def join(self, place: str) -> None:
        """Let it back in."""
        ip("-n", self.namespace(place), "link", "set", "eth0", "up")

    def inside(self, place: str, *command: str) -> list[str]:
        """Return a command as it runs at a place."""
        return ["ip", "netns", "exec", self.namespace(place), *command]

    def fetch(self, place: str, url: str, *options: str) -> str:
        """Ask from a place, as programs do: head and body."""
        asked = self.inside(
            place, "curl", "--silent", "--show-error", "--include", "--max-time", "10", *options, url
        )
        done = subprocess.run(asked, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def wait_for(self, place: str, address: str, port: int) -> None:
        """Wait until a port can be reached from a place."""
        knock = self.inside(place, "bash", "-c", f"exec 3<>/dev/tcp/{address}/{port}")
        deadline = time.monotonic() + OPEN_TIMEOUT_S
        while subprocess.run(knock, capture_output=True, check=False).returncode:
            assert time.monotonic() < deadline, f"{address}:{port} does not answer at {place}"
            time.sleep(0.1)

    def chromium(self, place: str, program: str, folder: Path, *, root: bytes | None = None) -> str:
        """Return a program that is Chromium at a place; with a root its administrator has installed."""
        policies = ETC / self.namespace(place) / "chromium" / "policies" / "managed"
        shutil.rmtree(policies, ignore_errors=True)
        if root is not None:
            policies.mkdir(parents=True, exist_ok=True)
            told = {"CACertificates": [base64.b64encode(root).decode("ascii")]}
            (policies / "root.json").write_text(json.dumps(told), encoding="ascii")
        script = folder / f"chromium-{place}"
        command = " ".join(self.inside(place, program))
        script.write_text(f'#!/bin/sh\nexec {command} "$@"\n', encoding="utf-8")
        script.chmod(0o755)
        return str(script)


@contextmanager
def a_room() -> Iterator[Room]:
    """Make a room with a switch; at the end it is gone with all that is in it."""
    room = Room()
    switch = room.namespace("switch")
    try:
        ip("netns", "add", switch)
        ip("-n", switch, "link", "add", "switch", "type", "bridge")
        ip("-n", switch, "link", "set", "switch", "up")
        yield room
    finally:
        for place in [*room.places, "switch"]:
            space = room.namespace(place)
            subprocess.run(["ip", "netns", "del", space], capture_output=True, check=False)
            shutil.rmtree(ETC / space, ignore_errors=True)

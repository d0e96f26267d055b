"""A laptop that reads a film as its browser asks for it, into nothing.

Run as ``python -m tests.benchmarks.watching PORT HOST PATH``: it says when it is there, waits for a line, and prints
how many bytes came. It loads little, so that ten of them take nothing from a room before their film begins.
"""

from __future__ import annotations

import sys
from http.client import HTTPConnection


def main() -> None:
    """Wait, read, print."""
    port, host, path = sys.argv[1:]
    print("here", flush=True)
    sys.stdin.readline()
    connection = HTTPConnection("127.0.0.1", int(port), timeout=600)
    connection.request("GET", path, headers={"Host": host, "Range": "bytes=0-"})
    response = connection.getresponse()
    room, size = bytearray(256 * 1024), 0
    while count := response.readinto(room):
        size += count
    print(size, flush=True)


if __name__ == "__main__":
    main()

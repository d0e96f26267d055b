"""Write the file for whoever helps, whole or not at all."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

from lms.node import Node, utc_now
from lms.support.members import MEMBERS, Member
from sync.errors import KeyLostError

README = "README.txt"

_ABOUT = """\
Outpost: how a node is, for whoever helps from afar.

Made on {day} (UTC) on node {node}.

There is nothing about people in this file: no names, no numbers, no records, no titles, nothing that anybody wrote, no
addresses, no keys and no passwords. Other nodes are named by their ids alone. All of it is text, to be read before it
is given to anybody.

"""


def write_support(node: Node, target: Path) -> list[str]:
    """Write the file to a path; return the names of what is in it.

    A part that cannot be made is told of by the kind of what went wrong: the file is for nodes that are not well.
    """
    beside = target.with_name(f"{target.name}.new")
    names = [README]
    try:
        with zipfile.ZipFile(beside, "w", compression=zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(README, "".join(_manifest(node)))
            for member in MEMBERS:
                archive.writestr(member.name, _made(member, node))
                names.append(member.name)
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
    return names


def _made(member: Member, node: Node) -> str:
    try:
        return member.make(node)
    except Exception as error:  # noqa: BLE001 - one part that fails is itself what is to be seen
        return f"{type(error).__name__}\n"


def _manifest(node: Node) -> Iterator[str]:
    try:
        name = node.sync.id
    except KeyLostError:
        name = "whose key is missing"
    yield _ABOUT.format(day=f"{utc_now():%Y-%m-%d %H:%M}", node=name)
    for member in MEMBERS:
        yield f"{member.name}\n    {member.says}\n"

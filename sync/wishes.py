"""Files that the host wishes for of its own accord, though no record waits for them, the most needed first.

A record waits for files where nothing can be done without them. A wish may be made, changed and taken back at any time:
the record that named the files was applied long ago, or it depends on other things whether they are needed here.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from sync.ports import BlobRef
from sync.tables import WishRow


def wish(session: Session, name: str, blobs: Collection[BlobRef], *, rank: int, leads: bool = False) -> None:
    """Wish for files in place of those wished for under the same name.

    Args:
        session: of the caller's transaction.
        name: of the host's own; it is told when the last of them has come (``ports.Wishes``).
        blobs: with none, nothing is wished for any more.
        rank: what is more needed has a smaller one. Files that records wait for come before all wishes.
        leads: they name other files that are needed as much (``most_needed``).
    """
    forget(session, [name])
    lacking = {blob.digest: blob for blob in blobs}
    if lacking:
        rows = [
            {
                "name": name,
                "digest": one.digest,
                "size": one.size,
                "like": one.like,
                "rank": rank,
                "leads": leads,
            }
            for one in lacking.values()
        ]
        session.execute(insert(WishRow), rows)


def forget(session: Session, names: Collection[str]) -> None:
    """Wish no more for what stands under some names."""
    session.execute(delete(WishRow).where(WishRow.name.in_(names)))


def ranks(session: Session) -> dict[str, int]:
    """Return the rank of what is wished for, by name."""
    found = session.execute(select(WishRow.name, func.min(WishRow.rank)).group_by(WishRow.name))
    return {name: rank for name, rank in found}  # noqa: C416 - rows are not pairs to the type checker


def most_needed(session: Session, digests: Sequence[str]) -> Collection[str]:
    """Return those of some files that may be asked for now: none that is less needed than one that names others.

    Those others are as much needed, and are known only once it is here; the link would be busy with something else.
    """
    first = session.scalar(select(func.min(WishRow.rank)).where(WishRow.leads, WishRow.digest.in_(digests)))
    if first is None:
        return digests
    needed = select(WishRow.digest, func.min(WishRow.rank)).where(WishRow.digest.in_(digests))
    ranked = {digest: rank for digest, rank in session.execute(needed.group_by(WishRow.digest))}  # noqa: C416 - rows are not pairs to the type checker
    return {digest for digest in digests if ranked.get(digest, 0) <= first}


def bytes_wished(session: Session) -> dict[str, int]:
    """Return how many bytes the files have that are wished for, by name; what is here of one on its way counts too."""
    found = session.execute(select(WishRow.name, func.sum(WishRow.size)).group_by(WishRow.name))
    return {name: int(size) for name, size in found}


def granted(session: Session, digests: Sequence[str]) -> list[str]:
    """Note that files are here; return the names under which nothing is left to wish for."""
    came = WishRow.digest.in_(digests)
    names = session.scalars(select(WishRow.name).where(came).distinct()).all()
    if not names:
        return []
    session.execute(delete(WishRow).where(came))
    left = set(session.scalars(select(WishRow.name).where(WishRow.name.in_(names)).distinct()))
    return [name for name in names if name not in left]

"""Which statements a log has told of, while they are held against the logs."""

from __future__ import annotations

from sqlalchemy import BigInteger, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from lms.database import Base


class ToldPage(Base):
    """One bit for each of ``PAGE`` positions of statements, from ``number`` × ``PAGE`` on.

    In the page that is ``exact`` it says that a log tells the statement byte for byte; in the other, that one tells it
    in other words, as the same statement may be told that two nodes were sent.
    """

    __tablename__ = "evidence_told"

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    exact: Mapped[bool] = mapped_column(primary_key=True)
    bits: Mapped[bytes] = mapped_column(LargeBinary)


PAGE = 1 << 15

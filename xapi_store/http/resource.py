"""What a resource of the standard is to the app: one way to read it, and some to change it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sqlalchemy.orm import Session
from starlette.responses import Response

from xapi_store.http.changes import Change
from xapi_store.http.lrs import Lrs
from xapi_store.http.request import LrsRequest


@dataclass(frozen=True, kw_only=True, slots=True)
class Resource:
    """A resource: `read` answers GET, `changes` has a function for each other method.

    A changing function checks all that needs no database, and says what is to be done in the transaction.
    `is_one_row` says whether a request reads no more than a row found by its key.
    """

    read: Callable[[Lrs, Session, LrsRequest], Response]
    is_one_row: Callable[[LrsRequest], bool]
    changes: Mapping[str, Callable[[Lrs, LrsRequest], Change]] = field(default_factory=dict)

"""Keys of the record store for programs: ``/api/v1/lrs-keys``."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from starlette.requests import Request

from lms.keys.actions import MOST_NAME_CHARS, create_key, revoke_key
from lms.keys.queries import list_keys
from lms.keys.scopes import LRS_SCOPES
from lms.people.policy import Right
from lms.people.viewer import requires
from lms.web.site import site_of
from lms.web.viewer import Viewer

router = APIRouter(prefix="/api/v1/lrs-keys", tags=["keys"])
Manager = Annotated[Viewer, Depends(requires(Right.MANAGE_KEYS))]


class KeyWanted(BaseModel):
    """What a key is for, and what it opens."""

    name: str = Field(max_length=MOST_NAME_CHARS)
    scopes: list[str] = Field(max_length=100, description=f"Of {', '.join(LRS_SCOPES)}.")


class KeyMade(BaseModel):
    """A key just made; its secret is given this once."""

    endpoint: str
    key: str
    secret: str


class KeyInList(BaseModel):
    """A key among others."""

    name: str
    key: str
    scopes: list[str]
    created: datetime
    revoked: datetime | None


class KeyList(BaseModel):
    """The keys of the record store, oldest first, revoked ones included."""

    keys: list[KeyInList]


@router.get("")
def get_keys(request: Request, _: Manager) -> KeyList:
    """List the keys."""
    with site_of(request).database.read() as session:
        found = list_keys(session, "lrs")
    return KeyList(
        keys=[
            KeyInList(name=one.name, key=one.key, scopes=one.scopes, created=one.created, revoked=one.revoked)
            for one in found
        ]
    )


@router.post("", status_code=201)
def post_key(request: Request, _: Manager, wanted: KeyWanted) -> KeyMade:
    """Make a key."""
    site = site_of(request)
    with site.database.write() as session:
        made = create_key(session, "lrs", wanted.name, wanted.scopes, now=site.now())
    return KeyMade(endpoint=f"{site.public_url}/xapi", key=made.key, secret=made.secret)


@router.delete("/{key}", status_code=204)
def remove_key(request: Request, _: Manager, key: str) -> None:
    """Put a key out of force; what was sent with it stays."""
    site = site_of(request)
    with site.database.write() as session:
        revoke_key(session, key, now=site.now(), kind="lrs")

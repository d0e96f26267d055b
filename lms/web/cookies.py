"""The cookies of the pages: the session, an anonymous visitor's mark, the machine's language, one just chosen.

Over TLS their names begin with ``__Host-Http-``: no neighbouring host can plant them, nor can a script at another port
of this one (Chromium from 140; to others it reads ``__Host-``). Over plain HTTP (a laptop at ``localhost``, a hub at
an address) browsers refuse such names, so the plain name is used; content hosts below ``localhost`` cannot
set cookies for it (measured). Cookies ignore ports: a part of the name belongs
to the node, or two nodes on one machine would sign each other's people out.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from lms.web.site import Site, site_of

SESSION = "session"
VISITOR = "visitor"
LANGUAGE = "language"
CHOSEN = "chosen"  # a language, by somebody who has not signed in yet

_MOST_AGES_S = {LANGUAGE: 365 * 24 * 3600, CHOSEN: 10 * 60}  # the others end with the browser


def cookie_name(site: Site, kind: str) -> str:
    """Return the name a cookie of this kind has on this node."""
    plain = f"outpost-{kind}-{site.sign('cookie', kind)[:8]}"
    return f"__Host-Http-{plain}" if site.is_https else plain


def read_cookie(request: Request, kind: str) -> str | None:
    """Return the cookie's value; an empty one counts as none."""
    return request.cookies.get(cookie_name(site_of(request), kind)) or None


def set_cookie(response: Response, site: Site, kind: str, value: str) -> None:
    """Give the browser a cookie: scripts cannot read it and other sites cannot make it travel in a form."""
    response.set_cookie(
        cookie_name(site, kind),
        value,
        path="/",
        secure=site.is_https,
        httponly=True,
        samesite="lax",
        max_age=_MOST_AGES_S.get(kind),
    )


def begin_session(response: Response, site: Site, token: str) -> None:
    """Give the browser the cookie of a session, in the place of an anonymous visitor's mark."""
    set_cookie(response, site, SESSION, token)
    drop_cookie(response, site, VISITOR)


def drop_cookie(response: Response, site: Site, kind: str) -> None:
    """Take a cookie back."""
    response.delete_cookie(
        cookie_name(site, kind), path="/", secure=site.is_https, httponly=True, samesite="lax"
    )

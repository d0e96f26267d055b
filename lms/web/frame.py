"""Put the shared parts around an application: assets, known hosts, own origin, headers, errors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache, partial

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from starlette.types import Scope

from lms.web.answers import install_errors
from lms.web.assets import BUILD, MOUNT, BuiltFiles
from lms.web.csrf import OwnOrigin
from lms.web.errors import Trouble
from lms.web.headers import Headers, page_headers
from lms.web.hosts import KnownHosts
from lms.web.reach import Reach
from lms.web.site import Site, seen_from

# Nobody listens on a laptop, exceptions may name people, and each request would pay for it.
NO_TELEMETRY: TelemetryConfig = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}


def frame(
    app: FastAPI,
    site: Site,
    *,
    host_names: Iterable[str] = (),
    troubles: Iterable[Mapping[type[Exception], Trouble]],
) -> None:
    """Make *app* the pages' application of *site*.

    Args:
        app: the application, its routers included or not.
        site: the node as its pages see it.
        host_names: the names this node answers to, without ports, where *site* does not say how it is reached.
        troubles: the features' tables of errors.
    """
    app.state.site = site
    app.mount(MOUNT, BuiltFiles(directory=BUILD, check_dir=False), name="static")
    install_errors(app, troubles)
    # The last one added is the outermost: headers stand on every answer, refusals included.
    app.add_middleware(OwnOrigin)
    names = frozenset(name.lower() for name in host_names)
    reach = site.reach or Reach(public_url=site.public_url, content_url=site.content_url, names=names)
    app.add_middleware(KnownHosts, known=reach.is_pages)
    app.add_middleware(Headers, headers=partial(_headers_of, site))


def _headers_of(site: Site, scope: Scope) -> Mapping[str, str]:
    seen = seen_from(site, scope)
    return _page_headers(
        public_url=seen.public_url,
        content_url=seen.content_url,
        courses_by_port=seen.port_of is not None,
        pins_https=not seen.own_root,
    )


_page_headers = lru_cache(maxsize=64)(page_headers)

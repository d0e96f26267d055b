"""``render``: from a template's name and values to an answer.

Every feature's ``templates/`` folder is found under the feature's name (``people/list.html``); the frame is
``web/base.html``. Each language has an environment of its own, so that nothing about language is looked up
while a page is drawn, and every template is compiled once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, PrefixLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from lms.web.cookies import VISITOR, set_cookie
from lms.web.locale import Language, language_of, languages
from lms.web.sayings import FixedSayings
from lms.web.site import Chip, site_of
from lms.web.visit import visit_of

FEATURES = Path(__file__).parents[1]
ICONS = Path(__file__).parent / "static" / "icons"


def render(
    request: Request,
    template: str,
    *,
    status_code: int = 200,
    headers: Mapping[str, str] | None = None,
    **values: Any,
) -> HTMLResponse:
    """Return the page *template* makes of *values*, in the language of the person who asked.

    Templates also see ``viewer``, ``language``, ``languages``, ``csrf_token``, ``site``, ``now``, ``here`` (the
    path) and ``chip``, a function: a page without the sync chip asks nothing for it.
    Call it from a plain ``def`` route, outside any transaction: it reads the sync chip's state.
    """
    site, visit = site_of(request), visit_of(request)
    now = site.now()

    @cache
    def chip() -> Chip:
        with site.database.read() as session:
            return site.chip(session, now)

    text = fragment(
        language_of(request),
        template,
        here=request.url.path,
        site=site,
        viewer=visit.viewer,
        csrf_token=visit.csrf_token,
        chip=chip,
        now=now,
        **values,
    )
    response = HTMLResponse(text, status_code=status_code, headers=dict(headers) if headers else None)
    if visit.new_visitor is not None:
        set_cookie(response, site, VISITOR, visit.new_visitor)
    return response


def fragment(spoken: Language, template: str, **values: Any) -> str:
    """Return what a template makes of values alone, without asking the database for anything."""
    return environment(spoken.code).get_template(template).render(**values)


@lru_cache
def environment(code: str) -> Environment:
    """Return the template environment of one language."""
    spoken = next(one for one in languages() if one.code == code)
    made = FixedSayings(
        loader=PrefixLoader(_template_folders()),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        cache_size=-1,
        extensions=["jinja2.ext.i18n"],
    )
    made.policies["ext.i18n.trimmed"] = True
    made.install_gettext_callables(  # type: ignore[attr-defined]  # added by the extension
        spoken.gettext,
        spoken.ngettext,
        newstyle=True,
        pgettext=spoken.pgettext,
        npgettext=spoken.npgettext,
    )

    # As the extension has it, but it asks the catalogue again for every word of a long list.
    @lru_cache
    def wording(message: str) -> Markup:
        return Markup(spoken.gettext(message))  # noqa: S704 - our own catalogues

    @lru_cache
    def sentence(message: str) -> Markup:
        return wording(message) % {}

    # Markup and text that look alike are not the same: one of them is escaped.
    @lru_cache(maxsize=4096)
    def filled(message: str, facts: tuple[tuple[str, type, object], ...]) -> Markup:
        return wording(message) % {name: fact for name, _, fact in facts}

    def say(message: str, **facts: object) -> Markup:
        if not facts:
            return sentence(message)
        return filled(message, tuple((name, type(fact), fact) for name, fact in facts.items()))

    made.sayings = {"_": say, "gettext": say, "icon": icon}
    made.globals.update(made.sayings, language=spoken, languages=languages(), state=state)
    made.filters.update(
        date=spoken.date,
        instant=spoken.instant,
        second=spoken.second,
        number=spoken.number,
        percent=spoken.percent,
        filesize=spoken.size,
        language_name=spoken.language_name,
    )
    return made


@lru_cache(maxsize=1024)
def state(kind: str, text: str) -> Markup:
    """Return a state as people see it: colour, icon and word together; lists show the same few on every line.

    Args:
        kind: done, waiting, refused or information.
        text: the word, translated.
    """
    return Markup('<span class="state state-%s">%s%s</span>') % (kind, icon(kind), text)


@lru_cache
def icon(name: str) -> Markup:
    """Return a drawing from ``static/icons`` to stand in the text; it says nothing to screen readers.

    All are drawn alike, and ``.icon`` in the styles says how: a list shows the same one on every line.
    """
    drawing = (ICONS / f"{name}.svg").read_text(encoding="utf-8").strip()
    turns = " icon-mirrored" if name in MIRRORED else ""
    attributes = f'<svg class="icon icon-{name}{turns}" viewBox="0 0 24 24" aria-hidden="true">'
    return Markup(re.sub(r"^<svg[^>]*>", attributes, drawing))  # noqa: S704 - our own files


MIRRORED = frozenset(
    {"back", "contents", "forward", "sign-out"}
)  # icons that point follow the direction of the text


def _template_folders() -> dict[str, FileSystemLoader]:
    return {folder.parent.name: FileSystemLoader(folder) for folder in FEATURES.glob("*/templates")}

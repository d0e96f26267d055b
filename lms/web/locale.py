"""Languages of the interface: catalogues, direction, and how dates and numbers are written.

A language is data: a folder with a catalogue. The compiled catalogues (``.mo``) are made at set-up by
``python -m lms.web.catalogues compile``.
"""

from __future__ import annotations

from datetime import date, datetime
from functools import cached_property, lru_cache
from pathlib import Path

from babel import Locale, UnknownLocaleError, negotiate_locale
from babel.dates import format_date, format_time, format_timedelta
from babel.numbers import format_decimal, format_percent
from babel.support import Translations
from babel.units import format_unit
from starlette.requests import Request

from content_packages.limits import in_unit
from lms.web.cookies import LANGUAGE, read_cookie
from lms.web.visit import visit_of

FOLDER = Path(__file__).parent / "locale"
DOMAIN = "outpost"
SOURCE = "en"
_NUMBERS = "default"  # the digits people of that locale use
# World English: day before month, a 24-hour clock.
_FORMATS = {"en": "en_GB"}


class CatalogueMissingError(Exception):
    """A language has no compiled catalogue."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(f"The catalogue of {code!r} has not been compiled. Run `make setup` first.")


class Language:
    """One language of the interface and its ways of writing.

    Args:
        code: a folder in ``locale/``.
    """

    def __init__(self, code: str) -> None:
        compiled = FOLDER / code / "LC_MESSAGES" / f"{DOMAIN}.mo"
        if not compiled.exists():
            raise CatalogueMissingError(code)
        with compiled.open("rb") as file:
            self._catalogue = Translations(file, DOMAIN)
        self.code = code
        self.locale = Locale.parse(_FORMATS.get(code, code), sep="_")
        self.direction = self.locale.text_direction

    @cached_property
    def own_name(self) -> str:
        """What its speakers call it, in their script."""
        return own_name(self.code) or self.code

    # ------------------------------------------------------------------ sentences

    def gettext(self, message: str) -> str:
        """Return *message* in this language."""
        return self._catalogue.ugettext(message)

    def ngettext(self, singular: str, plural: str, count: int) -> str:
        """Return the form of a message that goes with *count* things."""
        return self._catalogue.ungettext(singular, plural, count)

    def pgettext(self, context: str, message: str) -> str:
        """Return *message* as it is meant in *context*."""
        return str(self._catalogue.upgettext(context, message))

    def npgettext(self, context: str, singular: str, plural: str, count: int) -> str:
        """Return the form that goes with *count*, as meant in *context*."""
        return str(self._catalogue.unpgettext(context, singular, plural, count))

    # ------------------------------------------------------------------ dates and numbers

    def date(self, day: date | datetime) -> str:
        """Return a day with its month as a word; an instant is taken to the node's own zone first."""
        return _date(self.locale, day.astimezone().date() if isinstance(day, datetime) else day)

    def instant(self, instant: datetime) -> str:
        """Return day and minute in the node's own zone."""
        return _minute(self.locale, instant.astimezone().replace(second=0, microsecond=0))

    def second(self, instant: datetime) -> str:
        """Return day, minute and second in the node's own zone, for what follows within a minute."""
        local = instant.astimezone()
        time = format_time(local, "medium", locale=self.locale)
        return str(self.locale.datetime_formats["medium"].format(time, _date(self.locale, local.date())))

    def ago(self, instant: datetime, now: datetime) -> str:
        """Return how long ago it was, roughly: "3 days ago"."""
        return format_timedelta(instant - now, add_direction=True, locale=self.locale)

    def number(self, value: float) -> str:
        """Return a number in the digits of this language."""
        return self._signed(value, _number(self.locale, value))

    def percent(self, share: float) -> str:
        """Return a share (0 to 1) in per cent."""
        return self._signed(share, _percent(self.locale, share))

    def _signed(self, value: float, text: str) -> str:
        """Keep a minus before its number where lines run from right to left (U+200E, left-to-right mark)."""
        return f"\u200e{text}" if value < 0 and self.direction == "rtl" else text

    def language_name(self, tag: str) -> str:
        """Return what a language is called here, by its tag (RFC 5646); the tag itself where nobody knows."""
        known = _known(tag)
        return tag if known is None else known.get_display_name(self.locale) or tag

    def size(self, count_bytes: int) -> str:
        """Return a number of bytes in the unit that reads best."""
        amount, unit = in_unit(count_bytes)
        return _amount(self.locale, amount, f"digital-{unit}")


# Lists say the same few numbers, days and hours over and over; writing one anew takes as long as a query.
@lru_cache(maxsize=4096)
def _minute(locale: Locale, local: datetime) -> str:
    return str(locale.datetime_formats["medium"].format(_time(locale, local), _date(locale, local.date())))


@lru_cache(maxsize=4096, typed=True)
def _number(locale: Locale, value: float) -> str:
    return format_decimal(value, locale=locale, numbering_system=_NUMBERS)


@lru_cache(maxsize=4096)
def _percent(locale: Locale, share: float) -> str:
    return format_percent(share, locale=locale, numbering_system=_NUMBERS)


@lru_cache(maxsize=4096)
def _amount(locale: Locale, amount: float, unit: str) -> str:
    if (
        unit == "digital-byte" and locale.language == "en"
    ):  # whose short form has no plural, and Arabic has no long one
        return format_unit(amount, unit, "long", locale=locale, numbering_system=_NUMBERS)
    return format_unit(amount, unit, "short", locale=locale, numbering_system=_NUMBERS)


@lru_cache(maxsize=4096)
def _date(locale: Locale, day: date) -> str:
    return format_date(day, "long", locale)


@lru_cache(maxsize=4096)
def _time(locale: Locale, local: datetime) -> str:
    return format_time(local.time(), "short", locale=locale)


def own_name(tag: str) -> str | None:
    """Return what the speakers of a language call it; ``None`` where nobody knows."""
    known = _known(tag)
    return None if known is None else (known.get_display_name() or "").capitalize() or None


def _known(tag: str) -> Locale | None:
    if tag == "und":  # Babel takes it for the likeliest language there is
        return None
    try:
        return Locale.parse(tag.replace("_", "-"), sep="-")
    except (UnknownLocaleError, ValueError):
        return None


@lru_cache
def languages() -> tuple[Language, ...]:
    """Return every language there is, the source language first."""
    codes = sorted(path.name for path in FOLDER.iterdir() if path.is_dir())
    return tuple(Language(code) for code in sorted(codes, key=lambda code: code != SOURCE))


def language(code: str) -> Language | None:
    """Return the language with this code, or ``None`` when it is not offered."""
    return next((one for one in languages() if one.code == code), None)


def language_of(request: Request) -> Language:
    """Return the language this request is answered in.

    The person's own choice counts most, then what was chosen on this machine, then the browser's wish.
    """
    known: Language | None = getattr(request.state, "language", None)
    if known is None:
        known = request.state.language = _choose(request)
    return known


def language_without_person(request: Request) -> Language:
    """Return the language this machine was set to, or else the browser's wish; asks no database."""
    chosen = read_cookie(request, LANGUAGE)
    found = language(chosen) if chosen else None
    return found or language_wished(request.headers.get("accept-language", ""))


def _choose(request: Request) -> Language:
    viewer = visit_of(request).viewer
    own = language(viewer.locale) if viewer and viewer.locale else None
    return own or language_without_person(request)


def language_wished(accept_language: str) -> Language:
    """Return the language that goes best with a browser's wish."""
    weighted = []
    for place, part in enumerate(accept_language.split(",")[:20]):
        tag, _, quality = part.strip().partition(";q=")
        try:
            weighted.append((-float(quality or 1), place, tag.replace("-", "_")))
        except ValueError:
            continue
    offered = [one.code for one in languages()]
    best = negotiate_locale([tag for _, _, tag in sorted(weighted)], offered)
    return (language(best) if best else None) or languages()[0]

"""What the log of a server looks like: a line for each event, with the facts behind it."""

from __future__ import annotations

import logging
import sys

_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}
_CHATTY = ("alembic", "httpx")


class WithFacts(logging.Formatter):
    """Writes the facts of an event behind its name, as in ``disk_full path=/statements``."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name the library calls
        """Return the line."""
        facts = [f"{name}={_word(value)}" for name, value in vars(record).items() if name not in _PLAIN]
        return " ".join([super().formatMessage(record), *facts])


def _word(value: object) -> str:
    """Return a fact as one word: nothing that somebody sent makes a line look like two."""
    text = str(value)
    return text if text.isprintable() and " " not in text else repr(text)


def begin_log() -> None:
    """Write to standard error from now on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(WithFacts("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for chatty in _CHATTY:
        logging.getLogger(chatty).setLevel(logging.WARNING)

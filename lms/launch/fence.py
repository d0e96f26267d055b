"""The fence around course content: the sandbox of its frame, and the same as the content host says it.

Both say it, because each covers what the other cannot: the frame holds whatever is loaded into it, the header holds
where there is no frame of ours, in a window that content opened and in a lesson's own window.
"""

from __future__ import annotations

from collections.abc import Mapping

from lms.courses.allowances import Allowance

# No allow-top-navigation, and no allow-popups-to-escape-sandbox: what opens is fenced as what opened it.
_SANDBOX = ("allow-scripts", "allow-same-origin", "allow-forms", "allow-modals", "allow-downloads")


def sandbox(allowed: Allowance) -> str | None:
    """Return the flags of the sandbox in which content of a course stands.

    ``None`` where its frames may lead each other: a frame with a sandbox leads none but those inside it (HTML §7.4.1,
    "allowed by sandboxing to navigate"), and there is no flag for more.

    >>> sandbox(Allowance(windows=True)).endswith("allow-downloads allow-popups")
    True
    """
    if allowed.frames:
        return None
    return " ".join((*_SANDBOX, *(("allow-popups",) if allowed.windows else ())))


def page_around(allowed: Allowance) -> Mapping[str, str]:
    """Return the headers of a page around content: it gets hold of the windows that it may open (HTML §7.1.3)."""
    opens = allowed.windows or allowed.frames
    return {"Cross-Origin-Opener-Policy": "same-origin-allow-popups"} if opens else {}

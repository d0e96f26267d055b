"""The fence around course content: the sandbox of its frame, and the same as the content host says it.

Both say it, because each covers what the other cannot: the frame holds whatever is loaded into it, the header holds
where there is no frame of ours, in a window that content opened and in a lesson's own window.
"""

from __future__ import annotations

from lms.courses.allowances import Allowance

# No allow-top-navigation, and no allow-popups-to-escape-sandbox: what opens is fenced as what opened it.
_SANDBOX = ("allow-scripts", "allow-same-origin", "allow-forms", "allow-modals", "allow-downloads")


def sandbox(allowed: Allowance) -> str:
    """Return the flags of the sandbox in which content of a course stands.

    >>> sandbox(Allowance(windows=True)).endswith("allow-downloads allow-popups")
    True
    """
    return " ".join((*_SANDBOX, *(("allow-popups",) if allowed.windows else ())))

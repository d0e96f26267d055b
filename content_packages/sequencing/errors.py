"""The exceptions of the standard: a process that stops names the step it stopped at (SN, Appendix C)."""

from __future__ import annotations


class ProcessError(Exception):
    """A process of the pseudo-code came to an exit with an exception code such as ``SB.2.9-5``."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(f"{code}: {MEANINGS[code]}")


class EndOfTreeError(Exception):
    """A walk forward left the tree behind its last activity: the sequencing session ends (SB.2.1)."""


MEANINGS: dict[str, str] = {
    "NB.2.1-1": "The sequencing session has already begun.",
    "NB.2.1-2": "The sequencing session has not begun.",
    "NB.2.1-3": "No activity is suspended.",
    "NB.2.1-4": "Moving on is not allowed here (flow).",
    "NB.2.1-5": "Moving back is not allowed here (flow or forward only).",
    "NB.2.1-6": "No activity comes before the root.",
    "NB.2.1-8": "The current activity may not be left by choice (choice exit).",
    "NB.2.1-9": "There are no activities to consider.",
    "NB.2.1-10": "The target may not be chosen (choice).",
    "NB.2.1-11": "The target does not exist.",
    "NB.2.1-12": "The current activity has already been terminated.",
    "TB.2.3-1": "The sequencing session has not begun.",
    "TB.2.3-2": "The current activity has already been terminated.",
    "TB.2.3-3": "An inactive root cannot be suspended.",
    "TB.2.3-4": "The root has no parent to leave.",
    "SB.2.1-2": "The cluster has no available children.",
    "SB.2.1-3": "No activity comes before the root.",
    "SB.2.1-4": "This cluster allows forward moves only.",
    "SB.2.2-1": "The cluster does not allow flow.",
    "SB.2.2-2": "The activity is disabled or its attempts are used up.",
    "SB.2.4-1": "Going forward is blocked by a rule.",
    "SB.2.4-2": "This cluster allows forward moves only.",
    "SB.2.4-3": "No activity comes before the root.",
    "SB.2.5-1": "The sequencing session has already begun.",
    "SB.2.6-1": "The sequencing session has already begun.",
    "SB.2.6-2": "No activity is suspended.",
    "SB.2.7-1": "The sequencing session has not begun.",
    "SB.2.7-2": "The cluster does not allow flow.",
    "SB.2.8-1": "The sequencing session has not begun.",
    "SB.2.8-2": "The cluster does not allow flow.",
    "SB.2.9-1": "There is no target to choose.",
    "SB.2.9-2": "The target is not among the available activities.",
    "SB.2.9-3": "The target is hidden from choice.",
    "SB.2.9-4": "The target may not be chosen (choice).",
    "SB.2.9-5": "There are no activities to consider.",
    "SB.2.9-6": "The target lies in a cluster that must be entered first (prevent activation).",
    "SB.2.9-7": "An active cluster may not be left by choice (choice exit).",
    "SB.2.9-8": "The target is too far away (constrain choice).",
    "SB.2.9-9": "Nothing in the chosen cluster can be delivered.",
    "SB.2.10-1": "The sequencing session has not begun.",
    "SB.2.10-2": "The current activity is still active or suspended.",
    "SB.2.10-3": "Nothing in the cluster can be delivered.",
    "SB.2.11-1": "The sequencing session has not begun.",
    "SB.2.11-2": "The current activity has not been terminated.",
    "SB.2.13-1": "The sequencing session has not begun.",
    "DB.1.1-1": "A cluster cannot be delivered.",
    "DB.1.1-3": "The activity, or one above it, is disabled or its attempts are used up.",
    "DB.2-1": "The activity is already active.",
}

"""The names that cmi5 gives (cmi5 7.1.3, 9.3 to 9.6, 10.2, 11)."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, Literal

LaunchMode = Literal["Normal", "Browse", "Review"]


class Verb(StrEnum):
    """The verbs of 9.3; an LMS says the last four, and ``launched``, itself."""

    LAUNCHED = "http://adlnet.gov/expapi/verbs/launched"  # 9.3.1
    INITIALIZED = "http://adlnet.gov/expapi/verbs/initialized"  # 9.3.2
    COMPLETED = "http://adlnet.gov/expapi/verbs/completed"  # 9.3.3
    PASSED = "http://adlnet.gov/expapi/verbs/passed"  # 9.3.4
    FAILED = "http://adlnet.gov/expapi/verbs/failed"  # 9.3.5
    ABANDONED = "https://w3id.org/xapi/adl/verbs/abandoned"  # 9.3.6
    WAIVED = "https://w3id.org/xapi/adl/verbs/waived"  # 9.3.7
    TERMINATED = "http://adlnet.gov/expapi/verbs/terminated"  # 9.3.8
    SATISFIED = "https://w3id.org/xapi/adl/verbs/satisfied"  # 9.3.9


VOIDED: Final = "http://adlnet.gov/expapi/verbs/voided"  # xAPI's, which no unit may use (6.3)

CMI5: Final = "https://w3id.org/xapi/cmi5/context/categories/cmi5"  # 9.6.2.1
MOVE_ON: Final = "https://w3id.org/xapi/cmi5/context/categories/moveon"  # 9.6.2.2

BLOCK: Final = "https://w3id.org/xapi/cmi5/activitytype/block"  # 9.4
COURSE: Final = "https://w3id.org/xapi/cmi5/activitytype/course"

_EXTENSIONS: Final = "https://w3id.org/xapi/cmi5/context/extensions"
SESSION_ID: Final = f"{_EXTENSIONS}/sessionid"  # 9.6.3.1
MASTERY_SCORE: Final = f"{_EXTENSIONS}/masteryscore"  # 9.6.3.2
LAUNCH_MODE: Final = f"{_EXTENSIONS}/launchmode"  # 9.6.3.3
LAUNCH_URL: Final = f"{_EXTENSIONS}/launchurl"  # 9.6.3.4
MOVE_ON_CRITERION: Final = f"{_EXTENSIONS}/moveon"  # 9.6.3.6
LAUNCH_PARAMETERS: Final = f"{_EXTENSIONS}/launchparameters"  # 9.6.3.7
REASON: Final = "https://w3id.org/xapi/cmi5/result/extensions/reason"  # 9.5.5.2

LAUNCH_DATA: Final = "LMS.LaunchData"  # 10.1
PREFERENCES: Final = "cmi5LearnerPreferences"  # 11

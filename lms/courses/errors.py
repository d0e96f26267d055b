"""What can be refused about courses, in sentences for the person who tried, and how each is answered."""

from __future__ import annotations

from collections.abc import Mapping

from content_packages.errors import FileMissingError
from lms.courses.actions import (
    CourseNotFoundError,
    EditionIncompleteError,
    EditionNotFoundError,
    MoveImpossibleError,
    MoveNotFoundError,
)
from lms.courses.catalogue import EntryError
from lms.courses.originals import OriginalDamagedError, OriginalMissingError
from lms.web.errors import Trouble
from lms.web.wording import Worded, mark


class UploadTooLargeError(Worded):
    """An upload exceeds what an import takes."""

    sentence = mark(
        "The file is larger than %(most)s, the most that is taken here (setting %(variable)s, or "
        "%(setting)s in lms.toml; by default %(default)s)."
    )


class UploadNoRoomError(Worded):
    """The disk has no room for an upload and what is unpacked of it."""

    sentence = mark(
        "The file needs %(needed)s on this node's disk and %(free)s are free, of which %(kept)s are left to what "
        "learners do (setting %(variable)s, or %(setting)s in lms.toml; by default %(default)s)."
    )


class UploadMissingError(Worded):
    """The form came without a file, or the upload broke off."""

    sentence = mark("No file arrived.")


class UploadGoneError(Exception):
    """There is no such upload, or no longer."""


class UploadOffsetError(Exception):
    """A part begins elsewhere than where the bytes here end."""

    def __init__(self, *, here: int) -> None:
        self.here = here
        super().__init__(f"{here} bytes are here; go on from there.")


class UploadBusyError(Exception):
    """Another request is writing to this upload."""


class UploadOverflowError(Exception):
    """More bytes came than were announced."""


class UploadHeadersError(Exception):
    """A header of the upload protocol is missing or cannot be read."""


class UploadVersionError(Exception):
    """The client speaks another version of the upload protocol."""


_NO_COURSE = Trouble(
    status=404,
    code="course-not-found",
    title=mark("This course is not here"),
    remedy=mark("Go back to the list of courses and choose again."),
)

FILE_DAMAGED = Trouble(
    status=503,
    code="course-file-damaged",
    title=mark("A file of this course is damaged or missing on this node"),
    kept=mark("What was recorded is kept."),
    remedy=mark("Import the package of the course again: that mends it. Officers ask their instructor to."),
)

TROUBLES: Mapping[type[Exception], Trouble] = {
    CourseNotFoundError: _NO_COURSE,
    EditionNotFoundError: _NO_COURSE,
    MoveNotFoundError: _NO_COURSE,
    MoveImpossibleError: Trouble(
        status=409,
        code="move-impossible",
        title=mark("Officers cannot move between these two editions"),
        remedy=mark(
            "Both must be made for the same standard, and the one they move to must be published. "
            "Let them finish the edition they are in."
        ),
    ),
    EditionIncompleteError: Trouble(
        status=409,
        code="edition-incomplete",
        title=mark("Some files of this edition are not on this node yet"),
        remedy=mark("Sync with the node it came from, or import the package again."),
    ),
    EntryError: Trouble(
        status=422,
        code="catalogue-entry-wrong",
        title=mark("The catalogue cannot take this"),
        remedy=mark("Go back, change it, and save again."),
    ),
    FileMissingError: FILE_DAMAGED,
    OriginalMissingError: Trouble(
        status=404,
        code="original-missing",
        title=mark("The package this edition was imported from is not on this node"),
        remedy=mark("Look for it at the node of the import, or import the package again here."),
    ),
    OriginalDamagedError: Trouble(
        status=503,
        code="original-damaged",
        title=mark("The package this edition was imported from is damaged on this node"),
        remedy=mark("Import the same package again: that mends it, and nothing else is made."),
    ),
    UploadTooLargeError: Trouble(
        status=413,
        code="upload-too-large",
        title=mark("The file is too large"),
        remedy=mark("Make the package smaller, for example by compressing its videos, and import it again."),
    ),
    UploadNoRoomError: Trouble(
        status=507,
        code="upload-no-room",
        title=mark("The disk of this node has no room for this file"),
        remedy=mark(
            "Free space on the disk, then choose the file again: what was sent of it is kept for a day."
        ),
    ),
    UploadGoneError: Trouble(
        status=404,
        code="upload-not-found",
        title=mark("This upload is not here, or no longer"),
        remedy=mark("Choose the file and send it again."),
    ),
    UploadOffsetError: Trouble(
        status=409,
        code="upload-offset",
        title=mark("The upload goes on elsewhere"),
        remedy=mark("Ask how many bytes are here, and go on from there."),
    ),
    UploadBusyError: Trouble(
        status=423,
        code="upload-busy",
        title=mark("Another part of this upload is arriving"),
        remedy=mark("Wait a moment, ask how many bytes are here, and go on from there."),
    ),
    UploadOverflowError: Trouble(
        status=413,
        code="upload-overflow",
        title=mark("More arrived than was announced"),
        remedy=mark("Choose the file and send it again."),
    ),
    UploadHeadersError: Trouble(
        status=400,
        code="upload-headers",
        title=mark("The upload cannot be understood"),
        remedy=mark("See the upload protocol, tus 1.0."),
    ),
    UploadVersionError: Trouble(
        status=412,
        code="upload-version",
        title=mark("The upload cannot be understood"),
        remedy=mark("See the upload protocol, tus 1.0."),
        headers={"Tus-Version": "1.0.0"},
    ),
    UploadMissingError: Trouble(
        status=422,
        code="upload-missing",
        title=mark("No file arrived"),
        remedy=mark("Choose a file and send it again."),
    ),
}

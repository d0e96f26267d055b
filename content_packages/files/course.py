"""Make a course of one file: a document that is read, a film that is watched, a recording that is heard.

A document is complete when every page of it has been shown; a film or a recording when nine tenths of it were played.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from io import BufferedIOBase, BytesIO
from typing import BinaryIO, cast

from content_packages.errors import PackageRefusedError
from content_packages.files import id3, mp4, pdf, pdf_password
from content_packages.files.captions import captions_of, is_caption
from content_packages.files.kinds import HEAD_BYTES, Kind, holds_sound, kind_of
from content_packages.files.told import Told, title_of
from content_packages.findings import Finding, finding
from content_packages.limits import MIB
from content_packages.manifest.source import Source
from content_packages.package import Activity, Caption, LaunchTarget, Metadata, Package, Viewer
from content_packages.sequencing.definition import CompletionThreshold, ControlModes, SequencingDefinition

#: The share of a file that makes it complete.
ENOUGH: dict[Viewer, float] = {"pdf": 1.0, "epub": 1.0, "video": 0.9, "audio": 0.9}
EXTENSIONS = (".pdf", ".mp4", ".m4v", ".mov", ".webm", ".weba", ".mp3", ".m4a", ".epub")
_ENDS_BYTES = 256 * 1024
_MOST_UNPACKED = 32 * MIB  # a handbook; scans that are larger seldom come in a zip


def find_main(paths: Collection[str]) -> str | None:
    """Return the one file of a container that can be a course by itself.

    Raises:
        PackageRefusedError: there are several, or something that has to be made a PDF first.
    """
    is_open_document = {"mimetype", "content.xml"} <= set(paths)
    if is_open_document or any(path.rpartition("/")[2] == "[Content_Types].xml" for path in paths):
        raise PackageRefusedError([finding("file.office")])
    found = sorted(path for path in paths if path.lower().endswith(EXTENSIONS))
    if len(found) > 1:
        raise PackageRefusedError([finding("file.several", name=found[0], other=found[1], count=len(found))])
    book = next((path for path in sorted(paths) if path.lower().endswith(".opf")), None)
    if book is not None and not found:
        raise PackageRefusedError([finding("epub.no_container", file=book, name=book)])
    if found and found[0].lower().endswith(".epub"):
        raise PackageRefusedError([finding("file.epub_in_zip", name=found[0])])
    return found[0] if found else None


def read(source: Source) -> Package:
    """Return the course of one file, with the captions beside it.

    Raises:
        PackageRefusedError: the bytes are not what the name says.
    """
    head = source.head(source.main, HEAD_BYTES)
    kind = kind_of(head)
    if kind is None:
        raise PackageRefusedError([_not_what_it_says(source)])
    source.standard = ("file", kind.name)
    viewer, told = _look_into(source, kind, head)
    name = (source.given_name if source.main == kind.path else "") or source.main
    captions = captions_of(source.main, list(_readable_captions(source)))
    return course(
        kind.name,
        viewer,
        title=title_of(told.title, name),
        languages=_languages(source, viewer, told, captions),
        path=source.main,
        captions=captions,
    )


def course(
    edition: str,
    viewer: Viewer,
    *,
    title: str,
    languages: tuple[str, ...],
    path: str,
    captions: tuple[Caption, ...] = (),
    description: str = "",
    identifier: str = "",
) -> Package:
    """Return a course of one unit that a page of ours shows."""
    threshold = CompletionThreshold(completed_by_measure=True, min_progress_measure=ENOUGH[viewer])
    unit = Activity(
        identifier="file",  # the same in every edition, so that learners keep their place
        title=title,
        kind="sco",
        launch=LaunchTarget(path=path),
        viewer=viewer,
        # There is nowhere to go on to, and leaving for good would lose the place: one way out is enough.
        hide_lms_ui=("continue", "previous", "exitAll"),
        sequencing=SequencingDefinition(completion_threshold=threshold),
    )
    language = languages[0] if languages else "und"
    return Package(
        standard="file",
        edition=edition,
        identifier=identifier or f"file:{title}",
        title=title,
        root=Activity(
            identifier="root",
            title=title,
            children=(unit,),
            sequencing=SequencingDefinition(control=ControlModes(flow=True)),
        ),
        languages=languages,
        metadata=Metadata(
            titles={language: title}, descriptions={language: description} if description else {}
        ),
        captions=captions,
    )


def _readable_captions(source: Source) -> Iterator[str]:
    """Yield the captions in which something is said at some time; both forms write an arrow between two times."""
    for path in filter(is_caption, source.names):
        if b"-->" in source.head(path, HEAD_BYTES).replace(b"\0", b""):
            yield path
        else:
            source.findings.append(finding("captions.unreadable", file=path, name=path))


def _not_what_it_says(source: Source) -> Finding:
    return finding("file.not_what_it_says", file=source.called, name=source.called)


def _look_into(source: Source, kind: Kind, head: bytes) -> tuple[Viewer, Told]:
    """Return who shows the file and what it tells; a film in a zip tells only what stands at its beginning."""
    stream = source.open(source.main)
    file = cast("BinaryIO", stream) if isinstance(stream, BufferedIOBase) else None
    if kind.name == "PDF":
        return kind.viewer, _look_into_pdf(source, file or _unpacked(source), head)
    if kind.name == "MP4" and file is not None:
        return _look_into_film(source, kind, mp4.read_film(file))
    if kind.name == "MP3":
        if file is not None and not _holds_sound(file, head):
            source.note("recording.cut_short")
        return kind.viewer, Told(title=id3.title(head))
    return kind.viewer, Told()


def _look_into_pdf(source: Source, file: BinaryIO | None, head: bytes) -> Told:
    ends = head if file is None else _ends(file)
    if not pdf.has_objects(ends):
        raise PackageRefusedError([_not_what_it_says(source)])
    if file is not None and not pdf.can_be_shown(file, ends):
        raise PackageRefusedError([finding("pdf.cut_short", file=source.called)])
    if file is not None and not pdf.is_whole(file, ends):
        source.note("pdf.no_end")
    if pdf.is_encrypted(ends):
        locked = None if file is None else pdf_password.is_asked_for(file)
        if locked:
            raise PackageRefusedError([finding("pdf.locked", file=source.called)])
        if locked is None:
            source.note("pdf.encrypted")
    return pdf.told(ends)


def _unpacked(source: Source) -> BinaryIO | None:
    """Return the file of a zip in memory, where it can be read from any place; ``None`` if it is large."""
    if source.sizes.get(source.main, _MOST_UNPACKED + 1) > _MOST_UNPACKED:
        return None
    return BytesIO(source.head(source.main, _MOST_UNPACKED))


def _look_into_film(source: Source, kind: Kind, film: mp4.Film | None) -> tuple[Viewer, Told]:
    if film is None:
        source.note("film.cut_short")
        return kind.viewer, Told()
    return ("audio" if "soun" in film.handlers and "vide" not in film.handlers else kind.viewer), Told(
        title=film.title
    )


def _languages(source: Source, viewer: Viewer, told: Told, captions: tuple[Caption, ...]) -> tuple[str, ...]:
    if viewer == "pdf":
        return (told.language,) if told.language else ()
    if viewer == "video" and not captions:
        source.note("captions.none")
    for caption in captions:
        if caption.language == "und":
            source.findings.append(finding("captions.language", file=caption.path, name=caption.path))
    return tuple(sorted({one.language for one in captions} - {"und"}))


def _holds_sound(file: BinaryIO, head: bytes) -> bool:
    """Say whether sound follows the tags; pictures in a tag may be large, what stands between is little."""
    file.seek(id3.length(head))
    return holds_sound(file.read(_ENDS_BYTES))


def _ends(file: BinaryIO) -> bytes:
    length = file.seek(0, os.SEEK_END)
    file.seek(0)
    first = file.read(_ENDS_BYTES)
    file.seek(max(_ENDS_BYTES, length - _ENDS_BYTES))
    return first + file.read(_ENDS_BYTES)

"""What a package is, whatever standard it was written for: frozen, equal by content.

``to_json`` is canonical: the SHA-256 of its bytes names an edition. A new field gets a default that is
left out of the JSON, so that editions made before keep their digest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from functools import cache
from typing import Any, Literal

import orjson
from pydantic import TypeAdapter, ValidationError

from content_packages.errors import StoredPackageError
from content_packages.sequencing.definition import ActivityNode, SequencingDefinition
from content_packages.shelf import FileRef, Shelf

FORMAT = 1

Standard = Literal["scorm12", "scorm2004", "cmi5", "xapi", "site", "file"]
Kind = Literal["sco", "asset", "block", "au", "tincan"]
Viewer = Literal["pdf", "video", "audio", "epub"]
MoveOn = Literal["NotApplicable", "Passed", "Completed", "CompletedAndPassed", "CompletedOrPassed"]
LaunchMethod = Literal["AnyWindow", "OwnWindow"]


@dataclass(frozen=True, kw_only=True, slots=True)
class LaunchTarget:
    """Where an activity starts.

    Args:
        path: a key of ``Package.files``; empty where the content lies elsewhere.
        query: parameters and the query of the href, merged as the standard says; without ``?``.
        fragment: without ``#``.
        address: the whole address of content that lies elsewhere (cmi5 14.1), up to its query.
    """

    path: str = ""
    query: str = ""
    fragment: str = ""
    address: str = ""

    @property
    def length(self) -> int:
        """The characters of it that travel in a request."""
        return len(self.path) + len(self.query) + len(self.address)


@dataclass(frozen=True, kw_only=True, slots=True)
class SharedDataMap:
    """adlcp:map: one shared data store of an activity (SCORM 2004 4th Ed. CAM 5.2.3)."""

    target_id: str
    read_shared_data: bool = True
    write_shared_data: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class AssignableUnit:
    """What cmi5 says of a unit beyond where it starts (cmi5 13.1.4).

    Args:
        mastery_score: 0 to 1, as a decimal: 0.9 is passed on as 0.9.
    """

    move_on: MoveOn = "NotApplicable"
    mastery_score: Decimal | None = None
    launch_method: LaunchMethod = "AnyWindow"
    launch_parameters: str | None = None
    entitlement_key: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Described:
    """What a package only speaks of: a cmi5 objective (13.1.3), an xAPI activity that is not launched.

    Args:
        activity_type: of an activity; an IRI, as far as the package keeps to the standard.
    """

    identifier: str
    titles: Mapping[str, str] = field(default_factory=dict, hash=False)
    descriptions: Mapping[str, str] = field(default_factory=dict, hash=False)
    activity_type: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Activity:
    """One item of the outline; the organization is the root.

    Args:
        identifier: unique in the package.
        kind: ``sco`` talks to the player, ``asset`` is only shown, ``block`` leads to its children; ``au`` is a unit
            of cmi5, ``tincan`` one of an xAPI package.
        prerequisites: an ``aicc_script`` expression (SCORM 1.2).
        mastery_score: as written, 0 to 100 (SCORM 1.2).
        max_time_allowed: as written, ``HHHH:MM:SS.SS`` (SCORM 1.2); SCORM 2004 has a limit condition.
        sequencing: ``None`` where the standard has none.
        titles: all that the package gives, by language tag, where its standard has them in each unit; ``und``
            where it names no language.
        publisher_id: the id a cmi5 or xAPI package gives, unique among its like only (cmi5 13.1).
        au: of the kind ``au`` alone.
        objectives: ids of ``Package.objectives``.
        extensions: elements of other namespaces as they were written, each by itself XML (cmi5 13.1.5).
        extension_attributes: attributes of other namespaces, named ``{namespace}name``.
        viewer: the page of ours that shows it, for a file that cannot show itself.
    """

    identifier: str
    title: str
    kind: Kind = "block"
    launch: LaunchTarget | None = None
    children: tuple[Activity, ...] = ()
    visible: bool = True
    prerequisites: str | None = None
    mastery_score: str | None = None
    max_time_allowed: str | None = None
    time_limit_action: str | None = None
    data_from_lms: str | None = None
    hide_lms_ui: tuple[str, ...] = ()
    shared_data: tuple[SharedDataMap, ...] = ()
    sequencing: SequencingDefinition | None = None
    titles: Mapping[str, str] = field(default_factory=dict, hash=False)
    descriptions: Mapping[str, str] = field(default_factory=dict, hash=False)
    publisher_id: str | None = None
    activity_type: str | None = None
    au: AssignableUnit | None = None
    objectives: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    extension_attributes: Mapping[str, str] = field(default_factory=dict, hash=False)
    viewer: Viewer | None = None

    @property
    def completion_threshold(self) -> float | None:
        """The progress that makes completion, where the package gives one (SCORM 2004 RTE 4.2.5)."""
        threshold = None if self.sequencing is None else self.sequencing.completion_threshold
        return (
            threshold.min_progress_measure
            if threshold is not None and threshold.completed_by_measure
            else None
        )

    @property
    def scaled_passing_score(self) -> float | None:
        """The measure that makes success, where the package gives one (SCORM 2004 RTE 4.2.20)."""
        primary = None if self.sequencing is None else self.sequencing.primary_objective
        return (
            primary.min_normalized_measure if primary is not None and primary.satisfied_by_measure else None
        )

    def walk(self) -> Iterator[Activity]:
        """Return this activity and all beneath it, in document order."""
        yield self
        for child in self.children:
            yield from child.walk()

    def units(self) -> tuple[Activity, ...]:
        """Return what can be launched, in document order: a unit's index is its place here."""
        return tuple(activity for activity in self.walk() if activity.launch is not None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Metadata:
    """What the catalogue may take over: texts by language tag, ``und`` where none is given.

    Args:
        keywords: words and codes for what it is about, whoever's they are.
        subjects: codes for the same from this product's own taxonomy.
        audience: whom it is for.
        version: what its makers call this version of it; ``version_notes``: what they say is new in it.
        minutes: how long it typically takes to learn.
        rights: licence or conditions, in words.
        publisher: the institution behind it.
        contact: whom to ask, and where they are reached.
        languages: tags of those it says it is in.
    """

    titles: Mapping[str, str] = field(default_factory=dict, hash=False)
    descriptions: Mapping[str, str] = field(default_factory=dict, hash=False)
    keywords: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    audience: str | None = None
    version: str | None = None
    version_notes: str | None = None
    minutes: int | None = None
    rights: str | None = None
    publisher: str | None = None
    contact: str | None = None
    languages: tuple[str, ...] = ()

    def over(self, other: Metadata) -> Metadata:
        """Return this with what it does not say taken from another; texts language by language."""
        own = {one.name: getattr(self, one.name) or getattr(other, one.name) for one in fields(Metadata)}
        own["titles"] = {**other.titles, **self.titles}
        own["descriptions"] = {**other.descriptions, **self.descriptions}
        return Metadata(**own)


@dataclass(frozen=True, kw_only=True, slots=True)
class Caption:
    """A file of captions for a film or a recording; ``und`` where its language is not known."""

    path: str
    language: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Heading:
    """A line of a book's table of contents.

    Args:
        part: where it leads: the place in ``Book.spine``, from 0.
        level: 1 at the top.
    """

    title: str
    part: int
    fragment: str = ""
    level: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Book:
    """A book that was read from its description (EPUB 3.3 §5): its parts in reading order.

    Args:
        direction: which way its pages turn, ``ltr`` or ``rtl``; ``None`` where it does not say.
    """

    spine: tuple[str, ...]
    toc: tuple[Heading, ...] = ()
    direction: Literal["ltr", "rtl"] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Package:
    """A course as it was imported.

    Args:
        edition: the edition of the standard: ``1.2``, ``2004 2nd Edition`` to ``2004 4th Edition``; ``HTML``; ``1.0``
            of cmi5; none of xAPI; of a single file its kind.
        languages: language tags found in the manifest, sorted.
        files: path in the package to the file on the shelf.
        other_organizations: titles of those not taken.
        objectives: of cmi5, for units and blocks to refer to.
        other_activities: activities an xAPI package describes and does not launch.
        captions: of a film or a recording.
        book: how an EPUB is read.
    """

    standard: Standard
    edition: str
    identifier: str
    title: str
    root: Activity
    languages: tuple[str, ...] = ()
    metadata: Metadata = Metadata()
    objectives_global_to_system: bool = True
    shared_data_global_to_system: bool = True
    other_organizations: tuple[str, ...] = ()
    objectives: tuple[Described, ...] = ()
    other_activities: tuple[Described, ...] = ()
    files: Mapping[str, FileRef] = field(default_factory=dict, hash=False)
    captions: tuple[Caption, ...] = ()
    book: Book | None = None

    def to_json(self) -> bytes:
        """Return the canonical bytes: sorted keys, UTF-8, nothing that stands at its default."""
        plain = _shape().dump_python(self, mode="json", exclude_defaults=True)
        return orjson.dumps({"format": FORMAT, **plain}, option=orjson.OPT_SORT_KEYS)

    @property
    def data_model(self) -> Literal["scorm12", "scorm2004"]:
        """What its units speak to the player; the newer one where they say nothing, or pages of ours speak for them."""
        return "scorm12" if self.standard == "scorm12" else "scorm2004"

    def digests(self) -> frozenset[str]:
        """Return every file it names, for a sweep to keep and for sync to ask for."""
        return frozenset(ref.digest for ref in self.files.values())


_FAMILIES = {
    "scorm12": "SCORM",
    "scorm2004": "SCORM",
    "cmi5": "cmi5",
    "xapi": "xAPI",
    "aicc": "AICC",
    "site": "",
    "file": "",
}


def standard_name(standard: str, edition: str) -> str:
    """Return what people call a standard.

    >>> standard_name("scorm2004", "2004 4th Edition"), standard_name("site", "HTML")
    ('SCORM 2004 4th Edition', 'HTML')
    """
    return f"{_FAMILIES.get(standard, standard)} {edition}".strip()


def from_json(data: bytes) -> Package:
    """Read back what ``Package.to_json`` wrote.

    Raises:
        StoredPackageError: it is of a newer format, or not a package.
    """
    try:
        plain: Any = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise StoredPackageError("it is not JSON") from error
    written_as = plain.pop("format", None) if isinstance(plain, dict) else None
    if written_as != FORMAT:
        raise StoredPackageError(f"its format is {written_as}, this release reads {FORMAT}")
    try:
        return _shape().validate_python(plain)
    except ValidationError as error:
        raise StoredPackageError(str(error.errors()[0]["msg"])) from error


def load_package(shelf: Shelf, digest: str) -> Package:
    """Read a package's description back from the shelf.

    Raises:
        FileMissingError: it is not here, or was damaged.
        StoredPackageError: a newer release wrote it.
    """
    return from_json(shelf.read(digest))


def activity_tree(root: Activity) -> ActivityNode:
    """Return the tree that sequencing works on.

    A leaf that leads nowhere cannot be delivered, so it is a heading of the outline only and left out.
    """
    return ActivityNode(
        identifier=root.identifier,
        title=root.title,
        definition=root.sequencing or SequencingDefinition(),
        children=tuple(activity_tree(c) for c in root.children if c.launch is not None or c.children),
        visible=root.visible,
    )


@cache  # built when a package is first read or written: most commands do neither
def _shape() -> TypeAdapter[Package]:
    return TypeAdapter(Package)

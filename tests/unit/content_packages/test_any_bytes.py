"""Whatever the bytes, an import ends in a report: never in another error, never with something half kept."""

from __future__ import annotations

import struct
import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from content_packages.errors import PackageRefusedError
from content_packages.findings import Finding
from content_packages.limits import Limits
from content_packages.manifest.document import parse
from content_packages.package import from_json
from tests.cmi5_builders import (
    a_block,
    a_cmi5_package,
    a_structure,
    a_tincan,
    an_activity,
    an_au,
    an_objective,
)
from tests.package_builders import (
    a_manifest_12,
    a_manifest_2004,
    a_package,
    deflated,
    imported,
    raw_zip,
    scorm2004_many_scos,
    stored,
)

HONEST = raw_zip(
    *(deflated(name, data) for name, data in a_package().items()), stored("a/b.txt", b"some text")
)
FILES = [stored(name, data) for name, data in a_package().items()]
WIDE = raw_zip(*FILES, zip64=True)
SIZES_LATER = raw_zip(
    *(
        replace(one, flags=0x0808, local_size=0, after=struct.pack("<LLL", one.crc, one.size, one.size))
        for one in FILES
    )
)
FULL = a_manifest_2004(
    '<item identifier="one" identifierref="page" parameters="?a=1"><title>One</title><imsss:sequencing IDRef="s">'
    '<imsss:objectives><imsss:primaryObjective objectiveID="p"><imsss:mapInfo targetObjectiveID="g"/>'
    '</imsss:primaryObjective></imsss:objectives><imsss:limitConditions attemptLimit="1"/></imsss:sequencing></item>'
    '<item identifier="two" identifierref="inner"><title>Two</title></item>',
    after='<imsss:sequencingCollection><imsss:sequencing ID="s"/></imsss:sequencingCollection>'
    '<manifest identifier="inner"><organizations><organization identifier="i"><title>I</title>'
    '<item identifier="three" identifierref="page"/></organization></organizations><resources/></manifest>',
).encode()
LIMITS = Limits(max_archive_bytes=10**6, max_unpacked_bytes=10**6, max_file_bytes=10**6, max_xml_bytes=10**5)
quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def import_bytes(data: bytes) -> None:
    """Import, and hold the report to its promise."""
    with tempfile.TemporaryDirectory() as folder:
        report = imported(Path(folder), data, limits=LIMITS)

        kept = [path for path in (Path(folder) / "shelf").rglob("*") if path.is_file()]
        assert all(found.detail for found in report.findings)
        if report.package is None:
            assert report.findings
            assert kept == []
            assert {path.name for path in Path(folder).iterdir()} == {"package.zip", "shelf"}
        else:
            assert from_json(report.package.to_json()) == report.package
            assert {path.name for path in kept} == report.package.digests() | {report.digest}


@st.composite
def changed(draw: st.DrawFn, original: bytes) -> bytes:
    """Return the original with some bytes replaced, cut out or put in."""
    data = bytearray(original)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        length = draw(st.integers(0, 4))
        data[at : at + length] = draw(st.binary(max_size=8))
    return bytes(data)


@quick
@given(st.binary(max_size=300))
@example(b"PK\5\6" + bytes(18))
def test_any_bytes_are_judged(data: bytes) -> None:
    import_bytes(data)


@quick
@given(changed(HONEST) | changed(WIDE) | changed(SIZES_LATER))
def test_a_changed_zip_is_judged(data: bytes) -> None:
    import_bytes(data)


@quick
@given(st.binary(max_size=200))
def test_any_bytes_behind_a_good_beginning_are_judged(data: bytes) -> None:
    import_bytes(HONEST[: HONEST.index(b"PK\1\2")] + data + HONEST[-22:])


@quick
@given(changed(a_manifest_12().encode()) | changed(a_manifest_2004().encode()) | changed(FULL) | st.binary())
@example(b"<html/>")
def test_a_changed_manifest_is_judged(manifest: bytes) -> None:
    import_bytes(raw_zip(*(deflated(name, data) for name, data in a_package(manifest).items())))


STRUCTURE = a_structure(
    a_block(
        an_au(
            attributes='moveOn="Passed" masteryScore="0.5"',
            after_url='<launchParameters>p</launchParameters><v:x xmlns:v="urn:v">y</v:x>',
        )
    ),
    objectives=f"<objectives>{an_objective()}</objectives>",
).encode()
TINCAN = a_tincan(an_activity() + an_activity("urn:2", launch="")).encode()


@quick
@given(changed(STRUCTURE))
def test_a_changed_course_structure_is_judged(structure: bytes) -> None:
    import_bytes(raw_zip(*(deflated(name, data) for name, data in a_cmi5_package(structure).items())))


@quick
@given(changed(STRUCTURE) | changed(STRUCTURE.decode().encode("utf-16")))
def test_a_changed_course_structure_without_a_zip_is_judged(structure: bytes) -> None:
    import_bytes(structure)


@quick
@given(changed(TINCAN))
def test_a_changed_tincan_manifest_is_judged(manifest: bytes) -> None:
    import_bytes(raw_zip(deflated("tincan.xml", manifest), stored("index.html")))


words = st.sampled_from(
    ["true", "", "-1", "1e400", "NaN", "9" * 30, "../..", "a b", "%00", "#", "?", "one", "page", "م"]
)
names = st.sampled_from(
    [
        "manifest",
        "metadata",
        "organizations",
        "organization",
        "item",
        "title",
        "resources",
        "resource",
        "file",
        "imsss:sequencing",
        "imsss:controlMode",
        "imsss:rollupRules",
        "imsss:objectives",
        "imsss:objective",
        "adlcp:data",
        "adlseq:objectives",
        "adlcp:completionThreshold",
        "unknown:thing",
    ]
)
attributes = st.dictionaries(
    st.sampled_from(
        [
            "identifier",
            "identifierref",
            "href",
            "parameters",
            "default",
            "xml:base",
            "adlcp:scormType",
            "flow",
            "attemptLimit",
            "IDRef",
            "objectiveMeasureWeight",
            "targetID",
            "unknown:other",
        ]
    ),
    words,
    max_size=3,
)


def an_element(name: str, given: dict[str, str], inside: str) -> str:
    written = "".join(f' {key}="{value}"' for key, value in given.items())
    return f"<{name}{written}>{inside}</{name}>"


elements = st.recursive(
    st.builds(an_element, names, attributes, words),
    lambda inner: st.builds(an_element, names, attributes, st.lists(inner, max_size=4).map("".join)),
    max_leaves=12,
)


@quick
@given(inside=st.lists(elements, max_size=4).map("".join))
def test_any_tree_of_elements_is_judged(inside: str) -> None:
    manifest = a_manifest_2004(
        f'<item identifier="one" identifierref="page"><title>One</title>{inside}</item>'
    )

    import_bytes(raw_zip(*(deflated(name, data) for name, data in a_package(manifest).items())))


units = st.recursive(
    st.builds(
        an_element,
        st.sampled_from(
            ["title", "description", "langstring", "url", "objective", "launchParameters", "launch", "v:x"]
        ),
        st.dictionaries(
            st.sampled_from(["id", "idref", "lang", "moveOn", "masteryScore", "v:y"]), words, max_size=3
        ),
        words,
    ),
    lambda inner: st.builds(
        an_element,
        st.sampled_from(["course", "block", "au", "objectives", "title", "activities", "activity", "v:x"]),
        st.dictionaries(st.sampled_from(["id", "type", "launchMethod", "xml:lang"]), words, max_size=2),
        st.lists(inner, max_size=4).map("".join),
    ),
    max_leaves=12,
)


@quick
@given(inside=st.lists(units, max_size=4).map("".join), known=st.booleans())
def test_any_tree_of_units_is_judged(inside: str, known: bool) -> None:
    structure = a_structure((an_au() if known else "") + inside, root='xmlns:v="urn:v"')
    manifest = a_tincan((an_activity() if known else "") + inside).replace(
        "<tincan ", '<tincan xmlns:v="urn:v" '
    )

    import_bytes(raw_zip(*(deflated(name, data) for name, data in a_cmi5_package(structure).items())))
    import_bytes(raw_zip(deflated("tincan.xml", manifest.encode()), stored("index.html")))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200) | changed(a_manifest_12().encode("utf-16")))
def test_any_bytes_are_a_document_or_refused(data: bytes) -> None:
    findings: list[Finding] = []
    try:
        parse(data, file="imsmanifest.xml", limits=LIMITS, findings=findings)
    except PackageRefusedError as refusal:
        findings += refusal.findings

    assert all(found.detail for found in findings)


def test_a_real_course_cut_anywhere_is_refused() -> None:
    whole = scorm2004_many_scos(2)

    for end in range(0, len(whole), 997):
        import_bytes(whole[:end])

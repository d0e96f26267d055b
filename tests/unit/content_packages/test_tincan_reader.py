"""An xAPI package: activities with a launch become units, the others are kept as what they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from content_packages.intake import ImportReport
from content_packages.package import Described, LaunchTarget, from_json, standard_name
from content_packages.rules import RULES
from tests.cmi5_builders import a_tincan, an_activity
from tests.package_builders import codes, imported

OTHER = an_activity(
    "https://example.org/module", kind="http://adlnet.gov/expapi/activities/module", launch=""
)
LESSON = "http://adlnet.gov/expapi/activities/lesson"


def read(folder: Path, manifest: str, **files: bytes) -> ImportReport:
    return imported(folder, {"tincan.xml": manifest.encode(), "index.html": b"<p>Hello</p>", **files})


def test_what_is_launched_becomes_a_unit_and_the_rest_is_kept(tmp_path: Path) -> None:
    report = read(tmp_path, a_tincan(an_activity() + OTHER))

    package = report.package
    assert package is not None
    assert (package.standard, package.title, package.languages) == ("xapi", "An activity", ("en",))
    assert standard_name(package.standard, package.edition) == "xAPI"
    (unit,) = package.root.units()
    assert (unit.kind, unit.launch, unit.publisher_id) == (
        "tincan",
        LaunchTarget(path="index.html"),
        "https://example.org/activity",
    )
    assert unit.descriptions == {"en": "About it"}
    assert package.other_activities == (
        Described(
            identifier="https://example.org/module",
            titles={"en": "An activity"},
            descriptions={"en": "About it"},
            activity_type="http://adlnet.gov/expapi/activities/module",
        ),
    )
    assert from_json(package.to_json()) == package
    assert codes(report) == []


def test_the_course_gives_the_title_and_each_launch_is_a_unit(tmp_path: Path) -> None:
    activities = (
        '<activity id="urn:c" type="course"><name>The course</name></activity>'
        + an_activity("urn:1", kind=LESSON)
        + an_activity("urn:2", kind=LESSON, launch="<launch>index.html?part=2#a</launch>")
    )

    package = read(tmp_path, a_tincan(activities)).package

    assert package is not None
    assert (package.title, package.identifier) == ("The course", "urn:c")
    assert [unit.identifier for unit in package.root.units()] == ["urn:1", "urn:2"]
    assert package.root.units()[1].launch == LaunchTarget(path="index.html", query="part=2", fragment="a")


def test_a_package_in_a_folder_is_taken(tmp_path: Path) -> None:
    report = imported(tmp_path, {"course/tincan.xml": a_tincan().encode(), "course/index.html": b"x"})

    assert report.package is not None
    assert codes(report) == ["package.nested_root"]


CASES: dict[str, tuple[str, list[str], bool]] = {
    "another root": ("<other/>", ["xapi.not_a_package"], True),
    "no activity": (a_tincan(""), ["xapi.no_launch"], True),
    "nothing to launch": (a_tincan(OTHER), ["xapi.no_launch"], True),
    "an empty launch": (a_tincan(an_activity(launch="<launch> </launch>")), ["xapi.no_launch"], True),
    "no id of what is launched": (
        a_tincan(an_activity("") + an_activity()),
        ["xapi.no_id", "xapi.ignored"],
        True,
    ),
    "an id longer than an index takes": (a_tincan(an_activity("urn:" + "x" * 2000)), ["xapi.id_too_long"], True),
    "no such file": (
        a_tincan(an_activity(launch="<launch>other.html</launch>")),
        ["xapi.launch_not_in_package"],
        True,
    ),
    "a script": (
        a_tincan(an_activity(launch="<launch>javascript:alert(1)</launch>")),
        ["xapi.launch_address"],
        True,
    ),
    "elsewhere": (
        a_tincan(an_activity(launch="<launch>https://example.org/x</launch>")),
        ["xapi.launch_elsewhere"],
        False,
    ),
    "in other letters": (
        a_tincan(an_activity(launch="<launch>INDEX.html</launch>")),
        ["xapi.launch_differs"],
        False,
    ),
    "a launch per language": (
        a_tincan(an_activity(launch="<launch lang='en'>index.html</launch><launch lang='fr'>fr.html</launch>")),
        ["xapi.launches"],
        False,
    ),
    "a launch beside the activities": (
        a_tincan(OTHER).replace("</tincan>", "<launch>index.html</launch></tincan>"),
        ["xapi.launch_misplaced"],
        False,
    ),
    "an id that is no address": (a_tincan(an_activity("course-1")), ["xapi.iri"], False),
    "an activity twice": (a_tincan(an_activity() + an_activity()), ["xapi.duplicate_id"], False),
    "an activity without an id": (
        a_tincan(an_activity() + an_activity("", launch="")),
        ["xapi.ignored"],
        False,
    ),
    "no namespace": (a_tincan().replace("xmlns=", "x="), ["xapi.namespace"], False),
}  # fmt: skip


@pytest.mark.parametrize("what", CASES)
def test_each_departure_is_refused_or_told(tmp_path: Path, what: str) -> None:
    manifest, expected, refused = CASES[what]

    report = read(tmp_path, manifest)

    assert codes(report) == expected
    assert report.refused == refused
    assert all(one.detail and one.remedy and one.line for one in report.findings)


@pytest.mark.parametrize("name", ["my page.html", "a b%.html", "C# 100%.html", "{a}/[1].html"])
def test_a_name_with_signs_that_addresses_do_not_have_is_found(tmp_path: Path, name: str) -> None:
    manifest = a_tincan(an_activity(launch=f"<launch>{name}</launch>"))

    report = read(tmp_path, manifest, **{name: b"x"})

    assert report.package is not None, report.findings
    assert report.package.root.units()[0].launch == LaunchTarget(path=name)
    assert set(codes(report)) <= {"launch.unescaped"}


def test_each_rule_is_met_above() -> None:
    rules = {code for code in RULES if code.startswith("xapi.")}

    assert rules == {code for _, expected, _ in CASES.values() for code in expected}

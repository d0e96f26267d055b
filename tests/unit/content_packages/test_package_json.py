"""A package's description survives the way through JSON, and its digest is the same everywhere."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from content_packages.errors import StoredPackageError
from content_packages.package import (
    Activity,
    LaunchTarget,
    Metadata,
    Package,
    SharedDataMap,
    activity_tree,
    from_json,
)
from content_packages.sequencing.definition import (
    Condition,
    ControlModes,
    Objective,
    RuleAction,
    RuleCondition,
    SequencingDefinition,
    SequencingRule,
)
from content_packages.shelf import FileRef

PAGE = Activity(
    identifier="one",
    title="الصفحة الأولى",
    kind="sco",
    launch=LaunchTarget(path="a/index.html", query="x=1", fragment="top"),
    visible=False,
    prerequisites="two&three",
    mastery_score="80",
    max_time_allowed="00:30:00",
    time_limit_action="exit,message",
    data_from_lms=" as written ",
    hide_lms_ui=("continue", "previous"),
    shared_data=(SharedDataMap(target_id="store", write_shared_data=False),),
    sequencing=SequencingDefinition(
        control=ControlModes(flow=True),
        pre_condition_rules=(
            SequencingRule(
                action=RuleAction.SKIP, conditions=(RuleCondition(condition=Condition.SATISFIED),)
            ),
        ),
        primary_objective=Objective(objective_id="p", satisfied_by_measure=True, min_normalized_measure=0.7),
    ),
)
PACKAGE = Package(
    standard="scorm2004",
    edition="2004 4th Edition",
    identifier="m",
    title="A course",
    root=Activity(
        identifier="o", title="A course", children=(PAGE, Activity(identifier="h", title="Heading"))
    ),
    languages=("ar", "en"),
    metadata=Metadata(titles={"en": "A course"}, keywords=("border",), version="2"),
    objectives_global_to_system=False,
    shared_data_global_to_system=False,
    other_organizations=("Another",),
    files={"b.css": FileRef(digest="b" * 64, size=2), "a/index.html": FileRef(digest="a" * 64, size=1)},
)


def test_a_package_comes_back_as_it_was() -> None:
    assert from_json(PACKAGE.to_json()) == PACKAGE


def test_the_order_of_files_and_titles_does_not_change_the_bytes() -> None:
    turned = replace(PACKAGE, files=dict(sorted(PACKAGE.files.items())))

    assert turned.to_json() == PACKAGE.to_json()


def test_what_stands_at_its_default_is_not_written() -> None:
    plain = Package(
        standard="scorm12", edition="1.2", identifier="m", title="T", root=Activity(identifier="o", title="T")
    )

    assert orjson.loads(plain.to_json()) == {
        "format": 1,
        "standard": "scorm12",
        "edition": "1.2",
        "identifier": "m",
        "title": "T",
        "root": {"identifier": "o", "title": "T"},
    }


def test_the_digest_of_an_edition_never_changes() -> None:
    digest = hashlib.sha256(PACKAGE.to_json()).hexdigest()

    # Editions are known by this value on every node: when it differs, editions made before are lost.
    assert digest == "f2146bde24fe90a140b63b381ae19a07a8520a5255b991bd15fde4311d7fbf9f"


def test_the_digests_to_keep_are_those_of_the_files() -> None:
    assert PACKAGE.digests() == {"a" * 64, "b" * 64}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not JSON"),
        (b"[]", "format is None"),
        (b'{"format": 2}', "format is 2"),
        (b'{"format": 1}', "Field required"),
        (PACKAGE.to_json().replace(b"scorm2004", b"scorm2030"), "Input should be"),
    ],
)
def test_what_is_no_package_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(StoredPackageError, match=reason):
        from_json(data)


def test_sequencing_gets_every_activity_that_leads_somewhere() -> None:
    tree = activity_tree(PACKAGE.root)

    assert [child.identifier for child in tree.children] == ["one"]
    assert tree.children[0].definition == PAGE.sequencing
    assert not tree.children[0].visible


def test_thresholds_are_read_where_the_player_asks_for_them() -> None:
    assert PAGE.scaled_passing_score == 0.7
    assert PAGE.completion_threshold is None
    assert PACKAGE.root.scaled_passing_score is None


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
activities = st.recursive(
    st.builds(
        Activity,
        identifier=texts,
        title=texts,
        kind=st.sampled_from(["sco", "asset", "block"]),
        launch=st.none() | st.builds(LaunchTarget, path=texts, query=texts, fragment=texts),
        visible=st.booleans(),
        data_from_lms=st.none() | texts,
    ),
    lambda inner: st.builds(
        Activity, identifier=texts, title=texts, children=st.lists(inner, max_size=3).map(tuple)
    ),
    max_leaves=6,
)


@given(root=activities, files=st.dictionaries(texts, st.integers(0, 2**40), max_size=4))
def test_any_package_comes_back_as_it_was(root: Activity, files: dict[str, int]) -> None:
    refs = {path: FileRef(digest="c" * 64, size=size) for path, size in files.items()}
    package = replace(PACKAGE, root=root, files=refs)

    again = from_json(package.to_json())

    assert again == package
    assert again.to_json() == package.to_json()

"""How large a course may be is a setting, named as the limit it sets."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest
from typer.testing import CliRunner

from content_packages.limits import DEFAULTS, GIB, MIB, Limits
from lms.cli import app
from lms.node import Node
from lms.settings import Settings, SettingsError, load_settings

NAMES = [field.name for field in fields(Limits)]
README = Path(__file__).parents[3] / "README.md"


def test_without_a_word_the_limits_are_the_defaults(tmp_path: Path) -> None:
    assert load_settings(data=tmp_path).limits == DEFAULTS


@pytest.mark.parametrize("name", NAMES)
def test_every_limit_is_a_setting_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(f"LMS_{name.upper()}", "7")

    assert getattr(load_settings(data=tmp_path).limits, name) == 7


def test_a_size_may_be_written_with_its_unit_in_the_file(tmp_path: Path) -> None:
    (tmp_path / "lms.toml").write_text(
        'max_archive_bytes = "2 GiB"\nmax_xml_bytes = "512KiB"\nmax_entries = 5\n'
    )

    limits = load_settings(data=tmp_path).limits

    assert (limits.max_archive_bytes, limits.max_xml_bytes, limits.max_entries) == (2 * GIB, MIB // 2, 5)


@pytest.mark.parametrize(
    ("name", "value"), [("max_archive_bytes", "much"), ("max_items", "0"), ("max_ratio", "-1")]
)
def test_a_limit_that_is_none_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"LMS_{name.upper()}", value)

    with pytest.raises(SettingsError, match=name):
        load_settings(data=tmp_path)


def test_the_importer_of_a_node_keeps_to_them(tmp_path: Path) -> None:
    node = Node(Settings(data=tmp_path, max_entries=3))

    assert node.importer.limits == Limits(max_entries=3)
    node.close()


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_is_told_in_the_readme_and_by_help(name: str) -> None:
    said = CliRunner().invoke(app, ["serve", "--help"], env={"COLUMNS": "500"}).output

    assert f"`LMS_{name.upper()}`" in README.read_text(encoding="utf-8")
    assert re.search(rf"\bLMS_{name.upper()}\b", said)

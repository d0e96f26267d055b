"""The tester of ADL's SCORM 2004 4th Edition suite: plays a case from its data, visit by visit."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

from lxml import etree

from content_packages.sequencing.event import Request
from tests.conformance.judging import differs
from tests.conformance.shim import Shim
from tests.conformance.sitting import Last, Node, Sitting

ROOT = "the activity that corresponds to the root of"
TERMINATE = ("Terminate", "")
# In the suite, line 47 of DMI's second visit to activity 3 has lost its first word, GET; its neighbours have theirs.
MISSPELT = {
    "c~INTR~6~CR~0~P!TY.m": {"fn": "doGetValue", "arg": "cmi.interactions.6.correct_responses.0.pattern"}
}
# Most pages call Terminate as soon as they have done what the case says; these only as they are taken away.
LAST_WORDS: dict[str, Last] = {
    "SequencingTestSingleDoTerminate.htm": (TERMINATE,),
    "tarAct4OnUnload.htm": (("SetValue", "adl.nav.request", "{target=activity_4}choice"), TERMINATE),
    "exitAllOnUnload.htm": (("SetValue", "adl.nav.request", "exitAll"), TERMINATE),
    "suspendAllOnUnload.htm": (("SetValue", "adl.nav.request", "suspendAll"), TERMINATE),
}
PARTS = {"API": "API Implementation Test", "DMI": "Data Model Implementation Test"}
CONTROLS = {
    "Continue": Request.CONTINUE,
    "ContinueExitCM8": Request.CONTINUE,
    "Previous": Request.PREVIOUS,
    "TRIGExitAll": Request.EXIT_ALL,
    "SuspendCM09ca": Request.SUSPEND_ALL,
}
ENDS = {"ChoiceExit", "ContinueExitCM8", "TRIGExitAll", "AutoTest", "HasEnded", "OKEnd"}
FIRST_LINES = {"RelaunchCM10": "Activity 4", "DMBxAct": "Data Model Behavior Test 1"}


class DisagreementError(AssertionError):
    """The product did something else than the suite expects."""


@dataclass(frozen=True)
class Suite:
    """The suite's expectations as data, and a folder for packages."""

    data: Path
    folder: Path

    def names(self) -> list[str]:
        """Return every case, in order."""
        return sorted(path.stem for path in (self.data / "cases").glob("*.json"))

    def case(self, name: str) -> dict[str, Any]:
        """Return the visits of a case."""
        text = (self.data / "cases" / f"{name}.json").read_text(encoding="utf-8")
        return dict(json.loads(text))

    def package(self, name: str) -> Path:
        """Zip a manifest with pages that say nothing: the tester speaks for them."""
        manifest = self.data / "manifests" / f"{name}.xml"
        base = "{http://www.w3.org/XML/1998/namespace}base"
        names = {
            (resource.get(base) or "") + href
            for resource in etree.parse(manifest).getroot().iter("{*}resource")
            for href in [resource.get("href"), *(file.get("href") for file in resource.iter("{*}file"))]
            if href
        }
        path = self.folder / f"{name}.zip"
        with zipfile.ZipFile(path, "w") as package:
            package.write(manifest, "imsmanifest.xml")
            for page in sorted(names):
                package.writestr(page, f"<!doctype html><title>{page}</title>")
        return path


class CaseTester:
    """Follows the instructions of one case as a person would."""

    def __init__(self, suite: Suite, name: str, node: Node, shim: Shim, person: UUID) -> None:
        self.case = suite.case(name)
        self.person = person
        self.sittings = {
            one: Sitting(node, shim, person, node.import_package(suite.package(one)))
            for one in self.case["packages"]
        }
        self.at = self.sittings[self.case["packages"][0]]

    def play(self) -> None:
        """Play every visit.

        Raises:
            DisagreementError: at the first difference.
        """
        start = self.case["start"].strip()
        self.launch(None if start in {".", "DDMa", ""} else start)
        for number, visit in enumerate(self.case["visits"], start=1):
            try:
                self.visit(visit)
            except AssertionError as difference:
                raise DisagreementError(f"visit {number}: {difference}") from difference

    def visit(self, visit: dict[str, Any]) -> None:
        unit = self.at.unit
        assert unit is not None, f"expected activity {visit['act']}, found none"
        assert unit.launch is not None
        found = parse_qs(unit.launch.query).get("act")
        assert found == [visit["act"]], f"expected activity {visit['act']}, found {found}"
        self.answer(visit["ui"])
        for call in visit["calls"]:
            self.call(call | MISSPELT.get(call["fn"], {}))
        last_words = LAST_WORDS.get(unit.launch.path.rpartition("/")[2])
        if last_words is None and visit["calls"]:
            self.at.call(*TERMINATE)
        if visit["action"]:
            self.follow(visit["action"], last_words or ())

    def answer(self, questions: dict[str, str]) -> None:
        """Look at the controls and the outline."""
        bar = self.at.bar
        lines = {line.title: line for line in bar.outline}
        for question, wanted in questions.items():
            kind, _, title = question.partition("@")
            line = lines.get(self.title(title))
            seen = {
                "continue.enabled": bar.can_continue,
                "continue.disabled": not bar.can_continue,
                "previous.enabled": bar.can_go_back,
                "previous.disabled": not bar.can_go_back,
                "toc.enabled": any(one.choosable for one in bar.outline),
                "toc.visible": line is not None,
                "toc.enabled.selectable": line is not None and line.choosable,
                "click.button": True,
            }[kind]
            assert seen == (wanted == "Y"), f"{question}: expected {wanted}"

    def call(self, call: dict[str, Any]) -> None:
        if call["fn"] == "compareObjIds":
            found = list(self.members("cmi.objectives"))
            assert len(found) == len(call["ids"]), f"expected objectives {call['ids']}, found {found}"
            assert set(found) <= set(call["ids"]), f"expected objectives {call['ids']}, found {found}"
        else:
            name, element = call["fn"].removeprefix("do"), self.element(call["arg"])
            given = (element,) if call["value"] is None else (element, call["value"])
            answer = self.at.call(name, *given)
            difference = differs(call, element, answer, str(self.person))
            assert not difference, difference

    def element(self, argument: str) -> str:
        """Put the place of a member where the suite names it by its id."""
        before, _, rest = argument.partition("&")
        if not rest:
            return argument
        wanted, _, after = rest.partition("&")
        places = list(self.members("adl.data" if "data" in before else "cmi.objectives"))
        assert wanted in places, f"there is no {before}{wanted}"
        return f"{before}{places.index(wanted)}{after}"

    def members(self, collection: str) -> Iterator[str]:
        for place in range(int(self.at.call("GetValue", f"{collection}._count").value)):
            yield self.at.call("GetValue", f"{collection}.{place}.id").value

    def launch(self, title: str | None = None) -> None:
        if title is None:
            self.at.open()
        else:
            self.at.look_at_result()
            self.choose(title)

    def relaunch(self, last_words: Last, package: str | None = None, title: str | None = None) -> None:
        """Leave the course, and come back to it or to another one."""
        self.leave(last_words)
        if package:
            self.at = self.sittings[f"LMSTestPackage_{package}"]
        self.launch(title)

    def leave(self, last_words: Last) -> None:
        if self.at.unit is not None:
            self.at.press(Request.EXIT_ALL, last_words=last_words)

    def choose(self, title: str, last_words: Last = ()) -> None:
        wanted = self.title(title)
        line = next((line for line in self.at.bar.outline if line.title == wanted), None)
        assert line is not None, f"{title} is not in the outline"
        self.at.press(Request.CHOICE, line.identifier, last_words=last_words)

    def title(self, words: str) -> str:
        """Return a title; the suite quotes that of the course."""
        return " ".join(words.removeprefix(ROOT).strip(' "').split())

    def follow(self, action: str, last_words: Last) -> None:
        """Do what the suite tells its tester to do."""
        key, _, rest = action.partition("~")
        if key in CONTROLS:
            self.at.press(CONTROLS[key], last_words=last_words)
        elif line := _line(key, rest):
            self.choose(line, last_words)
        elif key == "Exit":
            self.leave(last_words)
        if key in ENDS:
            assert self.at.unit is None, f"{action}: the session has not ended"
        if back := _way_back(key, rest):
            self.relaunch(last_words, *back)


def _line(key: str, rest: str) -> str:
    """Return the line of the outline to choose, if one is."""
    part = re.fullmatch(r"(API|DMI)t(\d)", key)
    if part is not None:
        return f"{PARTS[part[1]]} {part[2]}"
    if key == "RootSX4b":
        return "LMS Test Content Package SX-04b"
    return rest if key in {"Choice", "launch", "ChoiceExit"} else ""


def _way_back(key: str, rest: str) -> tuple[str | None, str | None] | None:
    """Return which package, and where in it, to come back to after leaving, if that is asked for."""
    first, _, second = rest.partition("~")
    if key in FIRST_LINES:
        return None, FIRST_LINES[key]
    if key in {"LaunchDDMb", "ReLaunchDDMb", "ReLaunchDDMa"}:
        return key[-4:], None
    if "launch" in key.lower() and key != "launch":
        return first or None, second or None
    return (None, None) if key in {"DMBx", "ExitCM09ba", "ContinueExitCM8", "SuspendCM09ca"} else None

"""Plays one case of ADL's SCORM 2004 suite against the engine alone: no browser, a data model of plain values."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import parse_qs

from lxml import etree

from content_packages.limits import Limits
from content_packages.manifest.document import parse
from content_packages.manifest.scorm import READERS, edition_of
from content_packages.package import Package, activity_tree
from content_packages.sequencing.controls import controls, outline
from content_packages.sequencing.event import Event, ObjectiveResult, Outcome, Request, RunTime, RunTimeResult
from content_packages.sequencing.runtime import initial_values
from content_packages.sequencing.step import step
from content_packages.sequencing.tracking import ObjectiveRecord, new_state
from content_packages.sequencing.tree import ActivityTree

ROOT = "the activity that corresponds to the root of"
# These pages call Terminate only as they are taken away.
UNTIL_UNLOAD = (
    "SequencingTestSingleDoTerminate.htm",
    "tarAct4OnUnload.htm",
    "exitAllOnUnload.htm",
    "suspendAllOnUnload.htm",
)
JUDGED = re.compile(
    r"cmi\.(objectives\.\d+\.)?(success_status|completion_status|score\.[a-z]+|progress_measure)$|cmi\.entry$"
)
Globals = dict[str, ObjectiveRecord]


class DisagreementError(AssertionError):
    """The engine did something else than the suite expects."""


class Course:
    """One imported test course and what its learner has done in it."""

    def __init__(self, manifest: Path) -> None:
        text = manifest.read_bytes()
        document = parse(text, file=manifest.name, limits=Limits(), findings=[])
        standard, edition = edition_of(document, [])
        self.pages, files = _pages(manifest)
        self.package: Package = READERS[standard](document, files, edition=edition, findings=[])
        self.units = {unit.identifier: unit for unit in self.package.root.walk()}
        self.acts = {
            item: parse_qs(query.lstrip("?")).get("act", [""])[0] for item, (query, _) in self.pages.items()
        }
        match = re.search(rb'objectivesGlobalToSystem\s*=\s*"(\w+)"', text)
        self.tree = ActivityTree(
            activity_tree(self.package.root),
            objectives_global_to_system=match is None or match[1] != b"false",
        )
        self.state = new_state()
        self.kept: dict[str, dict[str, str]] = {}


class Player:
    """A learner, a tester and a content object in one, over ``step``."""

    def __init__(self, shared: Path, name: str, global_objectives: Globals) -> None:
        data = shared / "scorm-cts"
        self.case = json.loads((data / "cases" / f"{name}.json").read_text(encoding="utf-8"))
        self.courses = {p: Course(data / "manifests" / f"{p}.xml") for p in self.case["packages"]}
        self.course = self.courses[self.case["packages"][0]]
        self.globals = global_objectives
        self.values: dict[str, str] = {}
        self.delivered: str | None = None
        self.ended = True
        self.speaking = False

    def play(self) -> None:
        """Play every visit; raise ``DisagreementError`` at the first difference."""
        start = self.case["start"].strip()
        self.launch(None if start in {".", "DDMa", ""} else start)
        for visit in self.case["visits"]:
            found = None if self.delivered is None else self.course.acts[self.delivered]
            expect(found == visit["act"], f"expected activity {visit['act']}, found {found}")
            self.answer(visit["ui"])
            self.call(visit["calls"])
            page = self.course.pages[str(self.delivered)][1]
            if not page.endswith(UNTIL_UNLOAD) and visit["action"] != "SuspendCM09ca" and self.speaking:
                self.speaking = False
                self.happen(RunTime.TERMINATE, result=self.result())
            if visit["action"]:
                self.follow(visit["action"])

    def happen(
        self, kind: Request | RunTime, target: str | None = None, result: RunTimeResult | None = None
    ) -> Outcome:
        course = self.course
        if course.tree.objectives_global_to_system:
            course.state["globals"] = self.globals
        course.state, outcome = step(
            course.tree, course.state, Event(kind=kind, target=target, result=result)
        )
        json.dumps(course.state)
        if course.tree.objectives_global_to_system:
            self.globals = course.state["globals"]
        self.ended = self.ended or outcome.session_ended
        if outcome.unload and self.delivered is not None:
            course.kept[self.delivered] = self.values
            self.delivered = None
        if outcome.delivery is not None:
            self.deliver(outcome.delivery.activity, resumed=outcome.delivery.resumed)
        return outcome

    def deliver(self, identifier: str, *, resumed: bool) -> None:
        self.delivered, self.ended = identifier, False
        self.speaking = self.course.units[identifier].kind != "asset"
        before = self.course.kept.get(identifier, {}) if resumed else {}
        kept = {k: v for k, v in before.items() if k not in {"adl.nav.request", "cmi.exit"}}
        self.values = {
            **kept,
            **initial_values(self.course.tree, self.course.state, identifier),
            "cmi.entry": "resume" if resumed else "ab-initio",
        }

    def launch(self, title: str | None = None) -> None:
        self.delivered = None
        if title is not None:
            self.happen(Request.CHOICE, self.named(title))
        else:
            self.happen(Request.RESUME_ALL if self.course.state["suspended"] else Request.START)

    def relaunch(self, package: str | None = None, title: str | None = None) -> None:
        if not self.ended:
            self.ask(Request.EXIT_ALL)
        self.ended = True
        if package:
            self.course = self.courses[f"LMSTestPackage_{package}"]
        self.launch(title)

    def ask(self, request: Request, target: str | None = None) -> None:
        """Press a control; a content object that still speaks has its last word first."""
        last_word = self.result() if self.speaking and self.delivered else None
        self.speaking = False
        self.happen(request, target, last_word)

    def named(self, title: str) -> str:
        if title.startswith(ROOT):
            return self.course.tree.root.identifier
        return next(a.identifier for a in self.course.tree.activities if a.title == title)

    def answer(self, questions: dict[str, str]) -> None:
        """Look at the controls and the outline as the tester does."""
        if not questions:
            return
        offered = controls(self.course.tree, self.course.state)
        lines = {entry.identifier: entry for entry in outline(self.course.tree, self.course.state)}
        hidden = self.course.units[str(self.delivered)].hide_lms_ui
        for question, wanted in questions.items():
            kind, _, title = question.partition("@")
            word, _, state = kind.partition(".")
            if word in {"continue", "previous"}:
                on = Request(word) in offered.requests and word not in hidden
                seen = on if state == "enabled" else not on
            elif kind == "toc.enabled":
                seen = any(line.listed and line.choosable for line in lines.values())
            elif word == "toc":
                line = lines.get(self.named(title))
                seen = line is not None and line.listed and (line.choosable or state == "visible")
            else:
                continue
            expect(seen == (wanted == "Y"), f"{question}: expected {wanted}")

    def call(self, calls: list[dict[str, str]]) -> None:
        for call in calls:
            element = self.element(call["arg"])
            if call["error"] != "0" or element is None:
                continue
            if call["fn"] == "doSetValue":
                self.values[element] = call["value"]
            elif call["fn"] == "doGetValue" and JUDGED.match(element):
                found = self.get(element)
                expect(
                    _same(found, call["expect"]),
                    f"{call['arg']}: expected {call['expect']!r}, found {found!r}",
                )

    def element(self, argument: str) -> str | None:
        before, _, rest = argument.partition("&")
        if not rest:
            return argument
        if not before.startswith("cmi.objectives"):
            return None
        wanted, _, after = rest.partition("&")
        for n in range(self.objectives()):
            if self.values[f"cmi.objectives.{n}.id"] == wanted:
                return f"cmi.objectives.{n}{after}"
        raise DisagreementError(f"there is no objective {wanted}")

    def objectives(self) -> int:
        return sum(1 for key in self.values if re.fullmatch(r"cmi\.objectives\.\d+\.id", key))

    def get(self, element: str) -> str:
        """Answer as the run-time does, statuses that follow from a measure included."""
        for status, measure, threshold, words in (
            ("completion_status", "progress_measure", "completion_threshold", ("completed", "incomplete")),
            ("success_status", "score.scaled", "scaled_passing_score", ("passed", "failed")),
        ):
            limit, reached = self.values.get(f"cmi.{threshold}"), self.values.get(f"cmi.{measure}")
            if element == f"cmi.{status}" and limit is not None:
                return "unknown" if reached is None else words[float(reached) < float(limit)]
        return self.values.get(element, "unknown" if element.endswith("_status") else "")

    def result(self) -> RunTimeResult:
        match = re.fullmatch(r"(?:\{target=(.*)\})?(\w+)", self.values.get("adl.nav.request", "_none_"))
        assert match is not None
        target, word = match.groups()
        return RunTimeResult(
            **self.reported("cmi."),
            objectives=tuple(
                ObjectiveResult(
                    objective_id=self.values[f"cmi.objectives.{n}.id"],
                    **self.reported(f"cmi.objectives.{n}."),
                )
                for n in range(self.objectives())
            ),
            exit=self.values.get("cmi.exit", ""),
            request=None if word == "_none_" else Request(word),
            request_target=target,
        )

    def reported(self, prefix: str) -> dict[str, object]:
        names = ("progress_measure", "score.scaled", "score.raw", "score.min", "score.max")
        numbers = {
            n.replace(".", "_"): float(self.values[prefix + n]) for n in names if prefix + n in self.values
        }
        statuses = {n: self.values.get(prefix + n) for n in ("completion_status", "success_status")}
        return {**numbers, **statuses}

    def follow(self, action: str) -> None:  # noqa: C901 - one line for each word of the suite
        """Do what the suite tells its tester to do."""
        key, _, rest = action.partition("~")
        first, _, second = rest.partition("~")
        part = re.fullmatch(r"(API|DMI)t(\d)", key)
        if key in {"Continue", "Previous"}:
            self.ask(Request(key.lower()))
        elif part is not None:
            names = {"API": "API Implementation Test", "DMI": "Data Model Implementation Test"}
            self.ask(Request.CHOICE, self.named(f"{names[part[1]]} {part[2]}"))
        elif key in {"Choice", "launch", "ChoiceExit", "RootSX4b"}:
            self.ask(Request.CHOICE, self.named(rest or ROOT))
        elif key in {"ContinueExitCM8", "TRIGExitAll"}:
            self.ask(Request.EXIT_ALL if key == "TRIGExitAll" else Request.CONTINUE)
        elif key == "SuspendCM09ca":
            self.ask(Request.SUSPEND_ALL)
        if key in {"ChoiceExit", "ContinueExitCM8", "TRIGExitAll", "AutoTest", "HasEnded", "OKEnd"}:
            expect(self.ended, f"{action}: the session has not ended")
        titles = {"RelaunchCM10": "Activity 4", "DMBxAct": "Data Model Behavior Test 1"}
        if key in titles:
            self.relaunch(title=titles[key])
        elif key in {"LaunchDDMb", "ReLaunchDDMb", "ReLaunchDDMa"}:
            self.relaunch(key[-4:])
        elif "launch" in key.lower() and key != "launch":
            self.relaunch(first or None, second or None)
        elif key in {"DMBx", "ExitCM09ba", "ContinueExitCM8", "SuspendCM09ca"}:
            self.relaunch()


def expect(claim: object, otherwise: str) -> None:
    if not claim:
        raise DisagreementError(otherwise)


def _same(found: str, expected: str) -> bool:
    try:
        return found == expected or abs(float(found) - float(expected)) < 1e-7
    except ValueError:
        return False


def _pages(manifest: Path) -> tuple[dict[str, tuple[str, str]], list[str]]:
    """Return the parameters and the page of each item, which the tester goes by, and every page's path."""
    root = etree.parse(manifest).getroot()
    base = "{http://www.w3.org/XML/1998/namespace}base"
    pages = {r.get("identifier").lower(): r.get("href") or "" for r in root.iter("{*}resource")}
    files = [(r.get(base) or "") + (r.get("href") or "") for r in root.iter("{*}resource")]
    items = {
        " ".join(item.get("identifier").split()): (
            item.get("parameters") or "",
            pages.get((item.get("identifierref") or "").lower(), ""),
        )
        for item in root.iter("{*}item")
    }
    return items, files

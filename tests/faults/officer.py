"""An officer with a script for a browser, and the ledger of what the server has acknowledged to her."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

from lms.cli.demo import PASSWORD
from tests.servers import NodeUnderTest

NUMBER = "officer"  # of the demo, who is enrolled in a course of either standard
COMMITS_A_SITTING = 12
ANSWERS_EVERY = 3  # commits
LONGEST_MEMORY = 3000  # characters; SCORM 1.2 makes a learning system keep 4096

GONE = (httpx.NetworkError, httpx.RemoteProtocolError)
"""What a client sees of a server that dies; a server that is silent is another matter."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Standard:
    """What a standard calls that which the officer's unit writes."""

    title: str  # of the demo course
    location: str
    response: str
    leaving: str

    def values(self, step: int) -> dict[str, str]:
        """Return what the unit writes in one step: every part of it tells the step."""
        memory = f"step {step} " + "." * (step * 37 % LONGEST_MEMORY)
        return {self.location: str(step), "cmi.suspend_data": memory}

    def answer(self, place: int, step: int) -> dict[str, str]:
        """Return an interaction whose response is the step."""
        at = f"cmi.interactions.{place}"
        return {f"{at}.id": f"question-{place}", f"{at}.type": "numeric", f"{at}.{self.response}": str(step)}

    def answers(self, values: Mapping[str, str]) -> list[int]:
        """Return the responses among a unit's values, in their order."""
        return [
            int(values[f"cmi.interactions.{place}.{self.response}"])
            for place in range(sum(element.endswith(f".{self.response}") for element in values))
        ]


SCORM_12 = Standard(
    title="Searching a vehicle safely",
    location="cmi.core.lesson_location",
    response="student_response",
    leaving="cmi.core.exit",
)
SCORM_2004 = Standard(
    title="Human rights at the border crossing",
    location="cmi.location",
    response="learner_response",
    leaving="cmi.exit",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sent:
    """One commit: where it went, the bytes of it, and what it says."""

    path: str
    body: bytes
    step: int
    answers: bool
    opens: bool  # it is the first of its launch, and so makes a statement


@dataclass(kw_only=True, slots=True)
class Ledger:
    """What the server owes the officer. It is kept here, where the server's death does not reach."""

    acknowledged: int = 0  # commits that were answered
    step: int = 0  # of the last commit that was answered, or found applied
    answers: list[int] = field(default_factory=list)  # the step of each
    openings: int = 0
    unanswered: Sent | None = None

    def settle(self, sent: Sent) -> None:
        """Note that a commit is durable."""
        self.unanswered = None
        if sent.step == self.step:
            return
        self.step = sent.step
        self.openings += sent.opens
        if sent.answers:
            self.answers.append(sent.step)


class Officer:
    """Takes one course on a node, one request after the other."""

    def __init__(
        self,
        node: NodeUnderTest,
        standard: Standard,
        course: str,
        *,
        number: str = NUMBER,
        password: str = PASSWORD,
    ) -> None:
        self.standard = standard
        self.course = course
        self.number = number
        self.password = password
        self.ledger = Ledger()
        self._pages = httpx.Client(base_url=node.url, timeout=30)
        self._content = httpx.Client(base_url=f"http://127.0.0.1:{node.content_port}", timeout=30)
        self._frame = ""  # path of the shim page
        self._sequence = 0
        self._step = 0

    def close(self) -> None:
        """Close the browser."""
        self._pages.close()
        self._content.close()

    def sign_in(self) -> None:
        """Sign in, for as long as the data folder lasts."""
        found = re.search(r'name="csrf_token" value="([^"]+)"', self._pages.get("/sign-in").text)
        assert found, "the page to sign in has no form"
        form = {"personnel_number": self.number, "password": self.password, "csrf_token": found[1]}
        done = self._pages.post("/sign-in", data=form)
        assert done.status_code == 303, done.text

    def open_course(self) -> dict[str, str]:
        """Open the course as from her home page; return what its unit finds stored."""
        page = self._pages.get(f"/learn/{self.course}")
        asked = re.search(r'data-testid="go-on-here" href="([^"]+)"', page.text)
        if asked:  # what a server's death has left running
            page = self._pages.get(asked[1])
        assert page.status_code == 200, page.text
        found = re.search(r'<iframe[^>]* src="([^"]+)"', page.text)
        assert found, page.text
        address = urlsplit(found[1])
        # Not every resolver knows the names below localhost, as browsers do.
        self._content.headers["host"] = address.netloc
        self._frame = address.path
        return self.reload_frame()

    def reload_frame(self) -> dict[str, str]:
        """Load the unit of the open launch again; return what it finds stored."""
        page = self._content.get(self._frame)
        assert page.status_code == 200, page.text
        found = re.search(r'id="boot">(.*?)</script>', page.text, re.DOTALL)
        assert found, page.text
        boot = json.loads(found[1])
        self._sequence = boot["sequence"]
        return dict(boot["values"])

    def commit(self, reason: str = "commit") -> Sent:
        """Store the next step, note it once it is acknowledged, and return what was sent."""
        self._step += 1
        self._sequence += 1
        answers = reason == "commit" and self._step % ANSWERS_EVERY == 0
        values = self.standard.values(self._step) | {self.standard.leaving: "suspend"}
        if answers:
            values |= self.standard.answer(len(self.ledger.answers), self._step)
        body = {
            "sequence": self._sequence,
            "values": values,
            "reason": reason,
            "phase": "terminated" if reason == "terminate" else "running",
            "session_time_s": self._sequence,
        }
        sent = Sent(
            path=f"{self._frame}commit",
            body=json.dumps(body).encode(),
            step=self._step,
            answers=answers,
            opens=reason == "initialize",
        )
        self.ledger.unanswered = sent
        self.send(sent)
        self.ledger.acknowledged += 1
        self.ledger.settle(sent)
        return sent

    def send(self, sent: Sent) -> Any:
        """Send a commit, for the first time or again, and return its answer."""
        headers = {"Content-Type": "application/json"}
        answered = self._content.post(sent.path, content=sent.body, headers=headers)
        assert answered.status_code == 200, answered.text
        answer = answered.json()
        assert answer["refused"] == [], answer
        return answer

    def work(self, *, goes_on: Callable[[], bool]) -> None:
        """Take the course, leave it and take it up again."""
        while goes_on():
            self.check(self.open_course())
            self.commit("initialize")
            for _ in range(COMMITS_A_SITTING):
                self.commit()
            self.commit("terminate")

    def work_until_cut(self) -> None:
        """Work until the server is gone."""
        with suppress(*GONE):
            self.work(goes_on=lambda: True)

    def check(self, values: Mapping[str, str]) -> None:
        """Compare what is stored with the ledger; an unanswered commit is there wholly or not at all."""
        shown = int(values.get(self.standard.location, "0"))
        unanswered, self.ledger.unanswered = self.ledger.unanswered, None
        if unanswered is not None and shown == unanswered.step:
            self.ledger.settle(unanswered)
        assert shown == self.ledger.step, f"step {shown} is stored, {self.ledger.step} was acknowledged"
        whole = not shown or self.standard.values(shown).items() <= values.items()
        assert whole, f"not all that is stored is of step {shown}: {values}"
        stored = self.standard.answers(values)
        assert stored == self.ledger.answers, f"stored {stored}, acknowledged {self.ledger.answers}"

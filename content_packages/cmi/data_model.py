"""Judge what a course reads and writes (SCORM 1.2 RTE §3.4; SCORM 2004 RTE 4th Ed. §3.1.7, §4.1, §4.2).

The player answers the course from the same tables by the same steps (``lms/player/shim/data_model.js``); this
side judges again what the player sends, because the player runs beside the course and is not believed.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from content_packages.cmi.element import Name, Place, order, parse
from content_packages.cmi.responses import (
    ONE_PATTERN,
    UNIQUE_PATTERNS,
    correct_response_is_right,
    language_and_text,
    learner_response_is_right,
    localized_is_right,
)
from content_packages.cmi.tables import Element, Format, Standard, Table, table

_LONGEST_DIAGNOSTIC = 254


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call gives back: a value (``"true"`` or ``"false"`` for a set), an error code, a sentence."""

    value: str
    code: str = "0"
    diagnostic: str = ""

    @property
    def accepted(self) -> bool:
        """Whether the call succeeded."""
        return self.code == "0"


@dataclass(frozen=True, slots=True)
class Refusal:
    """One value of a delta that was not taken."""

    element: str
    code: str
    diagnostic: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Applied:
    """A state after a delta.

    Attributes:
        values: what it is now.
        refused: what was not taken.
    """

    values: Mapping[str, str]
    refused: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True)
class BeyondSpm:
    """A value that is kept whole although it has more characters than its standard makes an LMS keep (SPM)."""

    element: str
    length: int
    spm: int


class _BrokenRuleError(Exception):
    """A call breaks a rule of the data model; ``rule`` is its name in the table."""

    def __init__(self, rule: str, sentence: str) -> None:
        self.rule = rule
        super().__init__(sentence)


class DataModel:
    """The run-time data of one unit: a flat mapping of element to string, and the rules of its standard."""

    def __init__(self, standard: Standard, values: Mapping[str, str]) -> None:
        self._table: Table = table(standard)
        self._values = dict(values)
        self._counts: dict[str, int] = {}
        for element in self._values:
            self._count_in(parse(element).places)

    @property
    def values(self) -> Mapping[str, str]:
        """Everything that is set, without defaults."""
        return dict(self._values)

    def get(self, element: str) -> Answer:
        """Answer ``GetValue`` / ``LMSGetValue``."""
        try:
            return Answer(self._read(element))
        except _BrokenRuleError as error:
            return self._refusal("", error)

    def set(self, element: str, value: str) -> Answer:
        """Carry out ``SetValue`` / ``LMSSetValue``."""
        try:
            self._write(element, value, replay=False)
        except _BrokenRuleError as error:
            return self._refusal("false", error)
        return Answer("true")

    def replay(self, element: str, value: str) -> Answer:
        """Take the last of several values that the player accepted, after which others may have changed.

        A response is then held to its length only, since the type may have been another when it was given;
        two correct responses may look alike on the way; and what is appended comes whole.
        """
        try:
            self._write(element, value, replay=True)
        except _BrokenRuleError as error:
            return self._refusal("false", error)
        return Answer("true")

    def _read(self, element: str) -> str:
        if element == "":
            raise _BrokenRuleError("empty_get", "GetValue needs the name of an element.")
        name = parse(element)
        if name.keyword:
            return self._read_keyword(element, name)
        row = self._row(element, name)
        self._check_members_exist(name)
        if self._access(name, row) in {"wo", "none"}:
            raise _BrokenRuleError("write_only", f"{element} can only be written.")
        value = self._evaluated(name.row)
        if value is None:
            value = self._values.get(name.path, row.default)
        if value is None or (value == "" and row.empty_is_unset):
            raise _BrokenRuleError("unset", f"{element} has no value yet.")
        return value

    def _read_keyword(self, element: str, name: Name) -> str:
        if name.row not in self._table.nodes:
            self._row(element, name)
        if name.keyword == "_version" and name.row in self._table.version:
            return self._table.version[name.row]
        if name.keyword == "_children" and name.row in self._table.children:
            self._check_members_exist(name)
            return self._table.children[name.row]
        if name.keyword == "_count" and name.row in self._table.collections:
            self._check_members_exist(name)
            return str(self._counts.get(name.path, 0))
        raise _BrokenRuleError(f"no{name.keyword}", f"{name.path} has no {name.keyword}.")

    def _write(self, element: str, value: str, *, replay: bool) -> None:
        if element == "":
            raise _BrokenRuleError("empty_set", "SetValue needs the name of an element.")
        name = parse(element)
        if name.keyword and name.row in self._table.nodes:
            raise _BrokenRuleError("keyword", f"{element} is kept by the LMS and cannot be set.")
        row = self._row(element, name)
        if name.keyword:
            raise _BrokenRuleError("keyword", f"{element} is kept by the LMS and cannot be set.")
        if row.access == "ro":
            raise _BrokenRuleError("read_only", f"{element} can only be read.")
        self._check_order(element, name, row)
        if row.append and not replay:
            value = self._values.get(name.path, "") + value
        self._check_value(element, name, row, value, replay=replay)
        self._values[name.path] = value
        self._count_in(name.places)

    def _row(self, element: str, name: Name) -> Element:
        row = self._table.elements.get(name.row)
        if row is None:
            raise _BrokenRuleError("unknown", f"{element} is not an element of this data model.")
        return row

    def _check_members_exist(self, name: Name) -> None:
        for place in name.places:
            if place.index >= self._counts.get(place.path, 0):
                raise _BrokenRuleError("get_index", f"{place.path} has no member {place.index}.")

    def _check_order(self, element: str, name: Name, row: Element) -> None:
        """Members are made one after another, and what depends on an element waits for it."""
        for place in name.places:
            count = self._counts.get(place.path, 0)
            if place.index > count:
                raise _BrokenRuleError("set_index", f"The next member of {place.path} is {count}.")
            limit = self._table.collections[place.row]
            if place.index >= limit.most or (limit.closed and place.index == count):
                raise _BrokenRuleError("set_index", f"{place.path} cannot hold more members.")
        if self._access(name, row) in {"ro", "none"}:
            raise _BrokenRuleError("read_only", f"{element} can only be read.")
        for needed in row.needs:
            path = name.beside(needed)
            if path not in self._values:
                raise _BrokenRuleError("dependency", f"{path} must be set before {element}.")
        if row.format.response == "correct_response" and name.places[-1].index > 0:
            kind = self._interaction_type(name)
            if kind in ONE_PATTERN:
                raise _BrokenRuleError(
                    "set_index", f"An interaction of type {kind} has one correct response."
                )

    def _check_value(self, element: str, name: Name, row: Element, value: str, *, replay: bool) -> None:
        """A value has the right form and range, changes nothing fixed, and doubles nothing unique."""
        if row.fixed and self._values.get(name.path, value) != value:
            raise _BrokenRuleError("fixed", f"{element} is set and cannot change.")
        wanted = row.format
        if wanted.most is not None and len(value) > wanted.most:
            raise _BrokenRuleError("too_long", f"{element} would be longer than {wanted.most} characters.")
        if not (replay and wanted.response) and not self._has_form(name, wanted, value):
            raise _BrokenRuleError("mismatch", f"{element} cannot be {value}")
        if wanted.ranged and value not in wanted.values and not wanted.holds(float(value)):
            raise _BrokenRuleError("range", f"{element} cannot be {value}: out of range.")
        if self._is_double(name, row, value, replay=replay):
            raise _BrokenRuleError("unique", f"Another member beside {element} has this value.")

    def _has_form(self, name: Name, wanted: Format, value: str) -> bool:
        if wanted.response == "correct_response":
            return correct_response_is_right(self._interaction_type(name), value, self._table.languages)
        if wanted.response == "learner_response":
            return learner_response_is_right(self._interaction_type(name), value, self._table.languages)
        if wanted.localized:
            return localized_is_right(value, self._table.languages)
        if value in wanted.values:
            return True
        if wanted.pattern is not None:
            return wanted.pattern.fullmatch(value) is not None
        return not wanted.values

    def _is_double(self, name: Name, row: Element, value: str, *, replay: bool) -> bool:
        if row.format.response == "correct_response":
            if replay or self._interaction_type(name) not in UNIQUE_PATTERNS:
                return False
        elif not row.unique:
            return False
        place = name.places[-1]
        leaf = name.path.removeprefix(f"{place.path}.{place.index}.")
        return any(
            index != place.index and self._values.get(f"{place.path}.{index}.{leaf}") == value
            for index in range(self._counts.get(place.path, 0))
        )

    def _interaction_type(self, name: Name) -> str:
        return self._values.get(name.beside("cmi.interactions.n.type"), "")

    def _evaluated(self, row: str) -> str | None:
        rule = self._table.evaluated.get(row)
        if rule is None or rule.threshold not in self._values:
            return None
        if rule.measure not in self._values:
            return "unknown"
        reached = float(self._values[rule.measure]) >= float(self._values[rule.threshold])
        return rule.reached if reached else rule.below

    def _access(self, name: Name, row: Element) -> str:
        """A bucket of ``adl.data`` has its access beside it, ``adl.data.n._access``: ro, wo, rw or none."""
        return (
            self._values.get(name.beside("adl.data.n._access"), row.access) if row.own_access else row.access
        )

    def _count_in(self, places: tuple[Place, ...]) -> None:
        for place in places:
            self._counts[place.path] = max(self._counts.get(place.path, 0), place.index + 1)

    def _refusal(self, value: str, error: _BrokenRuleError) -> Answer:
        code = self._table.rules[error.rule]
        return Answer(value) if code is None else Answer(value, code, str(error)[:_LONGEST_DIAGNOSTIC])


def apply_delta(standard: Standard, values: Mapping[str, str], delta: Mapping[str, str]) -> Applied:
    """Bring a state forward by what an untrusted player sends: the last value of each changed element.

    Args:
        standard: whose rules hold.
        values: the state as the LMS holds it, with what the course may only read.
        delta: element to value, in any order.

    Returns:
        The new state. What the standard does not allow is left out and reported, never raised.
    """
    model = DataModel(standard, values)
    refused = []
    for element in sorted(delta, key=order):
        answer = model.replay(element, delta[element])
        if not answer.accepted:
            refused.append(Refusal(element, answer.code, answer.diagnostic))
    return Applied(values=model.values, refused=tuple(refused))


def most_characters(standard: Standard, element: str) -> int | None:
    """Return how many characters we keep of an element; ``None`` where nothing is longer than its form allows."""
    row = table(standard).elements.get(parse(element).row)
    return None if row is None else row.format.most


def beyond_spm(standard: Standard, values: Mapping[str, str]) -> list[BeyondSpm]:
    """Return the values of a unit that another LMS might cut, the longest first."""
    elements = table(standard).elements
    least = min(row.format.spm for row in elements.values() if row.format.spm is not None)
    found = []
    for element, value in values.items():
        row = elements.get(parse(element).row) if len(value) > least else None
        if row is None or row.format.spm is None:
            continue
        length = len(language_and_text(value)[1] if row.format.localized else value)
        if length > row.format.spm:
            found.append(BeyondSpm(element, length, row.format.spm))
    return sorted(found, key=lambda one: -one.length)

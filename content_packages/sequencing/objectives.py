"""Objectives as tracking asks for them: with the shared global objectives they read and write (SN 3.10)."""

from __future__ import annotations

from dataclasses import dataclass, field

from content_packages.sequencing.definition import AdlObjectiveMap, Objective, ObjectiveMap


@dataclass(eq=False, slots=True)
class TrackedObjective:
    """One objective of one activity with its maps, by the field of tracking they carry.

    Args:
        key: under which its progress is recorded; empty for a primary objective without an id.
        reads: field of tracking -> global objective that answers while the field is unknown here.
        writes: field of tracking -> global objectives that receive every value recorded here.
    """

    key: str
    is_primary: bool
    definition: Objective
    reads: dict[str, str] = field(default_factory=dict)
    writes: dict[str, tuple[str, ...]] = field(default_factory=dict)


# Which attribute of which map lets which field of tracking through.
_MAPPED = {
    "satisfied": "satisfied_status",
    "measure": "normalized_measure",
    "raw": "raw_score",
    "min": "min_score",
    "max": "max_score",
    "completed": "completion_status",
    "progress": "progress_measure",
}


def tracked(definition: Objective, *, is_primary: bool) -> TrackedObjective:
    """Return an objective with its maps, imsss and adlseq alike."""
    objective = TrackedObjective(
        key=definition.objective_id or "", is_primary=is_primary, definition=definition
    )
    mappings: tuple[ObjectiveMap | AdlObjectiveMap, ...] = (*definition.maps, *definition.adl_maps)
    for mapping in mappings:
        target = mapping.target_objective_id
        for name, attribute in _MAPPED.items():
            if getattr(mapping, f"read_{attribute}", False):
                objective.reads.setdefault(name, target)
            if getattr(mapping, f"write_{attribute}", False):
                objective.writes[name] = (*objective.writes.get(name, ()), target)
    return objective

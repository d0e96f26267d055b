"""What a document is known by (xAPI 1.0.3 Communication §2.2; xAPI 2.0 §4.1.5)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from xapi_store.model.actor import actor_key


class DocumentKind(StrEnum):
    """The three document resources."""

    STATE = "state"
    ACTIVITY_PROFILE = "activity_profile"
    AGENT_PROFILE = "agent_profile"


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentScope:
    """Whose documents: an activity's, an agent's, or an agent's within an activity.

    `agent` is a key (`model.actor.actor_key`); `registration` narrows state, and `None` means all of it.
    """

    kind: DocumentKind
    activity: str | None = None
    agent: str | None = None
    registration: UUID | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentKey:
    """One document; `name` is its stateId or profileId. State without a registration is apart."""

    kind: DocumentKind
    name: str
    activity: str | None = None
    agent: str | None = None
    registration: UUID | None = None

    @classmethod
    def state(
        cls, *, activity: str, agent: dict[str, Any], name: str, registration: UUID | None = None
    ) -> "DocumentKey":
        """Name a state document by its activity's IRI, an Agent object and its stateId."""
        return cls(
            kind=DocumentKind.STATE,
            name=name,
            activity=activity,
            agent=actor_key(agent),
            registration=registration,
        )

    @property
    def scope(self) -> DocumentScope:
        """The documents among which this one stands."""
        return DocumentScope(
            kind=self.kind, activity=self.activity, agent=self.agent, registration=self.registration
        )

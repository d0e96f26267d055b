"""State, Activity Profile and Agent Profile resources (1.0.3 Communication §2.3, §2.6, §2.7; 2.0 §4.1.6)."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session
from starlette.responses import Response

from xapi_store.documents import (
    UNCONDITIONAL,
    Conditions,
    delete_document,
    delete_documents,
    get_document,
    list_documents,
    merge_document,
    names_document,
    put_document,
)
from xapi_store.errors import NotFoundError, RequestError
from xapi_store.http.changes import DocumentChange
from xapi_store.http.lrs import Lrs
from xapi_store.http.request import LrsRequest
from xapi_store.http.resource import Resource
from xapi_store.http.responses import add_header, http_date, json_answer
from xapi_store.model.document import DocumentKey, DocumentKind, DocumentScope
from xapi_store.model.strict_json import load
from xapi_store.model.version import Version


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentResource:
    """One of the three: how a document is named, and who may do what."""

    kind: DocumentKind
    owners: tuple[str, ...]
    name: str
    scope: str

    def as_resource(self) -> Resource:
        """Return it as the app sees it."""
        return Resource(
            read=self.get,
            is_one_row=lambda request: self.name in request.incoming.parameters,
            changes={"PUT": self.put, "POST": self.post, "DELETE": self.delete},
        )

    def get(self, _lrs: Lrs, session: Session, request: LrsRequest) -> Response:
        """Return one document, or the names of all."""
        request.credentials.require(self.scope, "all/read")
        request.allow({*self.owners, self.name, "since"})
        scope = self._scope(request)
        if self.name not in request.incoming.parameters:
            found = list_documents(session, scope, since=request.instant("since"))
            answer = json_answer(sorted({document.key.name for document in found}))
            if found:
                add_header(answer, b"last-modified", http_date(max(one.updated for one in found)))
            return answer
        document = get_document(session, self._key(request, scope))
        if document is None:
            raise NotFoundError("There is no such document.")
        headers = {"ETag": document.etag, "Last-Modified": http_date(document.updated)}
        known = request.header("if-none-match")
        if known is not None and names_document(known, document):
            return Response(status_code=304, headers=headers)
        return Response(document.content, headers={**headers, "Content-Type": document.content_type})

    def put(self, lrs: Lrs, request: LrsRequest) -> DocumentChange:
        """Write one document."""
        key, content, content_type, conditions = self._sent(request)
        required = self.kind is not DocumentKind.STATE or request.version is Version.V2
        said_nothing = request.version is Version.V1 and required and conditions == UNCONDITIONAL

        def work(session: Session) -> None:
            if (
                said_nothing and get_document(session, key) is None
            ):  # 1.0.3 wants a condition always (§2.6, §2.7)
                raise RequestError(
                    "Send If-None-Match: * with a new profile document, or If-Match with its ETag."
                )
            put_document(
                session,
                key,
                content,
                content_type,
                now=lrs.now(),
                conditions=conditions,
                condition_required=required,
            )

        return DocumentChange(work=work, answer=Response(status_code=204))

    def post(self, lrs: Lrs, request: LrsRequest) -> DocumentChange:
        """Merge into one document."""
        key, content, content_type, conditions = self._sent(request)
        return DocumentChange(
            work=lambda session: merge_document(
                session, key, content, content_type, now=lrs.now(), conditions=conditions
            ),
            answer=Response(status_code=204),
        )

    def delete(self, lrs: Lrs, request: LrsRequest) -> DocumentChange:
        """Delete one document or, of state, all."""
        request.credentials.require(self.scope)
        request.allow({*self.owners, self.name})
        scope, answer = self._scope(request), Response(status_code=204)
        if self.name not in request.incoming.parameters and self.kind is DocumentKind.STATE:
            return DocumentChange(
                work=lambda session: delete_documents(session, scope, now=lrs.now()), answer=answer
            )
        key, conditions = self._key(request, scope), _conditions(request)
        return DocumentChange(
            work=lambda session: delete_document(session, key, now=lrs.now(), conditions=conditions),
            answer=answer,
        )

    def _sent(self, request: LrsRequest) -> tuple[DocumentKey, bytes, str, Conditions]:
        """Return which document was sent, its content and type, and on what conditions."""
        request.credentials.require(self.scope)
        request.allow({*self.owners, self.name})
        key = self._key(request, self._scope(request))
        content_type = request.header("content-type") or "application/octet-stream"
        if content_type.partition(";")[0].strip().lower() == "application/json":
            load(request.incoming.body)
        return key, request.incoming.body, content_type, _conditions(request)

    def _scope(self, request: LrsRequest) -> DocumentScope:
        for owner in self.owners:
            if owner != "registration":
                request.text(owner)
        return DocumentScope(
            kind=self.kind,
            activity=request.iri("activityId"),
            agent=request.actor("agent"),
            registration=self._registration(request),
        )

    def _registration(self, request: LrsRequest) -> UUID | None:
        if "registration" not in self.owners:
            return None
        return request.uuid("registration") or request.credentials.registration

    def _key(self, request: LrsRequest, scope: DocumentScope) -> DocumentKey:
        name = request.text(self.name)
        if "\0" in name:
            raise RequestError(f"The parameter {self.name} must not contain the character NUL.")
        return DocumentKey(
            kind=self.kind,
            name=name,
            activity=scope.activity,
            agent=scope.agent,
            registration=scope.registration,
        )


STATE = DocumentResource(
    kind=DocumentKind.STATE, owners=("activityId", "agent", "registration"), name="stateId", scope="state"
).as_resource()
ACTIVITY_PROFILE = DocumentResource(
    kind=DocumentKind.ACTIVITY_PROFILE, owners=("activityId",), name="profileId", scope="profile"
).as_resource()
AGENT_PROFILE = DocumentResource(
    kind=DocumentKind.AGENT_PROFILE, owners=("agent",), name="profileId", scope="profile"
).as_resource()


def _conditions(request: LrsRequest) -> Conditions:
    return Conditions(if_match=request.header("if-match"), if_none_match=request.header("if-none-match"))

"""State, Activity Profile and Agent Profile resources (1.0.3 Communication §2.3, §2.6, §2.7; 2.0 §4.1.6)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from xapi_store.documents import (
    UNCONDITIONAL,
    Conditions,
    delete_document,
    delete_documents,
    get_document,
    list_documents,
    merge_document,
    put_document,
)
from xapi_store.errors import NotFoundError, RequestError
from xapi_store.http.lrs import Lrs
from xapi_store.http.request import LrsRequest
from xapi_store.http.responses import http_date, json_answer
from xapi_store.model.document import DocumentKey, DocumentKind, DocumentScope
from xapi_store.model.strict_json import load_object
from xapi_store.model.version import Version


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentResource:
    """One of the three: how a document is named, and who may do what."""

    kind: DocumentKind
    owners: tuple[str, ...]
    name: str
    scope: str

    def get(self, lrs: Lrs, request: LrsRequest) -> Response:
        """Return one document, or the names of all."""
        request.credentials.require(self.scope, "all/read")
        request.allow({*self.owners, self.name, "since"})
        scope = self._scope(request)
        with lrs.read() as session:
            if self.name not in request.incoming.parameters:
                found = list_documents(session, scope, since=request.instant("since"))
                answer = json_answer(sorted({document.key.name for document in found}))
                if found:
                    answer.headers["Last-Modified"] = http_date(max(one.updated for one in found))
                return answer
            document = get_document(session, self._key(request, scope))
        if document is None:
            raise NotFoundError("There is no such document.")
        headers = {"ETag": document.etag, "Last-Modified": http_date(document.updated)}
        return Response(document.content, headers={**headers, "Content-Type": document.content_type})

    def put(self, lrs: Lrs, request: LrsRequest) -> Response:
        """Write one document."""
        required = self.kind is not DocumentKind.STATE or request.version is Version.V2
        if request.version is Version.V1 and required and _conditions(request) == UNCONDITIONAL:
            self._refuse_unread(lrs, request)
        return self._store(lrs, request, put_document, condition_required=required)

    def post(self, lrs: Lrs, request: LrsRequest) -> Response:
        """Merge into one document."""
        return self._store(lrs, request, merge_document)

    def delete(self, lrs: Lrs, request: LrsRequest) -> Response:
        """Delete one document or, of state, all."""
        request.credentials.require(self.scope)
        request.allow({*self.owners, self.name})
        scope = self._scope(request)
        if self.name not in request.incoming.parameters and self.kind is DocumentKind.STATE:
            lrs.change(lambda session: delete_documents(session, scope, now=lrs.now()))
            return Response(status_code=204)
        key, conditions = self._key(request, scope), _conditions(request)
        lrs.change(lambda session: delete_document(session, key, now=lrs.now(), conditions=conditions))
        return Response(status_code=204)

    def _refuse_unread(self, lrs: Lrs, request: LrsRequest) -> None:
        """Refuse a new profile document without a condition: 1.0.3 wants one always (§2.6, §2.7)."""
        request.credentials.require(self.scope)
        key = self._key(request, self._scope(request))
        with lrs.read() as session:
            if get_document(session, key) is None:
                raise RequestError(
                    "Send If-None-Match: * with a new profile document, or If-Match with its ETag."
                )

    def _store(self, lrs: Lrs, request: LrsRequest, store: Callable[..., Any], **rules: bool) -> Response:
        request.credentials.require(self.scope)
        request.allow({*self.owners, self.name})
        key, conditions = self._key(request, self._scope(request)), _conditions(request)
        content, content_type = (
            request.incoming.body,
            request.header("content-type") or "application/octet-stream",
        )
        if content_type.partition(";")[0].strip().lower() == "application/json":
            load_object(content)
        lrs.change(
            lambda session: store(
                session, key, content, content_type, now=lrs.now(), conditions=conditions, **rules
            )
        )
        return Response(status_code=204)

    def _scope(self, request: LrsRequest) -> DocumentScope:
        for owner in self.owners:
            if owner != "registration":
                request.text(owner)
        return DocumentScope(
            kind=self.kind,
            activity=request.iri("activityId"),
            agent=request.actor("agent"),
            registration=request.uuid("registration"),
        )

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
)
ACTIVITY_PROFILE = DocumentResource(
    kind=DocumentKind.ACTIVITY_PROFILE, owners=("activityId",), name="profileId", scope="profile"
)
AGENT_PROFILE = DocumentResource(
    kind=DocumentKind.AGENT_PROFILE, owners=("agent",), name="profileId", scope="profile"
)


def _conditions(request: LrsRequest) -> Conditions:
    return Conditions(if_match=request.header("if-match"), if_none_match=request.header("if-none-match"))

"""Bundles for administrators: write one to a drive, take one from it, and what became of each."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response

from lms.bundles.actions import Carrier, RecipientUnclearError, chosen, file_name
from lms.bundles.drives import Drive, bundles_on, list_drives
from lms.bundles.queries import find_bundle, receipts_due, recent_bundles, recipients
from lms.bundles.tables import Bundle, BundleKind, BundleState
from lms.bundles.wording import DETAILED, KINDS, OTHER_PROBLEM, PROBLEMS, REFUSALS
from lms.courses.uploads import receive_form
from lms.nodes.wording import OTHER_REASON, REASONS, ROLES
from lms.people.policy import Right
from lms.people.viewer import requires
from lms.web.csrf import FIELD
from lms.web.errors import NotFoundError, StrangeTokenError
from lms.web.locale import language_of
from lms.web.pages import render
from lms.web.router import page_router
from lms.web.site import site_of
from lms.web.viewer import Viewer
from lms.web.visit import visit_of
from lms.web.wording import mark
from sync.bundle_files import FAT32_BYTES
from sync.errors import BundleError
from sync.node import names_of

PATH = "/bundles"

router = page_router(PATH)
sending = APIRouter(prefix=PATH, include_in_schema=False)  # reads its form, token included, by itself
Manager = Annotated[Viewer, Depends(requires(Right.MANAGE_NODES))]
Text = Annotated[str, Form()]

RECENT = 20
TYPED = "typed"
DOWNLOAD = "download"
SIZES: dict[int, str] = {
    FAT32_BYTES: mark("As large as any stick takes (4 GiB)"),
    650 * 1024**2: mark("For discs (650 MiB)"),
    20 * 1000**2: mark("For mail (20 MB)"),
    5 * 1000**2: mark("For mail that takes little (5 MB)"),
}

_NO_FOLDER = mark("There is no such folder. Is the drive plugged in?")
_NO_FILE = mark("Choose a bundle, or type where it is.")
_NOBODY = mark("Choose for whom it is.")


# ---------------------------------------------------------------- all of them


@router.get("")
def show_bundles(request: Request, _: Manager) -> Response:
    """Show what was written and taken, and the ways to go on."""
    with site_of(request).database.read() as session:
        found = recent_bundles(session, limit=RECENT)
        due = receipts_due(session)
        names = names_of(session, [*due, *(node for one in found for node in one.nodes)])
        is_alone = not recipients(session)
    return render(
        request,
        "bundles/list.html",
        bundles=found,
        due=[names.get(node, node) for node in due],
        names=names,
        is_alone=is_alone,
        kinds=KINDS,
    )


# ---------------------------------------------------------------- out


@router.get("/export")
def show_export(
    request: Request,
    _: Manager,
    *,
    to: Annotated[list[str] | None, Query()] = None,
    files: bool = True,
    receipt: bool = False,
) -> Response:
    """Show what goes out to whom, how large it is, and the drives it can go to."""
    return _export_page(request, to or [], files=files, receipt=receipt)


@router.post("/export")
def post_export(
    request: Request,
    viewer: Manager,
    *,
    to: Annotated[list[str], Form()],
    folder: Text = "",
    typed: Text = "",
    files: Annotated[bool, Form()] = False,
    receipt: Annotated[bool, Form()] = False,
    most_bytes: Annotated[int, Form()] = FAT32_BYTES,
) -> Response:
    """Have a bundle, or only a receipt, written to a drive."""
    carrier, site = _carrier(request), site_of(request)
    where = {TYPED: Path(typed.strip()), DOWNLOAD: carrier.folder}.get(folder, Path(folder))
    if folder == DOWNLOAD:
        carrier.folder.mkdir(exist_ok=True)
    if not folder or not where.is_absolute() or not where.is_dir():
        errors = {"typed": _NO_FOLDER}
        return _export_page(
            request, to, files=files, receipt=receipt, folder=folder, typed=typed, errors=errors, status=422
        )
    with site.database.read() as session:
        try:
            nodes = chosen(session, to)
        except RecipientUnclearError:
            return _export_page(request, [], files=files, receipt=receipt, errors={"to": _NOBODY}, status=422)
    kind = BundleKind.RECEIPT if receipt else BundleKind.EXPORT
    bundle_id = carrier.queue(
        kind,
        where / file_name(site.node_name, kind, site.now()),
        nodes=nodes,
        with_files=files,
        most_bytes=most_bytes if most_bytes in SIZES else FAT32_BYTES,
        by=viewer.public_id,
    )
    return RedirectResponse(f"{PATH}/{bundle_id}", status_code=303)


def _export_page(
    request: Request,
    to: Sequence[str],
    *,
    files: bool,
    receipt: bool,
    folder: str = "",
    typed: str = "",
    errors: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    with site_of(request).database.read() as session:
        known = recipients(session)
        due = receipts_due(session)
    asked = [one for one in known if one.node in (to or (due if receipt else ()))]
    asked = asked or [one for one in known if one.is_root]
    preview = problem = None
    if asked and not receipt:
        try:
            preview = _carrier(request).preview([one.node for one in asked], with_files=files)
        except BundleError as error:
            problem = PROBLEMS.get(error.code, OTHER_PROBLEM)
    return render(
        request,
        "bundles/export.html",
        status_code=status,
        recipients=known,
        asked={one.node for one in asked},
        asked_names=[one.name for one in asked],
        files=files,
        receipt=receipt,
        preview=preview,
        problem=problem,
        drives=[drive for drive in list_drives() if drive.is_writable],
        named_sizes=[(size, language_of(request).gettext(name)) for size, name in SIZES.items()],
        role_names=ROLES,
        folder=folder,
        typed=typed,
        errors=errors or {},
    )


# ---------------------------------------------------------------- in


@router.get("/import")
def show_import(request: Request, _: Manager) -> Response:
    """Show the bundles on the drives that are plugged in."""
    return _import_page(request)


@router.post("/import")
def post_import(request: Request, viewer: Manager, *, file: Text = "", typed: Text = "") -> Response:
    """Have a bundle taken."""
    path = Path(typed.strip() if file in {"", TYPED} else file)
    if not path.is_absolute() or not path.is_file():
        return _import_page(request, typed=typed, errors={"typed": _NO_FILE}, status=422)
    bundle_id = _carrier(request).queue(BundleKind.IMPORT, path, by=viewer.public_id)
    return RedirectResponse(f"{PATH}/{bundle_id}", status_code=303)


@sending.post("/send")
async def post_file(request: Request, viewer: Manager) -> Response:
    """Keep a file that a browser sends, and have it taken."""
    carrier = _carrier(request)
    visit = await run_in_threadpool(visit_of, request)

    def admit(fields: Mapping[str, str]) -> None:
        if not hmac.compare_digest(fields.get(FIELD, "").encode(), visit.csrf_token.encode()):
            raise StrangeTokenError

    arriving = carrier.place_for("arriving")
    fields = await receive_form(request, arriving, carrier.limits, admit=admit)
    path = arriving.replace(carrier.place_for(fields["file_name"]))
    bundle_id = await run_in_threadpool(carrier.queue, BundleKind.IMPORT, path, by=viewer.public_id)
    return RedirectResponse(f"{PATH}/{bundle_id}", status_code=303)


def _import_page(
    request: Request, *, typed: str = "", errors: dict[str, str] | None = None, status: int = 200
) -> Response:
    found: list[tuple[Drive, list[Path]]] = [(drive, bundles_on(drive)) for drive in list_drives()]
    return render(
        request,
        "bundles/import.html",
        status_code=status,
        drives=[(drive, paths) for drive, paths in found if paths],
        empty_drives=[drive for drive, paths in found if not paths],
        typed=typed,
        most=_carrier(request).limits.max_archive_bytes,
        errors=errors or {},
    )


# ---------------------------------------------------------------- one of them


@router.get("/{bundle_id:uuid}")
def show_bundle(request: Request, _: Manager, bundle_id: UUID) -> Response:
    """Show how far a bundle is, or what became of it."""
    with site_of(request).database.read() as session:
        found = find_bundle(session, bundle_id)
        if found is None:
            raise NotFoundError
        names = names_of(session, _nodes_in(found))
    return render(
        request,
        "bundles/bundle.html",
        bundle=found,
        file=Path(found.path),
        names=names,
        report=found.report or {},
        problem=PROBLEMS.get(found.problem or "", OTHER_PROBLEM),
        detail=found.detail if found.problem in DETAILED else None,
        refusals=_refusals(found),
        reasons=REASONS,
        other_reason=OTHER_REASON,
        is_here=Path(found.path).parent == _carrier(request).folder,
    )


@router.post("/{bundle_id:uuid}/cancel")
def post_cancellation(request: Request, _: Manager, bundle_id: UUID) -> Response:
    """End a bundle that is waiting or under way."""
    _carrier(request).cancel(bundle_id)
    return RedirectResponse(f"{PATH}/{bundle_id}", status_code=303)


@router.post("/{bundle_id:uuid}/receipt")
def post_receipt(request: Request, viewer: Manager, bundle_id: UUID) -> Response:
    """Have a receipt written beside a bundle that was taken, for the node that wrote it."""
    site = site_of(request)
    with site.database.read() as session:
        found = find_bundle(session, bundle_id)
    if found is None or found.kind is not BundleKind.IMPORT or found.state is not BundleState.DONE:
        raise NotFoundError
    name = file_name(site.node_name, BundleKind.RECEIPT, site.now())
    receipt_id = _carrier(request).queue(
        BundleKind.RECEIPT, Path(found.path).with_name(name), nodes=found.nodes, by=viewer.public_id
    )
    return RedirectResponse(f"{PATH}/{receipt_id}", status_code=303)


@router.get("/{bundle_id:uuid}/files/{number:int}")
def get_file(request: Request, _: Manager, bundle_id: UUID, number: int) -> Response:
    """Give one file of a bundle that was written on this node, to whoever carries it by another way."""
    with site_of(request).database.read() as session:
        found = find_bundle(session, bundle_id)
    files = [Path(one) for one in (found.report or {}).get("files", [])] if found is not None else []
    if found is None or found.kind is BundleKind.IMPORT or not 0 <= number < len(files):
        raise NotFoundError
    if files[number].parent != _carrier(request).folder or not files[number].is_file():
        raise NotFoundError
    return FileResponse(files[number], media_type="application/octet-stream", filename=files[number].name)


def _nodes_in(bundle: Bundle) -> list[str]:
    refusals: list[dict[str, Any]] = (bundle.report or {}).get("refusals", [])
    return [*bundle.nodes, *(one["origin"] for one in refusals)]


def _refusals(bundle: Bundle) -> list[tuple[str, str, int]]:
    """Return node, reason and number of records of what was refused, alike ones together."""
    counted: dict[tuple[str, str], int] = {}
    for one in (bundle.report or {}).get("refusals", []):
        key = one["origin"], REFUSALS.get(one["code"], OTHER_REASON)
        counted[key] = counted.get(key, 0) + max(one["records"], 1)
    return [(origin, reason, count) for (origin, reason), count in counted.items()]


def _carrier(request: Request) -> Carrier:
    carrier: Carrier = request.app.state.carrier
    return carrier

"""Put the program together: everything is built once from ``Settings``, and by role.

``ServingNode`` is a node with what browsers need beside; ``build_front`` gives the ASGI application of both
listeners; ``build_worker`` the work in the background.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection
from functools import cached_property, partial
from urllib.parse import urlsplit
from uuid import uuid4

from fastapi import APIRouter, FastAPI
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text
from sqlalchemy.orm import Session
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from lms.bundles.actions import JOB as BUNDLE_JOB
from lms.bundles.pages import router as bundle_pages
from lms.bundles.pages import sending as bundles_sent
from lms.certificates.machine import own_addresses, own_names
from lms.certificates.pages import Reached
from lms.certificates.pages import router as reached_pages
from lms.cmi5.actions import abandon_idle
from lms.cmi5.admission import Admission
from lms.cmi5.api import fetching as fetch_api
from lms.cmi5.api import router as launches_api
from lms.cmi5.errors import TROUBLES as CMI5_TROUBLES
from lms.cmi5.instructor_pages import router as unit_instructor_pages
from lms.cmi5.pages import router as unit_pages
from lms.cmi5.pages import session_router as unit_session_pages
from lms.content.app import ContentSite, build_content
from lms.content.traces import router as traces
from lms.content.units import router as unit_files
from lms.courses import importing
from lms.courses.allowance_pages import api as allowance_api
from lms.courses.allowance_pages import router as allowance_pages
from lms.courses.api import router as courses_api
from lms.courses.catalogue_pages import api as catalogue_api
from lms.courses.catalogue_pages import router as catalogue_pages
from lms.courses.checked_files import CheckedFiles
from lms.courses.errors import TROUBLES as COURSE_TROUBLES
from lms.courses.pages import router as course_pages
from lms.courses.pages import uploading as course_uploads
from lms.courses.scrub import FILE_NAME as SCRUB_NAME
from lms.courses.scrub import Scrub
from lms.courses.shelving import Sweeper
from lms.courses.subjects import subjects_known
from lms.courses.uploads_api import router as uploads_api
from lms.editions.api import router as editions_api
from lms.editions.pages import router as edition_pages
from lms.enrolment.errors import TROUBLES as ENROLMENT_TROUBLES
from lms.enrolment.pages import router as enrolment_pages
from lms.erasure.errors import TROUBLES as ERASURE_TROUBLES
from lms.erasure.pages import router as erasure_pages
from lms.evidence.chore import EVERY_S as CHECK_EVERY_S
from lms.evidence.chore import Check
from lms.evidence.pages import router as evidence_pages
from lms.forwarding.api import router as events_api
from lms.forwarding.errors import TROUBLES as FORWARDING_TROUBLES
from lms.forwarding.events import Broadcast
from lms.forwarding.forwarder import Forwarder
from lms.forwarding.pages import router as forwarding_pages
from lms.keys.api import router as keys_api
from lms.keys.bearer import recognise_bearer
from lms.keys.errors import TROUBLES as KEY_TROUBLES
from lms.keys.lrs import authenticate
from lms.keys.pages import router as key_pages
from lms.launch.actions import Desk
from lms.launch.errors import TROUBLES as LAUNCH_TROUBLES
from lms.launch.old_logs import OldLogs
from lms.launch.open_pages import router as open_launch_pages
from lms.launch.pages import router as launch_pages
from lms.node import Node, utc_now
from lms.nodes.carrying_pages import TROUBLES as CARRYING_TROUBLES
from lms.nodes.carrying_pages import router as carrying_pages
from lms.nodes.link_pages import router as link_pages
from lms.nodes.pages import TROUBLES as NODE_TROUBLES
from lms.nodes.pages import router as node_pages
from lms.nodes.queries import chip
from lms.nodes.rounds import Rounds
from lms.people.directory_pages import router as directory_pages
from lms.people.pages import router as people_pages
from lms.people.policy import Right
from lms.people.sessions import recognise
from lms.people.troubles import TROUBLES as PEOPLE_TROUBLES
from lms.progress.actions import catch_up
from lms.records import export as exporting
from lms.records import upkeep
from lms.records.errors import TROUBLES as RECORD_TROUBLES
from lms.records.export import Exporter
from lms.records.pages import router as record_pages
from lms.records.pages import validating as record_validator
from lms.reports.attempt_pages import router as attempt_pages
from lms.reports.pages import router as report_pages
from lms.retention.actions import Housekeeping
from lms.retention.kinds import LAUNCH_LOG
from lms.retention.pages import TROUBLES as RETENTION_TROUBLES
from lms.retention.pages import router as retention_pages
from lms.streams.course_files import manifests_on_offer
from lms.support.pages import router as support_pages
from lms.trials.api import fetching as trial_fetch_api
from lms.trials.databases import TrialDatabases
from lms.trials.errors import TROUBLES as TRIAL_TROUBLES
from lms.trials.pages import router as trial_pages
from lms.trials.step_pages import router as trial_step_pages
from lms.trials.store import STORES as TRIAL_STORES
from lms.trials.store import TrialStores
from lms.trials.unit_pages import router as trial_unit_pages
from lms.web.assets import BUILD, MOUNT, load_assets
from lms.web.content_ports import ContentPorts
from lms.web.frame import NO_TELEMETRY, frame
from lms.web.reach import Reach
from lms.web.site import NavItem, Site
from lms.web.wording import mark
from lms.worker import Chore, Worker
from sync.days import make_day
from sync.erasures import carry_out_some
from sync.rot import mend_some
from sync.sequencer import number_some
from sync.server import create_app as create_sync_app
from xapi_store.http.app import create_lrs_app
from xapi_store.http.lrs import Credentials, Lrs

ROUTERS: tuple[APIRouter, ...] = (
    carrying_pages,  # before pages of one course, whose id would be taken for a word
    directory_pages,
    people_pages,
    erasure_pages,
    allowance_api,
    allowance_pages,
    courses_api,
    uploads_api,
    course_uploads,
    course_pages,
    catalogue_api,
    catalogue_pages,
    editions_api,
    edition_pages,
    enrolment_pages,
    launch_pages,
    open_launch_pages,
    unit_pages,
    unit_session_pages,
    unit_instructor_pages,
    trial_pages,
    trial_step_pages,
    trial_unit_pages,
    launches_api,
    trial_fetch_api,  # before the one that takes any token
    fetch_api,
    report_pages,
    attempt_pages,
    keys_api,
    key_pages,
    record_validator,
    record_pages,
    evidence_pages,
    node_pages,
    link_pages,
    bundles_sent,
    bundle_pages,
    reached_pages,
    support_pages,
    retention_pages,
    events_api,
    forwarding_pages,
)
#: Each stands for itself: nothing is put before it or asked besides, so it need not be built anew for an application.
ROUTES = [route for router in ROUTERS for route in router.routes]
TROUBLES = (
    PEOPLE_TROUBLES,
    ERASURE_TROUBLES,
    COURSE_TROUBLES,
    ENROLMENT_TROUBLES,
    LAUNCH_TROUBLES,
    CMI5_TROUBLES,
    TRIAL_TROUBLES,
    KEY_TROUBLES,
    RECORD_TROUBLES,
    NODE_TROUBLES,
    CARRYING_TROUBLES,
    RETENTION_TROUBLES,
    FORWARDING_TROUBLES,
)
NAVIGATION = (
    NavItem(label=mark("Home"), href="/", right=Right.TAKE_COURSES),
    NavItem(label=mark("Courses"), href="/courses", right=Right.MANAGE_COURSES),
    NavItem(label=mark("People"), href="/people", right=Right.SEE_PEOPLE),
    NavItem(label=mark("Groups"), href="/groups", right=Right.MANAGE_GROUPS),
    NavItem(label=mark("Records"), href="/records", right=Right.SEE_RECORDS),
    NavItem(label=mark("Forwarding"), href="/forwarding", right=Right.MANAGE_KEYS),
)
NUMBERING_EVERY_S = 60.0
ERASING_EVERY_S = 5.0
MENDING_EVERY_S = 60.0
NEEDS_EVERY_S = 600.0
DAY_EVERY_S = 600.0
PROGRESS_EVERY_S = 1.0
PART_EVERY_S = 3600.0
STATISTICS_EVERY_S = 60.0
PACKING_EVERY_S = 60.0
SWEEP_EXPORTS_EVERY_S = 3600.0
DROP_LOGS_EVERY_S = 24 * 3600.0
KEEP_PERIODS_EVERY_S = 3600.0
SWEEP_SHELF_EVERY_S = 6 * 3600.0
READ_SHELF_EVERY_S = 1.0  # 4 MB or 50 ms of it, see lms.courses.scrub
SWEEP_ATTACHMENTS_EVERY_S = 300.0  # one folder of 256: all of them in a day
SWEEP_UPLOADS_EVERY_S = 3600.0
SWEEP_TRIALS_EVERY_S = 3600.0
FORWARDING_EVERY_S = 1.0
MEETING_EVERY_S = 2.0
ABANDON_EVERY_S = 300.0


class ServingNode(Node):
    """A node that answers browsers: where it is reached, who listens, where courses are tried."""

    @cached_property
    def checked(self) -> CheckedFiles:
        """What this process knows to be whole of the shelf."""
        return CheckedFiles(self.shelf)

    @cached_property
    def exporter(self) -> Exporter:
        """What writes statements to files."""
        return Exporter(database=self.database, folder=self.settings.exports, now=utc_now, new_id=uuid4)

    @cached_property
    def desk(self) -> Desk:
        """What launches units."""
        return Desk(
            shelf=self.shelf,
            node=self.sync.id,
            new_id=uuid4,
            new_token=lambda: secrets.token_urlsafe(32),
            new_seed=lambda: secrets.randbits(31),
        )

    @cached_property
    def broadcast(self) -> Broadcast:
        """Who listens live for statements of this process."""
        return Broadcast(self.database)

    @cached_property
    def trials(self) -> TrialDatabases:
        """Where courses are tried."""
        settings = self.settings
        return TrialDatabases(
            settings.trials, now=utc_now, most=settings.max_trials, most_each=settings.max_trials_each
        )

    @cached_property
    def site(self) -> Site:
        """This node as its pages see it."""
        return Site(
            database=self.database,
            now=utc_now,
            public_url=self.settings.public_url,
            content_url=self.settings.content_url,
            secret=self.secret,
            node_name=self.settings.name,
            shelf=self.shelf,
            uploads=self.settings.uploads,
            assets=load_assets(),
            chip=lambda session, _now: chip(session, self.sync),
            recognise=recognise,
            recognise_bearer=recognise_bearer,
            first_person_here=self.duties.first_person_here,
            grants_travel=self.duties.grants_travel,
            navigation=NAVIGATION,
            reach=self.reach,
            own_root=self.settings.https,
            port_of=self.content_ports.port_of if self.reach.courses_by_port else None,
        )

    @cached_property
    def content_ports(self) -> ContentPorts:
        """Which course is played on which port, where courses have no names."""
        return ContentPorts(self.settings.data, self.settings.ports_of_courses, now=utc_now)

    @cached_property
    def reached(self) -> Reached:
        """What the page of how this node is reached tells."""
        settings = self.settings
        return Reached(
            reach=self.reach,
            ports=self.content_ports,
            data=settings.data,
            join_port=settings.join_port if settings.https else None,
        )

    @cached_property
    def reach(self) -> Reach:
        """Where browsers find this node."""
        settings = self.settings
        public = urlsplit(settings.public_url).hostname or "localhost"
        return Reach(
            public_url=settings.public_url,
            content_url=settings.content_url,
            names=frozenset(name.lower() for name in (public, *settings.allowed_hosts)),
            by_address=settings.by_address,
            own_names=frozenset(own_names()) if settings.by_address else frozenset(),
            port=settings.port,
            content_ports=settings.ports_of_courses,
            port_of=self.content_ports.port_of,
        )


# ---------------------------------------------------------------- pages, record store, sync


def build_pages(node: ServingNode) -> FastAPI:
    """Return the application of the LMS host: pages, API, record store, sync, signs of life."""
    app = FastAPI(
        title="Outpost",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        telemetry=NO_TELEMETRY,
        routes=ROUTES,
    )
    app.state.passwords = node.passwords
    app.state.importer = node.importer
    app.state.exporter = node.exporter
    app.state.carrier = node.bundles
    app.state.subjects = subjects_known(node.settings.data)
    app.state.attachments = node.attachments
    app.state.desk = node.desk
    app.state.trials = node.trials
    app.state.sync = node.sync
    app.state.node = node
    app.state.launch_log_days = node.settings.launch_log_days
    app.state.reached = node.reached
    app.state.broadcast = node.broadcast
    _add_signs_of_life(app, node)
    app.mount("/sync", create_sync_app(node.sync))
    frame(app, node.site, troubles=TROUBLES)
    return app


def build_record_store(node: ServingNode) -> ASGIApp:
    """Return the record store, which stands beside the pages: what it answers would cost twice as much below."""
    database = node.database
    admission = Admission(desk=node.desk, now=utc_now)

    def known(session: Session, header: str | None) -> Credentials | None:
        return authenticate(session, header) or admission.authenticate(session, header)

    return create_lrs_app(
        Lrs(
            write=database.change,
            read=database.read,
            glance=database.glance if database.is_sqlite else None,
            authenticate=known,
            look=admission.look,
            hold=admission.hold,
            admit=admission.admit,
            oldest_write=database.oldest_write,
            files=node.attachments,
            now=utc_now,
        )
    )


def _add_signs_of_life(app: FastAPI, node: Node) -> None:
    @app.get("/healthz", include_in_schema=False)
    def healthz() -> Response:
        return PlainTextResponse("ok")

    @app.get("/readyz", include_in_schema=False)
    def readyz() -> Response:
        with node.database.read() as session:
            session.execute(text("SELECT 1"))
        return PlainTextResponse("ok")

    @app.get("/metrics", include_in_schema=False)
    def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


# ---------------------------------------------------------------- both listeners


STORE = "/xapi"


class Front:
    """Chooses between pages and content by the port a request came in on; record stores stand beside the pages.

    All live in one program; a reverse proxy in front of it keeps the two names on two ports likewise. A request for
    the store under a strange name goes to the pages, which refuse it.
    """

    def __init__(
        self,
        pages: ASGIApp,
        store: ASGIApp,
        trial_stores: ASGIApp,
        content: ASGIApp,
        *,
        content_ports: Collection[int],
        is_pages: Callable[[Scope], bool],
        end_streams: Callable[[], None],
    ) -> None:
        self._pages = pages
        self._store = store
        self._trial_stores = trial_stores
        self._content = content
        self._is_pages = is_pages
        self._content_ports = content_ports
        self.end_streams = end_streams  # answers without an end; called once the server is to end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        _, port = scope.get("server") or ("", None)
        if port in self._content_ports:
            await self._content(scope, receive, send)
        elif scope["path"].startswith(TRIAL_STORES) and self._is_pages(scope):
            await self._trial_stores(scope, receive, send)
        elif (scope["path"] == STORE or scope["path"].startswith(f"{STORE}/")) and self._is_pages(scope):
            below = {**scope, "root_path": scope.get("root_path", "") + STORE}
            await self._store(below, receive, send)
        else:
            await self._pages(scope, receive, send)


def build_front(node: ServingNode) -> Front:
    """Return the application of both listeners."""
    site = ContentSite(
        database=node.database,
        desk=node.desk,
        checked=node.checked,
        now=utc_now,
        secret=node.secret,
        public_url=node.settings.public_url,
        content_url=node.settings.content_url,
        build=BUILD,
        assets={name: address.removeprefix(f"{MOUNT}/") for name, address in node.site.assets.items()},
        trial_of=node.trials.of_token,
        reach=node.reach,
        idle_after_s=node.settings.idle_after_s,
    )
    return Front(
        build_pages(node),
        build_record_store(node),
        TrialStores(node.trials, node.desk, now=utc_now),
        build_content(site, routers=(unit_files, traces)),
        content_ports=frozenset({node.settings.content_port, *node.settings.ports_of_courses}),
        is_pages=node.reach.is_pages,
        end_streams=node.broadcast.close,
    )


# ---------------------------------------------------------------- in the background


def build_worker(node: ServingNode) -> Worker:
    """Return the work in the background: the one table from kind of job to function, and the chores.

    Raises:
        KeyLostError: the node's key is not in the data folder.
    """
    sync = node.sync

    def number() -> bool:
        return number_some(sync)

    def erase() -> bool:
        return carry_out_some(sync)

    def look_at_needs() -> bool:
        with node.database.write() as session:
            node.directory.wishes.look(session)
        return False

    def abandon_one() -> bool:
        with node.database.write() as session:
            return abandon_idle(session, node.desk, now=utc_now())

    sweeper = Sweeper(database=node.database, shelf=node.shelf, now=utc_now, offered=manifests_on_offer)
    scrub = Scrub(
        database=node.database,
        checked=node.checked,
        place_kept=node.settings.data / SCRUB_NAME,
        now=utc_now,
    )
    housekeeping = Housekeeping(node.database, launch_log_days=node.settings.launch_log_days, now=utc_now)
    logs = OldLogs(node.database, days=partial(housekeeping.days_of, LAUNCH_LOG), now=utc_now)
    rounds = Rounds(sync, addresses_here=own_addresses)
    forwarder = Forwarder(node.database, files=node.attachments, secret=node.secret, now=utc_now)
    chores = [
        Chore(name="train packing", every_s=PACKING_EVERY_S, do=partial(upkeep.train_packing, node.database)),
        Chore(name="number changes", every_s=NUMBERING_EVERY_S, do=number),
        Chore(name="erase", every_s=ERASING_EVERY_S, do=erase),
        Chore(name="look which courses are needed", every_s=NEEDS_EVERY_S, do=look_at_needs),
        Chore(name="state the day", every_s=DAY_EVERY_S, do=partial(make_day, sync)),
        Chore(name="mend segments", every_s=MENDING_EVERY_S, do=partial(mend_some, sync)),
        Chore(name="check records", every_s=CHECK_EVERY_S, do=Check(sync).step),
        Chore(
            name="read progress",
            every_s=PROGRESS_EVERY_S,
            do=partial(catch_up, node.database),
            follows_writing=True,
        ),
        Chore(name="sweep exports", every_s=SWEEP_EXPORTS_EVERY_S, do=node.exporter.sweep),
        Chore(name="sweep bundles", every_s=SWEEP_EXPORTS_EVERY_S, do=node.bundles.sweep),
        Chore(name="sweep the shelf", every_s=SWEEP_SHELF_EVERY_S, do=sweeper.step),
        Chore(name="read the shelf", every_s=READ_SHELF_EVERY_S, do=scrub.step),
        Chore(
            name="sweep attachments",
            every_s=SWEEP_ATTACHMENTS_EVERY_S,
            do=partial(node.attachments.sweep_some, node.database, utc_now),
        ),
        Chore(name="abandon idle sessions", every_s=ABANDON_EVERY_S, do=abandon_one),
        Chore(name="sweep uploads", every_s=SWEEP_UPLOADS_EVERY_S, do=node.importer.sweep_uploads),
        Chore(name="sweep trials", every_s=SWEEP_TRIALS_EVERY_S, do=node.trials.sweep),
        Chore(name="drop old launch logs", every_s=DROP_LOGS_EVERY_S, do=logs.drop_some),
        Chore(name="keep periods", every_s=KEEP_PERIODS_EVERY_S, do=housekeeping.remove_some),
        Chore(name="meet peers", every_s=MEETING_EVERY_S, do=rounds.look_after, follows_writing=True),
        Chore(name="forward", every_s=FORWARDING_EVERY_S, do=forwarder.look_after, follows_writing=True),
    ]
    if not node.database.is_sqlite:
        chores.append(
            Chore(
                name="begin a part of the store",
                every_s=PART_EVERY_S,
                do=partial(upkeep.begin_part, node.database, utc_now),
            )
        )
        chores.append(
            Chore(
                name="look at the store",
                every_s=STATISTICS_EVERY_S,
                do=partial(upkeep.look_at_store, node.database),
            )
        )
    jobs = {
        BUNDLE_JOB: node.bundles.run_job,
        importing.JOB: node.importer.run_job,
        exporting.JOB: node.exporter.run_job,
    }
    return Worker(node.database, now=utc_now, jobs=jobs, chores=chores, helpers=[forwarder, rounds])

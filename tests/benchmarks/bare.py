"""The floor of any page: a fixed Starlette route under the same server, settings and client.

It reads the body it is sent and answers 60 bytes. Run as ``python -m tests.benchmarks.bare PORT``.
"""

from __future__ import annotations

import sys

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lms.cli.server import listen, run_server
from lms.settings import Settings

ANSWER = b"x" * 60


async def answer(request: Request) -> Response:
    """Read what came, answer 60 bytes."""
    await request.body()
    return Response(ANSWER)


app = Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST", "PUT"])])

if __name__ == "__main__":
    run_server(app, [listen("127.0.0.1", int(sys.argv[1]))], Settings())

"""Headers on every answer: what a browser may do with our pages (OWASP ASVS 5 §3.4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lms.web.reach import in_url

# Old courses finish in `unload`; browsers drop that event unless the outermost page allows it.
PERMISSIONS = "unload=*, camera=(), microphone=(), geolocation=(), usb=(), payment=()"


class Headers:
    """Middleware: adds the headers that an answer does not bring itself.

    Args:
        headers: by what the request asks for; the same object for the same answer.
    """

    def __init__(self, app: ASGIApp, *, headers: Callable[[Scope], Mapping[str, str]]) -> None:
        self.app = app
        self.headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and complete the head of its answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        headers = [(name.lower().encode(), value.encode()) for name, value in self.headers(scope).items()]

        async def send_completed(message: Message) -> None:
            if message["type"] == "http.response.start":
                brought = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *(header for header in headers if header[0] not in brought),
                ]
            await send(message)

        await self.app(scope, receive, send_completed)


def page_headers(
    *, public_url: str, content_url: str, courses_by_port: bool = False, pins_https: bool = True
) -> dict[str, str]:
    """Return what stands on every answer of our pages.

    Args:
        public_url: where browsers find the pages.
        content_url: where they find course content; only that may be framed.
        courses_by_port: whether courses are told apart by ports there, and not by names below it.
        pins_https: whether a browser shall remember for a year that nothing but HTTPS is spoken here, on any port.
    """
    headers = {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",  # stricter, and browsers would send `Origin: null` with forms
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": f"{PERMISSIONS}, display-capture=()",
        "X-Frame-Options": "DENY",
        "Content-Security-Policy": content_security_policy(content_url, courses_by_port=courses_by_port),
        "Cache-Control": "no-store",  # a shared laptop: nothing comes back with the back button
    }
    if pins_https and public_url.startswith("https://"):
        headers["Strict-Transport-Security"] = "max-age=31536000"
    return headers


def content_security_policy(content_url: str, *, courses_by_port: bool = False) -> str:
    """Return the policy of our pages: own files only, frames only from the content hosts, nothing inline."""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "media-src 'self'",
            f"frame-src {_content_hosts(content_url, courses_by_port=courses_by_port)}",
            "form-action 'self'",
            "base-uri 'none'",
            "object-src 'none'",
            "frame-ancestors 'none'",
        )
    )


def _content_hosts(content_url: str, *, courses_by_port: bool) -> str:
    """Return the sources of course content: every package has a label of its own below the host, or a port at it."""
    address = urlsplit(content_url)
    if courses_by_port:
        return f"{address.scheme}://{in_url(address.hostname or '')}:*"
    return f"{address.scheme}://*.{address.netloc}"

"""Configuration: flags first, then ``LMS_*`` in the environment, then ``lms.toml`` in the data folder.

``load_settings`` is called once, by the command line or the composition root; what it returns is taken
apart there, and every library receives plain values.
"""

from __future__ import annotations

import ipaddress
import os
import tomllib
from dataclasses import fields
from enum import StrEnum
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import platformdirs
from pydantic import ByteSize, Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from content_packages.limits import DEFAULTS, Limits

_PREFIX = "LMS_"
CONFIG_NAME = "lms.toml"
JOIN_PORT = 8080


class Role(StrEnum):
    """What a node is for; one program, three roles."""

    LAPTOP = "laptop"
    HUB = "hub"
    CENTRAL = "central"


PORTS_FOR_COURSES = 64


def _is_loopback(host: str) -> bool:
    return host in {"", "localhost"} or (is_address(host) and ipaddress.ip_address(host).is_loopback)


def is_address(host: str) -> bool:
    """Say whether a host is an address and not a name.

    >>> is_address("10.0.0.5"), is_address("::1"), is_address("hub.local")
    (True, True, False)
    """
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


class SettingsError(Exception):
    """A setting cannot be used; the message names it and where it came from."""


def _bytes(default: int, description: str) -> Any:
    """Return a setting that is written as a number of bytes or with a unit, such as ``2 GiB``."""
    return Field(default=ByteSize(default), ge=1, description=description)


class Settings(BaseSettings):
    """Everything that may differ between one node and the next."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, frozen=True, extra="forbid")

    data: Path = Field(description="The folder that holds everything this node knows.")
    role: Role = Field(default=Role.LAPTOP, description="laptop, hub or central.")
    name: str = Field(default="", max_length=120, description="What people call this node.")
    database_url: str = Field(
        default="", description="sqlite:///… (the default, in the data folder) or postgresql+psycopg://…"
    )
    host: str = Field(default="127.0.0.1", description="The address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="The port of the pages, the LRS and sync.")
    content_port: int = Field(default=8001, ge=0, le=65535, description="The port of the course content.")
    public_url: str = Field(
        default="", description="Where browsers find the pages; http://localhost:<port> by default."
    )
    content_url: str = Field(
        default="",
        description="Where browsers find course content; every package gets a host name below it.",
    )
    by_address: bool = Field(
        default=False,
        description="Answer at every address and name of this machine, too; by default where host is beyond "
        "this machine and no public_url is set.",
    )
    content_ports: int = Field(
        default=0,
        ge=0,
        le=2000,
        description="Ports after content_port, one for each course where courses can have no names; "
        "64 by default where they need them.",
    )
    https: bool = Field(
        default=False,
        description="Serve HTTPS, with a certificate of a root that this node makes for itself.",
    )
    join_port: int = Field(
        default=JOIN_PORT,
        ge=0,
        le=65535,
        description="With https: the port at which the root certificate is handed out.",
    )
    allowed_hosts: tuple[str, ...] = Field(
        default=(), description="More host names (any port) under which the pages may be asked for."
    )

    keep_originals: bool = Field(
        default=True, description="Keep packages as they were uploaded, to export them byte for byte."
    )
    max_trials: int = Field(default=50, ge=1, description="Courses being tried on this node at a time.")
    max_trials_each: int = Field(default=5, ge=1, description="Courses one person may be trying at a time.")
    idle_after_s: float = Field(
        default=300,
        gt=0,
        le=86_400,
        description="Seconds without a sign of the learner before it is a pause.",
    )
    launch_log_days: int = Field(
        default=365,
        ge=0,
        description="Days for which the log of an attempt is kept after its last step; 0 keeps it for good. "
        "Never dropped while a lesson of the attempt is open.",
    )
    # The most an import takes; named as in ``content_packages.limits``, which a refusal names.
    max_archive_bytes: ByteSize = _bytes(DEFAULTS.max_archive_bytes, "A course as it is uploaded.")
    max_unpacked_bytes: ByteSize = _bytes(DEFAULTS.max_unpacked_bytes, "All files of a course, unpacked.")
    max_file_bytes: ByteSize = _bytes(DEFAULTS.max_file_bytes, "One file of a course.")
    max_entries: int = Field(default=DEFAULTS.max_entries, ge=1, description="Files of a course.")
    max_directory_bytes: ByteSize = _bytes(DEFAULTS.max_directory_bytes, "The table of contents of a zip.")
    max_path_chars: int = Field(
        default=DEFAULTS.max_path_chars, ge=1, description="A file's name with its folders."
    )
    max_path_levels: int = Field(default=DEFAULTS.max_path_levels, ge=1, description="Folders in folders.")
    max_ratio: int = Field(
        default=DEFAULTS.max_ratio, ge=1, description="How many times its size a file unpacks to."
    )
    ratio_free_bytes: ByteSize = _bytes(
        DEFAULTS.ratio_free_bytes, "A file this small may unpack to any ratio."
    )
    max_xml_bytes: ByteSize = _bytes(DEFAULTS.max_xml_bytes, "A manifest.")
    max_xml_depth: int = Field(
        default=DEFAULTS.max_xml_depth, ge=1, le=200, description="Elements in elements of a manifest."
    )
    max_xml_nodes: int = Field(
        default=DEFAULTS.max_xml_nodes, ge=1, description="Elements and attributes of a manifest."
    )
    max_items: int = Field(default=DEFAULTS.max_items, ge=1, description="Items of an outline.")
    min_free_bytes: ByteSize = _bytes(
        DEFAULTS.min_free_bytes, "What an import, or files from other nodes, leave free on the disk."
    )

    @field_validator("public_url", "content_url")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        if value and (urlsplit(value).scheme not in {"http", "https"} or not urlsplit(value).hostname):
            raise ValueError("must be an address such as http://localhost:8000")
        return value.rstrip("/")

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Derive what was not said from what was."""
        data = Path(values["data"]) if "data" in values else default_data()
        filled = {"data": data.expanduser().absolute(), **{k: v for k, v in values.items() if k != "data"}}
        if not filled.get("database_url"):
            filled["database_url"] = f"sqlite:///{(filled['data'] / 'outpost.db').as_posix()}"
        if "by_address" not in filled:
            filled["by_address"] = not filled.get("public_url") and not _is_loopback(filled.get("host", ""))
        scheme = "https" if str(filled.get("https", "")).lower() in {"true", "1", "yes", "on"} else "http"
        if not filled.get("public_url"):
            filled["public_url"] = f"{scheme}://localhost:{filled.get('port', 8000)}"
        if not filled.get("content_url"):
            filled["content_url"] = f"{scheme}://localhost:{filled.get('content_port', 8001)}"
        by_port = filled["by_address"] or is_address(urlsplit(str(filled["content_url"])).hostname or "")
        if "content_ports" not in filled and by_port:
            filled["content_ports"] = PORTS_FOR_COURSES
        return filled

    @model_validator(mode="after")
    def _keeps_content_apart(self) -> Self:
        # Cookies ignore ports and follow a shared parent domain: content lives on host names of its own.
        public, content = urlsplit(self.public_url), urlsplit(self.content_url)
        if public.netloc == content.netloc:
            raise ValueError("content_url must not be the address of the pages")
        if public.scheme != content.scheme:
            raise ValueError("content_url and public_url must both be http, or both https")
        if self.by_address and (public.scheme == "https") != self.https:
            raise ValueError("by_address serves what public_url says: with https there, https must be on")
        if self.content_port + self.content_ports > 65535:
            raise ValueError("content_ports go beyond the last port there is")
        return self

    @property
    def ports_of_courses(self) -> range:
        """The ports on which courses are played that have no names."""
        first = self.content_port + 1
        return range(first, first + self.content_ports)

    @property
    def limits(self) -> Limits:
        """The most an import takes on this node."""
        return Limits(**{field.name: int(getattr(self, field.name)) for field in fields(Limits)})

    @property
    def shelf(self) -> Path:
        """Where package files are kept by digest."""
        return self.data / "shelf"

    @property
    def attachments(self) -> Path:
        """Where large attachments of statements are kept."""
        return self.data / "attachments"

    @property
    def uploads(self) -> Path:
        """Where uploads wait until their import has finished."""
        return self.data / "uploads"

    @property
    def trials(self) -> Path:
        """Where courses are tried, in databases that are thrown away."""
        return self.data / "trials"

    @property
    def exports(self) -> Path:
        """Where exported statements wait to be fetched."""
        return self.data / "exports"

    @property
    def bundles(self) -> Path:
        """Where bundles wait to be fetched by a browser, and those are that one sent."""
        return self.data / "bundles"


def default_data() -> Path:
    """The data folder of a person's own node."""
    return platformdirs.user_data_path("outpost", appauthor=False)


def load_settings(**flags: Any) -> Settings:
    """Read the settings of this node.

    Args:
        flags: what the command line said; ``None`` means it said nothing.

    Raises:
        SettingsError: a value cannot be used, or ``lms.toml`` cannot be read.
    """
    said = {name: value for name, value in flags.items() if value is not None}
    data = Path(said.get("data") or os.environ.get(f"{_PREFIX}DATA") or default_data()).expanduser()
    config = data / CONFIG_NAME
    try:
        kept = tomllib.loads(config.read_text(encoding="utf-8")) if config.exists() else {}
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{config} cannot be read: {error}.") from error
    kept = {name: value for name, value in kept.items() if f"{_PREFIX}{name.upper()}" not in os.environ}
    try:
        return Settings(**{**kept, **said, "data": data})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "settings"
        raise SettingsError(f"{where}: {first['msg']}. (from flags, {_PREFIX}* or {config})") from error


def keep_settings(data: Path, **values: str | int) -> None:
    """Write *values* into the data folder's ``lms.toml``, keeping what else stands there."""
    config = data / CONFIG_NAME
    kept = tomllib.loads(config.read_text(encoding="utf-8")) if config.exists() else {}
    lines = [f"{name} = {_toml(value)}" for name, value in {**kept, **values}.items()]
    beside = config.with_suffix(".new")
    beside.write_text("\n".join(lines) + "\n", encoding="utf-8")
    beside.replace(config)


def _toml(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case list() | tuple():
            return f"[{', '.join(_toml(item) for item in value)}]"
        case _:
            escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
            return f'"{escaped}"'

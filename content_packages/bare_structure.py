"""A course structure that came without a zip (cmi5 14.2): taken like an archive of one file."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from content_packages.archive import Archive, open_archive
from content_packages.findings import Finding
from content_packages.limits import Limits

NAME: Final = "cmi5.xml"

_HEAD_BYTES = 256
_HTML = (b"<!doctype html", b"<html")


@dataclass(frozen=True, slots=True)
class _Member:
    size: int


class BareStructure:
    """One XML file, under the name it has in packages."""

    findings: tuple[Finding, ...] = ()

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self.members: Mapping[str, _Member] = {NAME: _Member(size)}

    def open(self, path: str) -> BinaryIO:  # noqa: ARG002 - there is only one
        """Return the file at its start."""
        self._file.seek(0)
        return self._file


@contextmanager
def open_package(path: Path, limits: Limits) -> Iterator[Archive | BareStructure]:
    """Open what was given, by its first bytes.

    Raises:
        PackageRefusedError: it is neither a zip nor XML, it is harmful, or it passes a limit.
    """
    with path.open("rb") as file:
        if is_xml(file.read(_HEAD_BYTES)):
            yield BareStructure(file, path.stat().st_size)
            return
    with open_archive(path, limits) as archive:
        yield archive


def is_xml(head: bytes) -> bool:
    """Tell by its first bytes, in whatever encoding, whether a file is XML other than a web page.

    >>> is_xml(b"<?xml version='1.0'?>"), is_xml("<a/>".encode("utf-16")), is_xml(b"<!DOCTYPE html>"), is_xml(b"PK")
    (True, True, False, False)
    """
    for mark in (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        head = head.removeprefix(mark)
    start = head.replace(b"\0", b"").lstrip()
    return start.startswith(b"<") and not start.lower().startswith(_HTML)

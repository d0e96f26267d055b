"""How large a package may be, so that no package can exhaust a laptop."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024 * 1024
GIB = 1024 * MIB


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """The most an import takes; every refusal names the limit it met.

    Args:
        max_ratio: unpacked by packed size of one file, judged where it unpacks to more than
            ``ratio_free_bytes``.
        max_directory_bytes: the zip's table of contents, which is held in memory.
    """

    max_archive_bytes: int = GIB
    max_unpacked_bytes: int = 3 * GIB
    max_file_bytes: int = GIB
    max_entries: int = 20_000
    max_directory_bytes: int = 16 * MIB
    max_path_chars: int = 240
    max_path_levels: int = 16
    max_ratio: int = 200
    ratio_free_bytes: int = MIB
    max_xml_bytes: int = 8 * MIB
    max_xml_depth: int = 64
    max_xml_nodes: int = 200_000

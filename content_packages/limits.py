"""How large a package may be, so that no package can exhaust a laptop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

MIB = 1024 * 1024
GIB = 1024 * MIB
_UNITS = ((GIB, "GiB"), (MIB, "MiB"), (1024, "KiB"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """The most an import takes; every refusal names the limit it met, its default and this field.

    A field is also the name of a setting of the node, so an administrator finds it by what a refusal says.

    Args:
        max_archive_bytes: the zip, or the single file, as it is uploaded.
        max_unpacked_bytes: all files together, unpacked.
        max_file_bytes: one file, unpacked.
        max_entries: files and folders in the zip.
        max_directory_bytes: the zip's table of contents, which is held in memory.
        max_path_chars: a name with its folders.
        max_path_levels: folders in folders, the file counted.
        max_ratio: unpacked by packed size of one file, judged where it unpacks to more than
            ``ratio_free_bytes``, and of all files together where they unpack to 16 times that.
        ratio_free_bytes: see ``max_ratio``.
        max_xml_bytes: a manifest.
        max_xml_depth: elements in elements of a manifest, and items in items of the outline.
        max_xml_nodes: elements and attributes of a manifest.
        max_items: items of the outline, those of manifests inside the manifest counted where they are used.
        min_free_bytes: what an import leaves free on the disk of the shelf, where learners' work is kept too.
    """

    max_archive_bytes: int = 3 * GIB
    max_unpacked_bytes: int = 6 * GIB
    max_file_bytes: int = 3 * GIB
    max_entries: int = 20_000
    max_directory_bytes: int = 16 * MIB
    max_path_chars: int = 240
    max_path_levels: int = 16
    max_ratio: int = 200
    ratio_free_bytes: int = MIB
    max_xml_bytes: int = 8 * MIB
    max_xml_depth: int = 64
    max_xml_nodes: int = 200_000
    max_items: int = 10_000
    min_free_bytes: int = GIB

    def facts(self, name: str) -> dict[str, Any]:
        """Return what a refusal says of a limit: its value here, its default, and the setting's name."""
        return {"limit": getattr(self, name), "default": getattr(DEFAULTS, name), "setting": name}


DEFAULTS = Limits()


def in_binary_unit(size: int) -> tuple[float, str]:
    """Return a number of bytes to one place, in the unit in which a setting would name it.

    >>> in_binary_unit(3 * 2**30), in_binary_unit(1_600_000), in_binary_unit(512)
    ((3, 'GiB'), (1.5, 'MiB'), (0.5, 'KiB'))
    """
    unit, name = next((pair for pair in _UNITS if size >= pair[0]), _UNITS[-1])
    amount = round(size / unit, 1)
    return (int(amount) if amount == int(amount) else amount), name

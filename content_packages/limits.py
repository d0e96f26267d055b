"""How large a package may be, so that no package can exhaust a laptop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

MIB = 1024 * 1024
GIB = 1024 * MIB


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


def variable(setting: str) -> str:
    """Return what a setting is called in the environment; in ``lms.toml`` it has the name it has here."""
    return f"LMS_{setting.upper()}"


def in_unit(size: int) -> tuple[float, str]:
    """Return a number of bytes in the unit that reads best, below ten to one place, and what CLDR calls the unit.

    >>> in_unit(3 * 2**30), in_unit(48_300_000), in_unit(999_950), in_unit(512)
    ((3.2, 'gigabyte'), (48, 'megabyte'), (1, 'megabyte'), (512, 'byte'))
    """
    amount, units = float(size), ["byte", "kilobyte", "megabyte", "gigabyte"]
    while round(amount) >= 1000 and len(units) > 1:
        amount /= 1000
        units.pop(0)
    rounded = round(amount, 1 if amount < 10 else None)
    return (int(rounded) if rounded == int(rounded) else rounded), units[0]


def size_in_english(size: int) -> str:
    """Return a number of bytes as pages say it in English.

    >>> size_in_english(3 * 2**30), size_in_english(2_000), size_in_english(1), size_in_english(0)
    ('3.2 GB', '2 kB', '1 byte', '0 bytes')
    """
    amount, unit = in_unit(size)
    short = {"kilobyte": "kB", "megabyte": "MB", "gigabyte": "GB"}.get(unit, "byte" if size == 1 else "bytes")
    return f"{amount:,} {short}"

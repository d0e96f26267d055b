"""The zip itself, and the names of the files in it (PKWARE APPNOTE)."""

from __future__ import annotations

from content_packages.rules.rule import (
    OURS,
    RAISE,
    RAISE_BYTES,
    SPLIT,
    SPLIT_BYTES,
    ZIP_AGAIN,
    Rule,
    error,
    note,
    warning,
)

_APPNOTE = "PKWARE APPNOTE"
_NAMES = "PKWARE APPNOTE 4.4.17"
_RENAME = "Ask the author to rename the file and export the course again."

ARCHIVE: dict[str, Rule] = {
    "archive.not_a_zip": error(
        f"{_APPNOTE} 4.3.16",
        "The file is not a zip archive.",
        "Import the zip file that the authoring tool made.",
    ),
    "archive.truncated": error(
        f"{_APPNOTE} 4.3.16",
        "The zip is cut short: bytes of it are missing, such as its end with the table of contents.",
        "Copy or download the file again.",
    ),
    "archive.entry_outside": error(
        f"{_APPNOTE} 4.3.8",
        "The bytes of {name} would reach beyond the files of the zip: its place or size is wrong, or bytes are "
        "missing.",
        f"Copy or download the file again. {ZIP_AGAIN}",
    ),
    "archive.bytes_before": error(
        f"{_APPNOTE} 4.3.6", "Bytes that belong to no file stand before the zip.", ZIP_AGAIN
    ),
    "archive.bytes_after": error(
        f"{_APPNOTE} 4.3.6", "Bytes that belong to no file follow the end of the zip.", ZIP_AGAIN
    ),
    "archive.comment": error(
        f"{_APPNOTE} 4.3.16",
        "The comment of the zip holds what programs may take for the end of another zip.",
        "Make the zip again, without a comment.",
    ),
    "archive.directory_place": error(
        f"{_APPNOTE} 4.3.16",
        "The table of contents of the zip is not where its end says, or bytes that belong to no file follow it.",
        ZIP_AGAIN,
    ),
    "archive.multi_disk": error(
        f"{_APPNOTE} 4.3.16", "The zip is one part of several.", "Join the parts into one zip first."
    ),
    "archive.count": error(
        f"{_APPNOTE} 4.4.21",
        "The table of contents of the zip holds another number of files than the zip claims.",
        ZIP_AGAIN,
    ),
    "archive.ends_differ": error(
        f"{_APPNOTE} 4.4.1.4",
        "The two ends of the zip, the short one and that of zip64, contradict each other.",
        ZIP_AGAIN,
    ),
    "archive.zip64_end": error(
        f"{_APPNOTE} 4.3.14", "The zip64 end of the zip is not where it should be.", ZIP_AGAIN
    ),
    "archive.zip64": error(
        f"{_APPNOTE} 4.5.3",
        "The size or place of {name} should stand in a zip64 field, which it lacks.",
        ZIP_AGAIN,
    ),
    "archive.no_file": error(
        f"{_APPNOTE} 4.3.7", "No file begins where {name} should in the zip.", ZIP_AGAIN
    ),
    "archive.name_twice": error(
        f"{_APPNOTE} 4.3.7",
        "{name} bears another name inside the zip than in its table of contents.",
        ZIP_AGAIN,
    ),
    "archive.utf8_name_twice": error(
        f"{_APPNOTE} 4.6.9",
        "{name} bears another name in UTF-8 inside the zip than in its table of contents.",
        ZIP_AGAIN,
    ),
    "archive.method_twice": error(
        f"{_APPNOTE} 4.3.7", "The zip says in two ways how {name} is packed.", ZIP_AGAIN
    ),
    "archive.encrypted_once": error(
        f"{_APPNOTE} 4.3.7", "The zip says in one place only that {name} is encrypted.", ZIP_AGAIN
    ),
    "archive.sizes_twice": error(
        f"{_APPNOTE} 4.3.7", "The zip gives size or checksum of {name} in two ways.", ZIP_AGAIN
    ),
    "archive.sizes_after": error(
        f"{_APPNOTE} 4.3.9", "The sizes that follow {name} in the zip are not its own.", ZIP_AGAIN
    ),
    "archive.folder_with_bytes": error(
        f"{_APPNOTE} 4.3.8", "{name} is a folder, and holds bytes.", ZIP_AGAIN
    ),
    "archive.overlap": error(
        f"{_APPNOTE} 4.3.6",
        "In the zip, {name} shares its bytes with another file, as zip bombs do.",
        ZIP_AGAIN,
    ),
    "archive.encrypted": error(
        f"{_APPNOTE} 4.4.4", "{name} is encrypted.", "Make the zip without a password."
    ),
    "archive.method": error(
        f"{_APPNOTE} 4.4.5",
        "{name} is packed with {method}; only stored and deflated files are read.",
        ZIP_AGAIN,
    ),
    "archive.symlink": error(
        f"{_APPNOTE} 4.5.7", "{name} is a link to another file.", "Put the file itself into the zip."
    ),
    "archive.special_file": error(f"{_APPNOTE} 4.5.7", "{name} is a device or pipe, not a file.", ZIP_AGAIN),
    "archive.damaged_data": error(
        f"{_APPNOTE} 4.4.5",
        "{name} cannot be unpacked: its data is damaged.",
        "Copy or download the file again.",
    ),
    "archive.checksum": error(
        f"{_APPNOTE} 4.4.7", "{name} is damaged: its checksum is wrong.", "Copy or download the file again."
    ),
    "archive.size_lie": error(
        f"{_APPNOTE} 4.4.9", "{name} does not unpack to the {count} bytes the zip promises.", ZIP_AGAIN
    ),
    "archive.too_large": error(OURS, "The zip has {size:bytes}; the limit is {limit:bytes}.", SPLIT_BYTES),
    "archive.too_many_entries": error(OURS, "The zip holds {count} files; the limit is {limit}.", SPLIT),
    "archive.directory_too_large": error(
        OURS, "The zip's table of contents has {size:bytes}; the limit is {limit:bytes}.", SPLIT_BYTES
    ),
    "archive.unpacked_too_large": error(
        OURS, "The files unpack to {size:bytes}; the limit is {limit:bytes}.", SPLIT_BYTES
    ),
    "archive.file_too_large": error(
        OURS,
        "{name} unpacks to {size:bytes}; the limit for one file is {limit:bytes}.",
        f"Make the file smaller, for instance by compressing the video. {RAISE_BYTES}",
    ),
    "archive.ratio": error(
        OURS,
        "{name} unpacks to {ratio} times its packed size, as zip bombs do; the limit is {limit} times.",
        f"Put the file into the zip without compressing it. {RAISE}",
    ),
    "archive.total_ratio": error(
        OURS,
        "The files unpack to {ratio} times the size of the zip, as zip bombs do; the limit is {limit} times.",
        RAISE,
    ),
    "archive.unclaimed": note(
        f"{_APPNOTE} 4.3.6", "The zip holds {size:bytes} between its files that belong to none of them."
    ),
    "archive.after_data": warning(
        f"{_APPNOTE} 4.4.8",
        "In the zip, bytes that belong to nothing follow the data of files, such as {name}; they were left out "
        "(number: {count}).",
        "No honest tool writes that. Ask where the file comes from before you publish it.",
    ),
    "archive.privileged": note(
        f"{_APPNOTE} 4.5.7",
        "Files ask to be run with the rights of their owner, such as {name}; that was dropped (number: {count}).",
    ),
    "archive.litter": note(
        OURS, "Files left by an operating system were left out, such as {name} (number: {count})."
    ),
}

NAMES: dict[str, Rule] = {
    "name.empty": error(_NAMES, "A file in the zip has no usable name ({name}).", ZIP_AGAIN),
    "name.nul": error(_NAMES, "The name {name} holds a NUL character.", ZIP_AGAIN),
    "name.control": error(_NAMES, "The name {name} holds a control character.", _RENAME),
    "name.deceiving": error(
        _NAMES, "The name {name} holds invisible characters that make it look like another.", _RENAME
    ),
    "name.unc": error(_NAMES, "The name {name} points to another computer.", ZIP_AGAIN),
    "name.absolute": error(_NAMES, "The name {name} begins at the root of the disk.", ZIP_AGAIN),
    "name.drive": error(_NAMES, "The name {name} begins with a drive letter.", ZIP_AGAIN),
    "name.stream": error(
        _NAMES, "The name {name} holds a colon, which Windows takes for a hidden stream.", _RENAME
    ),
    "name.traversal": error(_NAMES, "The name {name} leads out of the package by “..”.", ZIP_AGAIN),
    "name.reserved": error(
        _NAMES, "A part of the name {name} is reserved by Windows for a device, as con and aux are.", _RENAME
    ),
    "name.trailing": error(
        _NAMES, "A part of the name {name} ends in a dot or a space, which Windows drops.", _RENAME
    ),
    "name.too_long": error(
        OURS, "The name {name} has {count} characters; the limit is {limit}.", f"{_RENAME} {RAISE}"
    ),
    "name.too_deep": error(
        OURS, "The name {name} is {count} folders deep; the limit is {limit}.", f"{_RENAME} {RAISE}"
    ),
    "name.duplicate": error(_NAMES, "The zip holds {name} twice.", ZIP_AGAIN),
    "name.collision": error(_NAMES, "{name} and {other} are one name on Windows and macOS.", _RENAME),
    "name.file_is_folder": error(_NAMES, "{name} is both a file and a folder.", ZIP_AGAIN),
    "name.backslash": note(
        _NAMES, "Names use backslashes, such as {name}, which were read as slashes (number: {count})."
    ),
    "name.unportable": note(
        _NAMES,
        "Names hold characters that Windows does not allow, such as {name}; they work here, but not in a zip "
        "unpacked there (number: {count}).",
    ),
    "name.dot_segments": note(
        _NAMES, "Names hold empty or “.” parts, such as {name}, which were dropped (number: {count})."
    ),
    "name.not_utf8": warning(
        f"{_APPNOTE} appendix D",
        "The zip says that its names are in UTF-8, but some are not, such as {name}; those were read in the code page "
        "of MS-DOS, so letters other than English ones may be wrong (number: {count}).",
        "Try the course before you publish it; if pages or pictures are missing, make the zip again with an ordinary "
        "tool.",
    ),
    "name.encoding": note(
        f"{_APPNOTE} appendix D",
        "Names do not say their encoding, such as {name}; it was guessed (number: {count}).",
    ),
}

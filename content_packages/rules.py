"""Every rule an import can fall foul of: one table, so that it can be read, translated and documented.

Numbers stand apart from nouns in its sentences, so that one sentence is right for one file and for many.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """What a finding means for the import."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """A rule, its source, its sentence (filled with the facts of a finding) and what to do."""

    severity: Severity
    requirement: str
    text: str
    remedy: str


_APPNOTE = "PKWARE APPNOTE"
_OURS = "Limit of Outpost"
_NAMES = "PKWARE APPNOTE 4.4.17"
_CP = "SCORM 1.2 CAM 2.3; SCORM 2004 CAM 3.4"
_ZIP_AGAIN = "Make the zip again with an ordinary tool, from the original export, and import that."
_ASK = "Ask the author to export the course again."
_RENAME = "Ask the author to rename the file and export the course again."
_NOTHING = "Nothing to do."
_CHECK = "Try the course before you publish it."
_RAISE = "Ask an administrator to raise the setting {setting} (by default {default})."
_RAISE_BYTES = "Ask an administrator to raise the setting {setting} (by default {default:bytes})."
_SPLIT = f"Split the course. {_RAISE}"
_SPLIT_BYTES = f"Split the course. {_RAISE_BYTES}"
_BROWSERS = "Works in today’s browsers"
_REPLACE = "Try the course before you publish it; ask the author to export it again with a current tool."
_SAVE_EARLIER = "Leave the course half-way and open it again: what was done must still be there."


def _error(requirement: str, text: str, remedy: str) -> Rule:
    return Rule(severity=Severity.ERROR, requirement=requirement, text=text, remedy=remedy)


def _warning(requirement: str, text: str, remedy: str = _CHECK) -> Rule:
    return Rule(severity=Severity.WARNING, requirement=requirement, text=text, remedy=remedy)


def _note(requirement: str, text: str, remedy: str = _NOTHING) -> Rule:
    return Rule(severity=Severity.NOTE, requirement=requirement, text=text, remedy=remedy)


_ARCHIVE = {
    "archive.not_a_zip": _error(
        f"{_APPNOTE} 4.3.16",
        "The file is not a zip archive.",
        "Import the zip file that the authoring tool made.",
    ),
    "archive.truncated": _error(
        f"{_APPNOTE} 4.3.16",
        "The zip is cut short: its end, with the table of contents, is missing.",
        "Copy or download the file again.",
    ),
    "archive.entry_truncated": _error(
        f"{_APPNOTE} 4.3.8", "The zip is cut short inside {name}.", "Copy or download the file again."
    ),
    "archive.foreign_data": _error(
        f"{_APPNOTE} 4.3.6",
        "The zip holds bytes {where} its table of contents that belong to no file.",
        _ZIP_AGAIN,
    ),
    "archive.multi_disk": _error(
        f"{_APPNOTE} 4.3.16", "The zip is one part of several.", "Join the parts into one zip first."
    ),
    "archive.contradiction": _error(
        f"{_APPNOTE} 4.3.7", "The zip contradicts itself at {name}: {what}.", _ZIP_AGAIN
    ),
    "archive.overlap": _error(
        f"{_APPNOTE} 4.3.6",
        "In the zip, {name} shares its bytes with another file, as zip bombs do.",
        _ZIP_AGAIN,
    ),
    "archive.encrypted": _error(
        f"{_APPNOTE} 4.4.4", "{name} is encrypted.", "Make the zip without a password."
    ),
    "archive.method": _error(
        f"{_APPNOTE} 4.4.5",
        "{name} is packed with {method}; only stored and deflated files are read.",
        _ZIP_AGAIN,
    ),
    "archive.symlink": _error(
        f"{_APPNOTE} 4.5.7", "{name} is a link to another file.", "Put the file itself into the zip."
    ),
    "archive.special_file": _error(
        f"{_APPNOTE} 4.5.7", "{name} is a device or pipe, not a file.", _ZIP_AGAIN
    ),
    "archive.damaged_data": _error(
        f"{_APPNOTE} 4.4.5",
        "{name} cannot be unpacked: its data is damaged.",
        "Copy or download the file again.",
    ),
    "archive.checksum": _error(
        f"{_APPNOTE} 4.4.7", "{name} is damaged: its checksum is wrong.", "Copy or download the file again."
    ),
    "archive.size_lie": _error(
        f"{_APPNOTE} 4.4.9", "{name} does not unpack to the {count} bytes the zip promises.", _ZIP_AGAIN
    ),
    "archive.too_large": _error(_OURS, "The zip has {size:bytes}; the limit is {limit:bytes}.", _SPLIT_BYTES),
    "archive.too_many_entries": _error(_OURS, "The zip holds {count} files; the limit is {limit}.", _SPLIT),
    "archive.directory_too_large": _error(
        _OURS, "The zip's table of contents has {size:bytes}; the limit is {limit:bytes}.", _SPLIT_BYTES
    ),
    "archive.unpacked_too_large": _error(
        _OURS, "The files unpack to {size:bytes}; the limit is {limit:bytes}.", _SPLIT_BYTES
    ),
    "archive.file_too_large": _error(
        _OURS,
        "{name} unpacks to {size:bytes}; the limit for one file is {limit:bytes}.",
        f"Make the file smaller, for instance by compressing the video. {_RAISE_BYTES}",
    ),
    "archive.ratio": _error(
        _OURS,
        "{name} unpacks to {ratio} times its packed size, as zip bombs do; the limit is {limit} times.",
        f"Put the file into the zip without compressing it. {_RAISE}",
    ),
    "archive.total_ratio": _error(
        _OURS,
        "The files unpack to {ratio} times the size of the zip, as zip bombs do; the limit is {limit} times.",
        _RAISE,
    ),
    "archive.unclaimed": _note(
        f"{_APPNOTE} 4.3.6", "The zip holds {size:bytes} between its files that belong to none of them."
    ),
    "archive.privileged": _note(
        f"{_APPNOTE} 4.5.7",
        "Files ask to be run with the rights of their owner, such as {name}; that was dropped (number: {count}).",
    ),
    "archive.litter": _note(
        _OURS, "Files left by an operating system were left out, such as {name} (number: {count})."
    ),
}
_NAME = {
    "name.empty": _error(_NAMES, "A file in the zip has no usable name ({name}).", _ZIP_AGAIN),
    "name.nul": _error(_NAMES, "The name {name} holds a NUL character.", _ZIP_AGAIN),
    "name.control": _error(_NAMES, "The name {name} holds a control character.", _RENAME),
    "name.deceiving": _error(
        _NAMES, "The name {name} holds invisible characters that make it look like another.", _RENAME
    ),
    "name.unc": _error(_NAMES, "The name {name} points to another computer.", _ZIP_AGAIN),
    "name.absolute": _error(_NAMES, "The name {name} begins at the root of the disk.", _ZIP_AGAIN),
    "name.drive": _error(_NAMES, "The name {name} begins with a drive letter.", _ZIP_AGAIN),
    "name.stream": _error(
        _NAMES, "The name {name} holds a colon, which Windows takes for a hidden stream.", _RENAME
    ),
    "name.traversal": _error(_NAMES, "The name {name} leads out of the package by “..”.", _ZIP_AGAIN),
    "name.reserved": _error(_NAMES, "The name {name} is reserved by Windows for a device.", _RENAME),
    "name.trailing": _error(
        _NAMES, "A part of the name {name} ends in a dot or a space, which Windows drops.", _RENAME
    ),
    "name.too_long": _error(
        _OURS, "The name {name} has {count} characters; the limit is {limit}.", f"{_RENAME} {_RAISE}"
    ),
    "name.too_deep": _error(
        _OURS, "The name {name} is {count} folders deep; the limit is {limit}.", f"{_RENAME} {_RAISE}"
    ),
    "name.duplicate": _error(_NAMES, "The zip holds {name} twice.", _ZIP_AGAIN),
    "name.collision": _error(_NAMES, "{name} and {other} are one name on Windows and macOS.", _RENAME),
    "name.file_is_folder": _error(_NAMES, "{name} is both a file and a folder.", _ZIP_AGAIN),
    "name.backslash": _note(
        _NAMES, "Names use backslashes, such as {name}, which were read as slashes (number: {count})."
    ),
    "name.unportable": _note(
        _NAMES,
        "Names hold characters that Windows does not allow, such as {name}; they work here, but not in a zip "
        "unpacked there (number: {count}).",
    ),
    "name.dot_segments": _note(
        _NAMES, "Names hold empty or “.” parts, such as {name}, which were dropped (number: {count})."
    ),
    "name.encoding": _note(
        f"{_APPNOTE} appendix D",
        "Names do not say their encoding, such as {name}; it was guessed (number: {count}).",
    ),
}
_XML = {
    "xml.too_large": _error(
        _OURS, "{name} has {size:bytes}; the limit for a manifest is {limit:bytes}.", f"{_ASK} {_RAISE_BYTES}"
    ),
    "xml.too_deep": _error(_OURS, "{name} nests elements deeper than {limit} levels.", f"{_ASK} {_RAISE}"),
    "xml.too_many_nodes": _error(
        _OURS, "{name} holds more than {limit} elements and attributes.", f"{_ASK} {_RAISE}"
    ),
    "xml.too_many_prefixes": _error(
        _OURS, "An element of {name} has more than {limit} namespace prefixes in scope.", _ASK
    ),
    "xml.too_many_attributes": _error(_OURS, "An element of {name} has more than {limit} attributes.", _ASK),
    "xml.dtd": _error(
        _OURS,
        "{name} declares a document type (DTD), which can hide harmful entities.",
        "Remove the DOCTYPE line from the manifest.",
    ),
    "xml.not_well_formed": _error("XML 1.0 §2.1", "{name} is not XML that can be read: {reason}.", _ASK),
    "xml.encoding": _warning(
        "XML 1.0 §4.3.3", "The manifest says it is {declared} but can only be read as {used}."
    ),
    "xml.byte_order_mark": _note(
        "XML 1.0 §4.3.3", "{name} begins with a byte-order mark; it was read as {used}."
    ),
    "xml.damaged_characters": _warning(
        "XML 1.0 §4.3.3",
        "Characters of {name} could not be read and were replaced by “\ufffd” (number: {count}).",
    ),
    "xml.undeclared_prefix": _warning(
        "Namespaces in XML §5",
        "The manifest uses the prefix {prefix} without declaring it; its usual meaning was taken.",
    ),
    "xml.missing_namespace": _warning(
        "Namespaces in XML §6",
        "The element {name} and others have no known namespace; that of IMS Content Packaging was taken.",
    ),
}
_PACKAGE = {
    "package.no_manifest": _error(
        _CP,
        "The zip holds neither a manifest of a standard that is known, nor an index.html, nor a single PDF, film or "
        "recording.",
        "Export the course as SCORM 1.2, SCORM 2004, cmi5 or xAPI, or as web pages, and import that zip.",
    ),
    "package.several_manifests": _error(
        _CP, "The zip holds several packages: {name} and {other}.", "Import each package by itself."
    ),
    "package.not_a_manifest": _error(
        _CP, "The root element of imsmanifest.xml is {name}, not manifest.", _ASK
    ),
    "package.common_cartridge": _error(
        _CP,
        "This is an IMS Common Cartridge, not a SCORM package.",
        "Export the course as SCORM 1.2 or SCORM 2004.",
    ),
    "package.nested_root": _note(
        _CP, "The package lies in the folder {name}; that folder was taken as its root."
    ),
    "package.manifest_case": _note(_CP, "The manifest is called {name}; it was read as {usual}."),
    "package.other_manifest": _note(
        _CP,
        "The package holds {other} as well as {name}; it was read by {name}, and the other was passed over.",
        "If it should be taken by the other standard, ask the author for a package of that standard alone.",
    ),
    "package.edition_guessed": _warning(
        _CP, "The manifest names no edition that is known ({written}); it was read as SCORM {edition}."
    ),
    "package.edition_missing": _note(
        _CP, "The manifest does not name its edition; it was read as SCORM {edition}."
    ),
    "package.external_addresses": _warning(
        "Works without a network",
        "The content loads files from {hosts}, which does not work offline (number: {count}).",
        "Try the course with the network off; ask the author to put the files into the package.",
    ),
    "site.empty": _error(
        "HTML, The body element",
        "The page {name} shows nothing, and the zip holds no manifest of a standard that is known.",
        "Import the zip that the authoring tool made, with its manifest.",
    ),
    "package.external_links": _note(
        "Works without a network",
        "The content names addresses on {hosts}; what leads there does not work offline (number: {count}).",
        _CHECK,
    ),
    "site.no_title": _note(
        "HTML, The title element",
        "The page {name} has no title; its file name was taken.",
        "Give the course a title.",
    ),
    "organization.missing": _warning(
        _CP, "The manifest has no organization; what can be launched was listed in order (number: {count})."
    ),
    "organization.default_dangling": _warning(
        _CP, "The default organization {name} does not exist; the first one was taken."
    ),
    "organization.others": _note(
        _CP, "The package has further organizations; only {name} was taken (number left out: {count})."
    ),
    "organization.empty": _error(_CP, "Nothing in this package can be launched.", _ASK),
    "manifest.submanifest": _note(
        _CP, "The manifest holds another manifest, {name}; its resources were taken in."
    ),
    "manifest.too_many_items": _error(_OURS, "The outline has more than {limit} items.", _SPLIT),
    "manifest.too_deep": _error(
        _OURS, "The outline nests items deeper than {limit} levels.", f"{_ASK} {_RAISE}"
    ),
    "item.no_identifier": _warning(_CP, "An item has no identifier; {name} was given to it."),
    "item.duplicate_identifier": _warning(
        _CP, "The identifier {name} is used twice; the second became {other}."
    ),
    "item.no_title": _warning(_CP, "The item {name} has no title."),
    "item.resource_missing": _error(
        _CP, "The item {name} refers to the resource {resource}, which does not exist.", _ASK
    ),
    "item.cluster_resource": _warning(
        _CP, "The item {name} has both a page and sub-items; the page became its first sub-item."
    ),
    "item.heading": _note(_CP, "The item {name} leads nowhere; it is shown as a heading."),
    "item.bad_value": _warning(
        _CP, "The item {name} gives {value} for {field}, which the standard does not allow; it was left out."
    ),
    "resource.no_href": _error(_CP, "The resource {name} is to be launched but names no file.", _ASK),
    "resource.no_type": _warning(
        _CP, "The resource {name} does not say whether it is a SCO or an asset; it was taken for a SCO."
    ),
    "resource.duplicate": _warning(_CP, "The resource {name} is declared twice; the first was taken."),
    "launch.missing": _error(_CP, "The launch file {name} is not in the package.", _ASK),
    "launch.unescaped": _warning(
        "RFC 3986 §3",
        "The launch address {name} was taken as the name of a file, “#” or “?” and all; they should be written as "
        "%23 and %3F.",
    ),
    "launch.external": _error(
        "Works without a network",
        "The launch address {name} is outside the package.",
        "Ask the author for a package that holds its own content.",
    ),
    "file.missing": _warning(
        _CP, "Files that the manifest lists are not in the package, such as {name} (number: {count})."
    ),
    "file.name_encoded": _note(
        "RFC 3986 §2.1", "The manifest writes {name} for the file {other}, with its signs encoded."
    ),
    "launch.parameters": _note(
        "SCORM 2004 CAM 3.4.1.5",
        "The address {name} holds more than the name of a file; the page is opened with all of it.",
    ),
    "file.name_differs": _warning(_CP, "The manifest writes {name} for the file {other}."),
    "sequencing.bad_value": _warning(
        "SCORM 2004 SN 3",
        "{name} has {value} for {field}, which is not a value of the standard; it was left out.",
    ),
    "sequencing.dangling": _warning(
        "SCORM 2004 CAM 5.1.1", "{name} refers to the sequencing {reference}, which does not exist."
    ),
}

_WHAT = (
    "Import a package (zip: SCORM, cmi5, xAPI, web pages), a course structure (cmi5.xml), a PDF, a film (MP4, WebM), "
    "a recording (MP3) or a book (EPUB); save other documents as PDF first."
)
_PDF = "ISO 32000-1"
_MP4 = "ISO/IEC 14496-12"
_EPUB = "EPUB 3.3"
_WCAG = "WCAG 2.2 §1.2.2"
_FILE = {
    "file.unknown": _error(_OURS, "The file is of no kind that can be imported.", _WHAT),
    "file.too_large": _error(
        _OURS,
        "The file has {size:bytes}; the limit is {limit:bytes}.",
        f"Make the file smaller, for instance by compressing the film. {_RAISE_BYTES}",
    ),
    "shelf.no_room": _error(
        _OURS,
        "The course needs {size:bytes} on the disk and {free:bytes} are free, of which {limit:bytes} are left to what"
        " learners do.",
        "Free space on the disk, or ask an administrator to lower the setting {setting} (by default {default:bytes}).",
    ),
    "file.not_what_it_says": _error(
        _OURS, "The bytes of {name} are not what its name says.", "Copy or download the file again."
    ),
    "file.several": _error(
        _OURS,
        "The zip holds several files that each could be a course, such as {name} and {other} (number: {count}).",
        "Import each by itself, a film with its captions; or put them on a page index.html in the zip.",
    ),
    "file.office": _error(
        _OURS,
        "This is a document of an office program, which browsers do not show.",
        "Save it as PDF and import that.",
    ),
    "file.epub_in_zip": _error(
        _OURS, "The zip holds the book {name}.", "Import the EPUB file itself, not a zip of it."
    ),
    "pdf.encrypted": _warning(
        f"{_PDF} §7.6", "The PDF is encrypted; if it asks for a password, officers cannot open it."
    ),
    "pdf.no_end": _warning(
        f"{_PDF} §7.5.5",
        "The PDF does not end as a PDF does; it may be cut short.",
        "Look at its last pages before you publish it; if they are missing, copy or download the file again.",
    ),
    "film.cut_short": _error(
        f"{_MP4} §8.2",
        "The film is cut short or was never finished: its index is missing or points behind its end.",
        "Copy, download or export the film again.",
    ),
    "film.codec": _warning(
        f"{_MP4} §8.5.2",
        "The film is recorded as {codec}, which many browsers do not play.",
        "Convert it to MP4 with H.264 and AAC, and try it before you publish it.",
    ),
    "captions.none": _note(
        _WCAG,
        "The film has no captions.",
        "For those who cannot hear it, put film.mp4 and film.en.vtt (or .srt) into one zip and import that.",
    ),
    "captions.language": _note(
        "HTML, The track element",
        "The name of the captions {name} does not say their language.",
        "Name them like film.en.vtt or film.ar.srt.",
    ),
    "epub.container": _error(
        f"{_EPUB} §4.2.6.3.1", "META-INF/container.xml names no book that is in the file.", _ASK
    ),
    "epub.encrypted": _error(
        f"{_EPUB} §4.2.6.3.2",
        "The book is locked to the reader of whoever bought it.",
        "Ask the publisher for a copy without protection.",
    ),
    "epub.empty": _error(f"{_EPUB} §5.7", "The book says nothing about the order of its parts.", _ASK),
    "epub.part_missing": _warning(
        f"{_EPUB} §5.7", "Parts of the book are not in the file, such as {name} (number: {count})."
    ),
    "epub.scripts": _warning(
        f"{_EPUB} §6.1",
        "The book holds scripts, which are not run; its interactive parts stand still (number: {count}).",
    ),
    "epub.no_contents": _note(
        f"{_EPUB} §7", "The table of contents could not be read; the parts are only numbered."
    ),
}

_XSD = "cmi5 13.2, CourseStructure.xsd"
_AU = "cmi5 13.1.4"
_ADDRESS = "Ask the author to correct the address of the unit and export the course again."
_OFFLINE = "Works without a network"
_CMI5 = {
    "cmi5.not_at_root": _error(
        "cmi5 14.1",
        "The course structure {name} does not lie at the root of the zip.",
        "Make the zip of what is in the folder, so that cmi5.xml comes first, not of the folder itself.",
    ),
    "cmi5.not_a_course_structure": _error(
        _XSD,
        "The root element is {name} of the namespace “{namespace}”, not courseStructure of {usual}.",
        _ASK,
    ),
    "cmi5.undeclared_prefix": _error(
        "cmi5 13.1.5", "The prefix {prefix} is not declared, so the course structure is not valid XML.", _ASK
    ),
    "cmi5.unexpected_element": _error(_XSD, "The element {name} is not allowed in {parent}.", _ASK),
    "cmi5.element_order": _error(
        _XSD, "In {parent}, {name} has to stand before {other}, not after it.", _ASK
    ),
    "cmi5.element_repeated": _error(_XSD, "{parent} has a second {name}; one is allowed.", _ASK),
    "cmi5.element_missing": _error(_XSD, "{parent} has no {name}, which the standard requires.", _ASK),
    "cmi5.stray_text": _error(
        _XSD, "The element {name} holds the text “{text}”, where only elements may stand.", _ASK
    ),
    "cmi5.unexpected_attribute": _error(
        _XSD, "The element {name} may not have the attribute {attribute}.", _ASK
    ),
    "cmi5.attribute_missing": _error(
        _XSD, "The element {name} has no {attribute}, which the standard requires.", _ASK
    ),
    "cmi5.iri": _error(
        "cmi5 3.0",
        "The {attribute} of {name} is “{value}”, which is not a complete address with a scheme.",
        "Ask the author to write it in full, such as https://example.org/course/1.",
    ),
    "cmi5.move_on": _error(
        _AU,
        "“{value}” is not a value of {attribute}: NotApplicable, Passed, Completed, CompletedAndPassed or "
        "CompletedOrPassed.",
        _ASK,
    ),
    "cmi5.mastery_score": _error(_AU, "“{value}” is not a {attribute}: a decimal number from 0 to 1.", _ASK),
    "cmi5.launch_method": _error(
        _AU, "“{value}” is not a value of {attribute}: AnyWindow or OwnWindow.", _ASK
    ),
    "cmi5.language": _error(
        _XSD,
        "“{value}” is not the tag of a language, such as en or fr-CA (attribute {attribute} of {name}).",
        _ASK,
    ),
    "cmi5.duplicate_block": _error(
        "cmi5 13.1.2", "The id {name} of a block is used already, in line {other}.", _ASK
    ),
    "cmi5.duplicate_objective": _error(
        "cmi5 13.1.3", "The id {name} of an objective is used already, in line {other}.", _ASK
    ),
    "cmi5.duplicate_au": _error(_AU, "The id {name} of a unit is used already, in line {other}.", _ASK),
    "cmi5.id_too_long": _error(_OURS, "The id {name} is longer than {limit} bytes.", _ASK),
    "cmi5.url_empty": _error(_AU, "The unit {name} has an empty address.", _ADDRESS),
    "cmi5.url_characters": _error(
        f"{_AU}, RFC 1738 2.2",
        "The address {url} of the unit {name} holds “{part}”, which no address may.",
        _ADDRESS,
    ),
    "cmi5.url_form": _error(
        f"{_AU}, RFC 1738 3.1",
        "The address {url} of the unit {name} is neither a file of the package nor complete, with a scheme and a host.",
        _ADDRESS,
    ),
    "cmi5.url_scheme": _error(
        _OURS,
        "The address {url} of the unit {name} would run inside this page ({part}:), not on its own.",
        _ADDRESS,
    ),
    "cmi5.url_parameter": _error(
        "cmi5 8.1",
        "The address {url} of the unit {name} uses the parameter {parameter}, which is given at launch.",
        _ADDRESS,
    ),
    "cmi5.url_not_in_package": _error(
        "cmi5 14.1",
        "The address {url} of the unit {name} means no file of the package.",
        "Ask the author to put the file into the package, or to give its complete address.",
    ),
    "cmi5.url_relative": _error(
        "cmi5 14.2",
        "The address {url} of the unit {name} is not complete, and the course structure came without a zip.",
        "Import the zip with the course structure and its files.",
    ),
    "cmi5.url_elsewhere": _warning(
        _OFFLINE,
        "Units lie on {hosts}, not in the package, and cannot be opened without a network (number: {count}).",
        "Ask the author for a package that holds its own content.",
    ),
    "cmi5.url_application": _warning(
        _AU,
        "The unit {name} starts a program by the scheme {scheme}, which no browser opens by itself.",
        "Find out whether officers' computers have the program.",
    ),
    "cmi5.url_differs": _warning("cmi5 14.1", "The course structure writes {url} for the file {other}."),
    "cmi5.mastery_decimals": _warning(
        _AU, "The mastery score {value} has more than {limit} decimal places; all of them are kept."
    ),
    "cmi5.objective_dangling": _warning(
        "cmi5 13.1.3", "Objectives are referred to that are not described, such as {name} (number: {count})."
    ),
    "cmi5.no_title": _warning("cmi5 13.1", "{name} has an empty title; its id is shown."),
    "cmi5.language_twice": _warning(
        "cmi5 13.1", "A {name} is given twice in the language {language}; the first was taken."
    ),
    "cmi5.extension_no_schema": _note(
        "cmi5 13.1.5",
        "Elements of {namespace} were kept as they are; the file names no schema to check them against.",
    ),
    "cmi5.more_faults": _note(_OURS, "There is more of the same, which is not listed (number: {count})."),
}
_TINCAN = "xAPI package, tincan.xml"
_XAPI = {
    "xapi.not_a_package": _error(_TINCAN, "The root element of {name} is {found}, not tincan.", _ASK),
    "xapi.no_launch": _error(_TINCAN, "No activity of {name} names a page to launch.", _ASK),
    "xapi.no_id": _error(_TINCAN, "The activity {name}, which is to be launched, has no id.", _ASK),
    "xapi.id_too_long": _error(_OURS, "The id {name} is longer than {limit} bytes.", _ASK),
    "xapi.launch_not_in_package": _error(
        _TINCAN, "The launch address {url} of {name} means no file of the package.", _ASK
    ),
    "xapi.launch_address": _error(
        "RFC 1738", "The launch address {url} of {name} is not an address that can be opened.", _ASK
    ),
    "xapi.launch_elsewhere": _warning(
        _OFFLINE,
        "The activity {name} lies on {host}, not in the package, and cannot be opened without a network.",
        "Ask the author for a package that holds its own content.",
    ),
    "xapi.launch_differs": _warning(_TINCAN, "The manifest writes {url} for the file {other}."),
    "xapi.launch_misplaced": _warning(
        _TINCAN, "The launch address stands beside the activities; it was taken for that of {name}."
    ),
    "xapi.launches": _warning(
        _TINCAN, "The activity {name} has several launch addresses; the first was taken (number: {count})."
    ),
    "xapi.iri": _warning(
        "xAPI 1.0.3 Data 2.4.4.1",
        "The id {name} is not a complete address with a scheme; records about it may be refused.",
    ),
    "xapi.duplicate_id": _warning(
        _TINCAN, "The activity {name} is described twice; the first was taken (number: {count})."
    ),
    "xapi.ignored": _warning(_TINCAN, "Activities without an id were left out (number: {count})."),
    "xapi.namespace": _warning(
        _TINCAN, "The manifest has the namespace “{namespace}”; it was read as if it were {usual}."
    ),
}

_SCRIPT = {
    "page.missing_file": _warning(
        "HTML Living Standard",
        "Pages ask for scripts, styles or other pages that are not in the package, such as {name} (number: {count}).",
        "Try the course before you publish it; if a page stays empty or saves nothing, ask the author to export again.",
    ),
    "script.flash_files": _warning(
        _BROWSERS,
        "The package holds Flash files, such as {name}; no browser has played them since 2021 (number: {count}).",
        _REPLACE,
    ),
    "script.flash": _note(
        _BROWSERS,
        "Pages ask for the Flash player ({name}), which no browser has had since 2021 (number: {count}).",
        _CHECK,
    ),
    "script.removed": _warning(
        _BROWSERS, "Pages use {name}, which browsers have removed (number: {count}).", _REPLACE
    ),
    "script.unload": _note(
        _BROWSERS,
        "Scripts act when the page goes away ({name}); browsers may skip that (number: {count}).",
        _SAVE_EARLIER,
    ),
    "script.unload_only": _warning(
        _BROWSERS,
        "Scripts save when the page goes away ({name}) and never before; what was done may be lost "
        "(number: {count}).",
        _SAVE_EARLIER,
    ),
    "script.sync_request": _note(
        _BROWSERS, "Scripts wait for the network while they work ({name}) (number: {count}).", _CHECK
    ),
    "script.sync_unload": _warning(
        _BROWSERS,
        "Scripts wait for the network when the page goes away ({name}); browsers refuse that (number: {count}).",
        _SAVE_EARLIER,
    ),
    "script.popup": _note(
        _BROWSERS,
        "Scripts open windows of their own ({name}), which may be blocked (number: {count}).",
        _CHECK,
    ),
    "script.top_window": _note(
        _BROWSERS,
        "Scripts reach for the window around the course ({name}), which is closed to them (number: {count}).",
        _CHECK,
    ),
    "script.document_domain": _warning(
        _BROWSERS, "Scripts set document.domain, which browsers have removed (number: {count})."
    ),
    "script.document_write": _warning(
        _BROWSERS,
        "Scripts write pages with files of other hosts into themselves ({name}) (number: {count}).",
        "Try the course with the network off; ask the author to put the files into the package.",
    ),
}
_TEXT = {
    "text.title_cut": _warning(
        _OURS,
        "Titles have more than {limit} characters and were cut, such as “{name}” with {length} (number: {count}).",
        "Write a title in the catalogue, or ask the author for a shorter one.",
    ),
    "text.description_cut": _note(
        _OURS,
        "Descriptions have more than {limit} characters and were cut; the longest has {length} (number: {count}).",
        "Write a description in the catalogue, or ask the author for a shorter one.",
    ),
    "catalogue.read": _note("schema.org, JSON-LD 1.1", "What the catalogue says was read from {name}."),
    "catalogue.unreadable": _note(
        "schema.org, JSON-LD 1.1",
        "{name} says nothing of a course in a form that is known, and was left aside.",
        "Write the entry in the catalogue.",
    ),
}
_REPORT = {
    "report.more": _note(_OURS, "There are more findings of the kind {name} (number left out: {count}).")
}

RULES: dict[str, Rule] = {
    **_ARCHIVE,
    **_NAME,
    **_XML,
    **_PACKAGE,
    **_FILE,
    **_CMI5,
    **_XAPI,
    **_SCRIPT,
    **_TEXT,
    **_REPORT,
}

#: Facts and requirements that are words of ours rather than names: a page says them in its language.
PHRASES: tuple[str, ...] = (
    _OURS,
    _BROWSERS,
    "Works without a network",
    "before",
    "after",
    "before or inside",
    "a folder holds bytes",
    "no file begins where it should",
    "it is encrypted in one place only",
    "it is not where it should be",
    "it holds another number of files than it claims",
    "its method is given in two ways",
    "its name is given in two ways",
    "its size or checksum is given in two ways",
    "its UTF-8 name is given in two ways",
    "the sizes that follow it are not its own",
    "the table of contents",
    "the zip64 end record",
)

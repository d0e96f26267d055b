"""The manifest as XML, and as a content package of SCORM (IMS Content Packaging)."""

from __future__ import annotations

from content_packages.rules.rule import (
    ASK,
    CHECK,
    OFFLINE,
    OURS,
    RAISE,
    RAISE_BYTES,
    SPLIT,
    Rule,
    error,
    note,
    warning,
)

_CP = "SCORM 1.2 CAM 2.3; SCORM 2004 CAM 3.4"

XML: dict[str, Rule] = {
    "xml.too_large": error(
        OURS, "{name} has {size:bytes}; the limit for a manifest is {limit:bytes}.", f"{ASK} {RAISE_BYTES}"
    ),
    "xml.too_deep": error(OURS, "{name} nests elements deeper than {limit} levels.", f"{ASK} {RAISE}"),
    "xml.too_many_nodes": error(
        OURS, "{name} holds more than {limit} elements and attributes.", f"{ASK} {RAISE}"
    ),
    "xml.too_many_prefixes": error(
        OURS, "An element of {name} has more than {limit} namespace prefixes in scope.", ASK
    ),
    "xml.too_many_attributes": error(OURS, "An element of {name} has more than {limit} attributes.", ASK),
    "xml.dtd": error(
        OURS,
        "{name} declares a document type (DTD), which can hide harmful entities.",
        "Remove the DOCTYPE line from the manifest.",
    ),
    "xml.web_page": error(
        "XML 1.0 §2.1",
        "{name} is a web page, not a manifest; perhaps a sign-in page or an error was saved under its name.",
        "Get the package once more from where it came; if it stays so, ask its author.",
    ),
    "xml.empty": error(
        "XML 1.0 §2.1", "{name} is empty.", "Export the package once more; if it stays empty, ask its author."
    ),
    "xml.no_element": error("XML 1.0 §2.1", "{name} does not begin as XML does, with an element.", ASK),
    "xml.unclosed": error(
        "XML 1.0 §3.1",
        "{name} ends before all its elements have ended; it may have been cut off on its way.",
        "Get the package once more from where it came; if it stays so, ask its author.",
    ),
    "xml.wrong_end": error(
        "XML 1.0 §3, Element Type Match", "An element of {name} ends by the name of another one.", ASK
    ),
    "xml.after_root": error("XML 1.0 §2.1", "{name} goes on after the end of its root element.", ASK),
    "xml.attribute_twice": error(
        "XML 1.0 §3.1, Unique Att Spec", "An element of {name} has the same attribute twice.", ASK
    ),
    "xml.attribute": error(
        "XML 1.0 §3.1",
        "An attribute of {name} is not written as XML asks: name, equals sign, and a value in quotation marks without "
        "“<”.",
        ASK,
    ),
    "xml.bare_sign": error(
        "XML 1.0 §2.4",
        "A “<” or “&” of {name} begins neither an element nor an entity; in text they are written &lt; and &amp;.",
        ASK,
    ),
    "xml.unknown_entity": error(
        "XML 1.0 §4.1, Entity Declared", "{name} uses an entity that XML does not have.", ASK
    ),
    "xml.forbidden_character": error(
        "XML 1.0 §2.2", "{name} holds a character that XML does not allow.", ASK
    ),
    "xml.section": error(
        "XML 1.0 §2.5 to 2.7",
        "A comment, a CDATA section or an instruction of {name} is not written as XML asks.",
        ASK,
    ),
    "xml.reserved_prefix": error(
        "Namespaces in XML §3",
        "{name} declares the prefix xml or xmlns, or the namespace that belongs to one of them, for something else.",
        ASK,
    ),
    "xml.empty_namespace": error(
        "Namespaces in XML §5", "{name} declares a prefix and gives no namespace for it, only “”.", ASK
    ),
    "xml.colon": error(
        "Namespaces in XML §4",
        "{name} has the name “{value}”; a name may hold one colon, between a prefix and the name itself.",
        ASK,
    ),
    "xml.namespace_address": warning(
        "Namespaces in XML §2.1",
        "{name} declares the namespace “{value}”, which is not an address; it was kept.",
    ),
    "xml.not_well_formed": error("XML 1.0 §2.1", "{name} is not XML that can be read: {reason}.", ASK),
    "xml.encoding": warning(
        "XML 1.0 §4.3.3", "The manifest says it is {declared} but can only be read as {used}."
    ),
    "xml.encoding_guessed": warning(
        "XML 1.0 §4.3.3",
        "The manifest is not {declared}, as it says, and does not say what it is; it was read as {used}, so letters "
        "other than English ones may be wrong.",
        "Look at the titles. If they are wrong, ask the author to export the course again, in UTF-8.",
    ),
    "xml.space_before": note(
        "XML 1.0 §2.8", "{name} does not begin with its first line; the white space before it was left out."
    ),
    "xml.byte_order_mark": note(
        "XML 1.0 §4.3.3", "{name} begins with a byte-order mark; it was read as {used}."
    ),
    "xml.damaged_characters": warning(
        "XML 1.0 §4.3.3",
        "Characters of {name} could not be read and were replaced by “\ufffd” (number: {count}).",
    ),
    "xml.undeclared_prefix": warning(
        "Namespaces in XML §5",
        "The manifest uses the prefix {prefix} without declaring it; it was read by its usual meaning, if it has one.",
    ),
    "xml.missing_namespace": warning(
        "Namespaces in XML §6",
        "The element {name} and others have no known namespace; that of IMS Content Packaging was taken.",
    ),
}

PACKAGE: dict[str, Rule] = {
    "package.no_manifest": error(
        _CP,
        "The zip holds neither a manifest of a standard that is known, nor an index.html, nor a single PDF, film or "
        "recording, and is no book (EPUB).",
        "Export the course as SCORM 1.2, SCORM 2004, cmi5 or xAPI, or as web pages, and import that zip.",
    ),
    "package.unreadable": error(
        OURS,
        "This file could not be read because of a fault in Outpost; nothing of it was kept.",
        "Ask an administrator to send the file to whoever looks after Outpost; the log says what happened.",
    ),
    "package.several_manifests": error(
        _CP, "The zip holds several packages: {name} and {other}.", "Import each package by itself."
    ),
    "package.not_a_manifest": error(_CP, "The root element of imsmanifest.xml is {name}, not manifest.", ASK),
    "package.common_cartridge": error(
        _CP,
        "This is an IMS Common Cartridge, not a SCORM package.",
        "Export the course as SCORM 1.2 or SCORM 2004.",
    ),
    "package.zip_inside": error(
        _CP,
        "The zip holds no course, but another zip, {name} (number of zips: {count}).",
        "Unpack the zip, and import the one inside; several one by one.",
    ),
    "package.project": error(
        OURS,
        "The zip holds no course, but a project of {tool} ({name}), which only that program opens.",
        "Open it in {tool}, export or publish it as SCORM, cmi5, xAPI or web pages, and import what that makes.",
    ),
    "package.blackboard": error(
        OURS,
        "This is an export of a course of Blackboard, not a package of content.",
        "In Blackboard, download the SCORM packages and files of the course one by one, and import those.",
    ),
    "package.empty": error(
        OURS, "The zip holds no files.", "Make the zip once more, of the files of the course."
    ),
    "package.qti": error(
        _CP,
        "This is a package of test questions (QTI), not a course; nothing in it can be opened by itself.",
        "Put the questions into a course with an authoring tool, and export that as SCORM, cmi5 or xAPI.",
    ),
    "package.h5p": error(
        OURS,
        "This is content of H5P ({name}), which needs the program of H5P to be shown.",
        "Open it in a program that writes H5P content as SCORM or as web pages, and import what that makes.",
    ),
    "package.moodle": error(
        OURS,
        "This is a backup of a Moodle course ({name}), not a package of content.",
        "In Moodle, download the SCORM packages and files of the course one by one, and import those.",
    ),
    "package.aicc": error(
        "AICC CMI001",
        "This is a package of AICC, known by {name}; that standard is not read.",
        "Export the course as SCORM 1.2, SCORM 2004, cmi5 or xAPI, and import that zip.",
    ),
    "package.aicc_site": warning(
        "AICC CMI001",
        "This is a package of AICC, known by {other}; that standard is not read, so {name} was taken as web pages, "
        "and keeps no score.",
        "Export the course as SCORM 1.2, SCORM 2004, cmi5 or xAPI, if its score or its place should be kept.",
    ),
    "package.nested_root": note(
        _CP, "The package lies in the folder {name}; that folder was taken as its root."
    ),
    "package.manifest_case": note(_CP, "The manifest is called {name}; it was read as {usual}."),
    "site.name_case": note(
        "HTML, Loading web pages", "The first page is called {name}; it was taken as if it were {usual}."
    ),
    "package.other_manifest": note(
        _CP,
        "The package holds {other} as well as {name}; it was read by {name}, and the other was passed over.",
        "If it should be taken by the other standard, ask the author for a package of that standard alone.",
    ),
    "package.edition_guessed": warning(
        _CP, "The manifest names no edition that is known ({written}); it was read as SCORM {edition}."
    ),
    "package.edition_mixed": warning(
        _CP,
        "The manifest says it is SCORM 1.2, and has rules for the order of lessons as SCORM 2004 has them; those were "
        "passed over.",
        "If lessons must come in that order, ask the author to export the course as SCORM 2004.",
    ),
    "package.edition_missing": note(
        _CP, "The manifest does not name its edition; it was read as SCORM {edition}."
    ),
    "package.external_addresses": warning(
        OFFLINE,
        "The content loads files from {hosts}, which does not work offline (number: {count}).",
        "Try the course with the network off; ask the author to put the files into the package.",
    ),
    "package.elsewhere": warning(
        OFFLINE,
        "The course begins with a page that shows hardly anything of its own, but what it fetches from {hosts}; "
        "without a network it stays empty: {name} (number: {count}).",
        "Ask the author for a package that holds its own content. Where there is a network, an administrator can allow "
        "the course these hosts.",
    ),
    "site.empty": error(
        "HTML, The body element",
        "The page {name} shows nothing, and the zip holds no manifest of a standard that is known.",
        "Import the zip that the authoring tool made, with its manifest.",
    ),
    "package.external_links": note(
        OFFLINE,
        "The content names addresses on {hosts}; what leads there does not work offline (number: {count}).",
        CHECK,
    ),
    "site.no_first_page": error(
        OURS,
        "The zip holds web pages, such as {name}, but none is called index.html, so nobody can say which one comes "
        "first (number: {count}).",
        "Rename the page that comes first to index.html, make the zip again, and import that.",
    ),
    "site.several": error(
        OURS,
        "The zip holds several sites side by side, such as {name} and {other}.",
        "Import each by itself, or put a page index.html above them that leads to all.",
    ),
    "site.no_title": note(
        "HTML, The title element",
        "The page {name} has no title; its file name was taken.",
        "Give the course a title.",
    ),
    "organization.no_title": note(
        _CP, "The manifest gives the course no title; {name} is shown.", "Give the course a title."
    ),
    "organization.missing": warning(
        _CP, "The manifest has no organization; what can be launched was listed in order (number: {count})."
    ),
    "organization.default_dangling": warning(
        _CP, "The default organization {name} does not exist; the first one was taken."
    ),
    "organization.others": note(
        _CP, "The package has further organizations; only {name} was taken (number left out: {count})."
    ),
    "organization.empty": error(_CP, "Nothing in this package can be launched.", ASK),
    "manifest.submanifest": note(
        _CP, "The manifest holds another manifest, {name}; its resources were taken in."
    ),
    "manifest.too_many_items": error(OURS, "The outline has more than {limit} items.", SPLIT),
    "manifest.too_deep": error(OURS, "The outline nests items deeper than {limit} levels.", f"{ASK} {RAISE}"),
    "item.no_identifier": warning(_CP, "An item has no identifier; {name} was given to it."),
    "item.duplicate_identifier": warning(
        _CP, "The identifier {name} is used twice; the second became {other}."
    ),
    "item.no_title": warning(_CP, "The item {name} has no title."),
    "item.resource_missing": error(
        _CP, "The item {name} refers to the resource {resource}, which does not exist.", ASK
    ),
    "item.manifest_in_itself": error(
        _CP, "The item {name} refers to the manifest {resource}, which it is a part of itself.", ASK
    ),
    "item.cluster_resource": warning(
        "SCORM 2004 CAM 3.4",
        "Items have both a page and sub-items, such as {name}; the page became the first sub-item (number: {count}).",
    ),
    "item.page_of_block": note(
        "SCORM 1.2 CAM 2.3",
        "Items have both a page and sub-items, such as {name}; the page became the first sub-item (number: {count}).",
    ),
    "item.heading": note(_CP, "The item {name} leads nowhere; it is shown as a heading."),
    "item.score_as_share": warning(
        "SCORM 1.2 CAM 2.3.2.5.1",
        "The item {name} asks for {value} of 100 points to be passed; perhaps a share of 1 was meant, as SCORM 2004 "
        "has it.",
        "Try the course; if everybody passes, ask the author for the score in points, such as 80.",
    ),
    "item.prerequisites": note(
        "SCORM 1.2 CAM 2.3.2.5.1",
        "Lessons name others that should come before them, such as {name}; nobody is kept from them here (number: "
        "{count}).",
        "Tell officers in which order to work, or ask the author to export the course as SCORM 2004.",
    ),
    "item.bad_value": warning(
        _CP,
        "The item {name} gives “{value}” for {field}, which the standard does not allow; it was left out.",
    ),
    "resource.no_href": error(_CP, "The resource {name} is to be launched but names no file.", ASK),
    "resource.no_type": warning(
        _CP, "The resource {name} does not say whether it is a SCO or an asset; it was taken for a SCO."
    ),
    "resource.bad_type": warning(
        _CP, "The resource {name} is of the type “{value}”, neither sco nor asset; it was taken for a SCO."
    ),
    "resource.dependency_missing": warning(
        _CP,
        "Resources depend on others that are not in the manifest, such as {name} on {reference} (number: {count}).",
    ),
    "resource.duplicate": warning(_CP, "The resource {name} is declared twice; the first was taken."),
    "launch.missing": error(_CP, "The launch file {name} is not in the package.", ASK),
    "launch.no_file": error(
        _CP, "The launch address {name} names no file: it holds only parameters, or it is a folder.", ASK
    ),
    "launch.unescaped": warning(
        "RFC 3986 §3",
        "The launch address {name} was taken as the name of a file, with all its signs; of those, “#”, “?” and “%” "
        "should be written as %23, %3F and %25.",
    ),
    "launch.external": error(
        OFFLINE,
        "The launch address {name} is on another host; such a course could not be opened offline.",
        "Ask the author for a package that holds its own content.",
    ),
    "launch.outside": error(
        _CP,
        "The launch address {name} leads out of the package, to a folder above it.",
        "Ask the author for a package that holds its own content.",
    ),
    "launch.scheme": error(
        _CP,
        "The launch address {name} is not the name of a file, but something a browser or another program would carry "
        "out.",
        ASK,
    ),
    "launch.disk": error(
        _CP,
        "The launch address {name} leads to a disk of the computer on which the course was made.",
        "Ask the author for a package that holds its own content.",
    ),
    "launch.empty": error(
        "HTML, Loading web pages",
        "The lesson “{title}” begins with {name}, and nothing is in that file.",
        ASK,
    ),
    "launch.not_shown": error(
        "HTML, Loading web pages",
        "The lesson “{title}” begins with {name}, which no browser shows: it would only be downloaded.",
        "Ask the author to export the course as web pages.",
    ),
    "launch.too_long": error(
        "RFC 9110 §4.1",
        "The address of {name}, with its parameters, has {length} characters; more than {limit} cannot be relied on to "
        "reach a server.",
        "Ask the author to put into a file what the parameters say.",
    ),
    "file.missing": warning(
        _CP, "Files that the manifest lists are not in the package, such as {name} (number: {count})."
    ),
    "file.name_encoded": note(
        "RFC 3986 §2.1", "The manifest writes {name} for the file {other}, with its signs encoded."
    ),
    "launch.parameters": note(
        "SCORM 2004 CAM 3.4.1.5",
        "The address {name} holds more than the name of a file; the page is opened with all of it.",
    ),
    "file.name_differs": warning(_CP, "The manifest writes {name} for the file {other}."),
    "file.name_composed": note(
        "Unicode UAX #15",
        "The manifest and the zip write the accents of {other} in two ways that look the same; it was found.",
    ),
    "file.name_written": note(
        _CP, "The manifest writes {name}, with a slash in front or backslashes, for the file {other}."
    ),
    "sequencing.bad_value": warning(
        "SCORM 2004 SN 3",
        "{name} has “{value}” for {field}, which is not a value of the standard; it was left out.",
    ),
    "sequencing.limit_ignored": note(
        "SCORM 2004 SN 3.5",
        "{name} sets {field}, a limit that SCORM leaves out of its sequencing; it has no effect here.",
        "If officers must keep to that time, tell them.",
    ),
    "sequencing.rule_left_out": warning(
        "SCORM 2004 CAM 5.1.2, 5.1.5",
        "A rule ({name}) lacks its action or one of its conditions, or has one that the standard does not know; the "
        "whole rule was left out.",
    ),
    "sequencing.unknown_element": warning(
        "SCORM 2004 CAM 5.1", "The sequencing of {name} has {element}, which the standard does not know."
    ),
    "sequencing.objective_missing": warning(
        "SCORM 2004 CAM 5.1.2",
        "A rule of {name} asks for its objective {reference}, which it does not have; the rule may never act.",
    ),
    "sequencing.objective_twice": warning(
        "SCORM 2004 CAM 5.1.6", "{name} has the objective {reference} twice; its results may be mixed up."
    ),
    "sequencing.map_without_target": warning(
        "SCORM 2004 CAM 5.1.6, 3.4.1.15",
        "{name} has a map without a target, by which nothing could be shared; it was left out.",
    ),
    "sequencing.no_attempts": error(
        "SCORM 2004 SN 3.5",
        "{name} or its lessons allow no attempt at all (attemptLimit 0), so none can ever be opened.",
        "Ask the author to allow one attempt at least, or to leave the limit out.",
    ),
    "sequencing.no_way_in": error(
        "SCORM 2004 SN 3.2.1, 3.2.3",
        "{name} allows neither to choose a lesson nor to be led to the first one, so none can ever be opened.",
        "Ask the author to allow choice or flow in the sequencing of the course.",
    ),
    "sequencing.closed_at_first": warning(
        "SCORM 2004 SN 3.3",
        "The rules of {name} let nobody in who has done no other course before.",
        "Ask the author which course must come first, and give it to officers as well.",
    ),
    "sequencing.dangling": warning(
        "SCORM 2004 CAM 5.1.1", "{name} refers to the sequencing {reference}, which does not exist."
    ),
}

"""Single files that become a course: PDF, film, recording, book."""

from __future__ import annotations

from content_packages.rules.rule import ASK, BROWSERS, OURS, RAISE_BYTES, Rule, error, note, warning

_WHAT = (
    "Import a package (zip: SCORM, cmi5, xAPI, web pages), a course structure (cmi5.xml), a PDF, a film (MP4, WebM), "
    "a recording (MP3) or a book (EPUB); save other documents as PDF first."
)
_PDF = "ISO 32000-1"
_MP3 = "ISO/IEC 11172-3 §2.4.1"
_MP4 = "ISO/IEC 14496-12"
_EPUB = "EPUB 3.3"
_WCAG = "WCAG 2.2 §1.2.2"

FILES: dict[str, Rule] = {
    "file.unknown": error(OURS, "The file is of no kind that can be imported.", _WHAT),
    "file.web_page": error(
        OURS,
        "The file is a single web page; perhaps a sign-in page or an error was saved in place of a course.",
        "If it is the course, put the page as index.html, with its pictures and scripts, into a zip, and import that. "
        "Otherwise download the course once more.",
    ),
    "file.other_xml": error(
        OURS,
        "The file is XML, and of no course: its root element is {name}. Perhaps an error was saved in its "
        "place.",
        "Import the zip that the authoring tool made, or download it once more.",
    ),
    "file.empty": error(OURS, "The file is empty.", "Copy, download or export it again."),
    "file.other_archive": error(
        OURS,
        "The file is an archive of the kind {kind}, not a zip.",
        "Unpack it; if a zip is in it, import that, and otherwise make a zip of what is in it.",
    ),
    "file.manifest_alone": error(
        OURS,
        "This is only the manifest of a package (its root element is {name}), without the files of the course.",
        "Import the whole zip that the authoring tool made.",
    ),
    "file.too_large": error(
        OURS,
        "The file has {size:bytes}; the limit is {limit:bytes}.",
        f"Make the file smaller, for instance by compressing the film. {RAISE_BYTES}",
    ),
    "shelf.no_room": error(
        OURS,
        "The course needs {size:bytes} on the disk and {free:bytes} are free, of which {limit:bytes} are left to what"
        " learners do.",
        "Free space on the disk, or ask an administrator to lower {setting:variable} ({setting} in lms.toml; by "
        "default {default:bytes}).",
    ),
    "file.not_what_it_says": error(
        OURS, "The bytes of {name} are not what its name says.", "Copy or download the file again."
    ),
    "file.several": error(
        OURS,
        "The zip holds several files that each could be a course, such as {name} and {other} (number: {count}).",
        "Import each by itself, a film with its captions; or put them on a page index.html in the zip.",
    ),
    "file.office": error(
        OURS,
        "This is a document of an office program, which browsers do not show.",
        "Save it as PDF and import that.",
    ),
    "file.epub_in_zip": error(
        OURS, "The zip holds the book {name}.", "Import the EPUB file itself, not a zip of it."
    ),
    "pdf.locked": error(
        f"{_PDF} §7.6",
        "The PDF is locked with a password or a certificate; officers could not open it.",
        "Open it, save it without the lock (for instance by printing it into a PDF file), and import that.",
    ),
    "pdf.encrypted": warning(
        f"{_PDF} §7.6",
        "The PDF is encrypted, and it could not be found out whether it asks for a password; if it does, officers "
        "cannot open it.",
        "Open it in a browser before you publish it; if it asks, save it without the password and import that.",
    ),
    "pdf.no_end": warning(
        f"{_PDF} §7.5.5",
        "The PDF does not end as a PDF does; it may be cut short.",
        "Look at its last pages before you publish it; if they are missing, copy or download the file again.",
    ),
    "pdf.cut_short": error(
        f"{_PDF} §7.5.5",
        "The PDF is cut short: the part is missing without which none of its pages can be shown.",
        "Copy or download the file again.",
    ),
    "recording.cut_short": error(
        _MP3,
        "The recording holds no sound: it is cut short, or only its title came.",
        "Copy, download or export the recording again.",
    ),
    "film.cut_short": error(
        f"{_MP4} §8.2",
        "The film is cut short or was never finished: its index is missing or points behind its end.",
        "Copy, download or export the film again.",
    ),
    "film.codec": warning(
        f"{_MP4} §8.5.2",
        "Films are recorded as {codec}, which many browsers do not play, such as {name} (number: {count}).",
        "Convert it to MP4 with H.264 and AAC, and try it before you publish it.",
    ),
    "media.too_short": error(
        OURS,
        "{name} is cut short: more than a tenth of it is missing, so no officer could complete it.",
        "Copy, download or export the file again.",
    ),
    "media.cut_short": warning(
        f"{_MP4} §4.2; RFC 8794 §6; {_MP3}",
        "Films or recordings break off before their end, such as {name} (number: {count}).",
        "Play them to the end before you publish the course; if something is missing, ask for the files again.",
    ),
    "media.unplayable": warning(
        f"{_MP4} §4.2, §8.2; RFC 8794 §11; {_MP3}",
        "Files are called films or recordings and hold none that could be played, such as {name} (number: {count}).",
        "Try the course before you publish it; if something stays black or silent, ask the author to export it again.",
    ),
    "media.old_format": warning(
        BROWSERS,
        "Films or recordings are of a kind that no browser plays, such as {name} (number: {count}).",
        "Try the course before you publish it; if they are shown in it, ask the author for MP4 and MP3.",
    ),
    "captions.none": note(
        _WCAG,
        "The film has no captions.",
        "For those who cannot hear it, put film.mp4 and film.en.vtt (or .srt) into one zip and import that.",
    ),
    "captions.unreadable": warning(
        "WebVTT §4.1; SubRip",
        "{name} holds no captions that can be shown.",
        "Make the captions again as WebVTT (.vtt) or SubRip (.srt), and import film and captions in one zip.",
    ),
    "captions.language": note(
        "HTML, The track element",
        "The name of the captions {name} does not say their language.",
        "Name them like film.en.vtt or film.ar.srt.",
    ),
    "epub.container": error(
        f"{_EPUB} §4.2.6.3.1", "META-INF/container.xml names no book that is in the file.", ASK
    ),
    "epub.no_container": error(
        f"{_EPUB} §4.2.6.3.1",
        "The file seems to be a book (EPUB), as it holds {name}; but META-INF/container.xml, by which a book is "
        "opened, is missing.",
        ASK,
    ),
    "epub.encrypted": error(
        f"{_EPUB} §4.2.6.3.2",
        "The book is locked to the reader of whoever bought it.",
        "Ask the publisher for a copy without protection.",
    ),
    "epub.mimetype": note(
        f"{_EPUB} §4.2.3", "The book does not say first that it is one; it was known by its other files."
    ),
    "epub.fonts": warning(
        f"{_EPUB} §4.2.6.3.2, §4.4",
        "Fonts of the book are scrambled and cannot be used; its text is shown in fonts of the computer (number: "
        "{count}).",
        "Look whether all letters are shown, above all in scripts that few computers have fonts for.",
    ),
    "epub.empty": error(f"{_EPUB} §5.7", "The book says nothing about the order of its parts.", ASK),
    "epub.nothing_here": error(
        f"{_EPUB} §5.7",
        "None of the parts that the book is to be read by is in the file.",
        "Ask for a copy that holds the whole book.",
    ),
    "epub.part_missing": warning(
        f"{_EPUB} §5.7", "Parts of the book are not in the file, such as {name} (number: {count})."
    ),
    "epub.scripts": warning(
        f"{_EPUB} §6.1",
        "The book holds scripts, which are not run; its interactive parts stand still (number: {count}).",
    ),
    "epub.no_contents": note(
        f"{_EPUB} §7", "The table of contents could not be read; the parts are only numbered."
    ),
}

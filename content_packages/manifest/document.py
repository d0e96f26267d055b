"""Turn the bytes of a manifest into a small tree, without trusting them.

No DTD, no entities, no network, limits on bytes, depth and nodes, all before anything is built that could
grow. Wrong encodings and undeclared prefixes are put right, each with a warning. Elements are named by
the *family* of their namespace, so that a reader asks for ``("adlseq", "objectives")`` whatever the
spelling of the address.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

from lxml import etree

from content_packages.errors import PackageRefusedError
from content_packages.findings import Finding, finding
from content_packages.limits import Limits

XML = "http://www.w3.org/XML/1998/namespace"

FAMILIES: dict[str, str] = {
    "http://www.imsproject.org/xsd/imscp_rootv1p1p2": "cp",
    "http://www.imsproject.org/content": "cp",
    "http://www.imsglobal.org/xsd/imscp_v1p1": "cp",
    "http://www.imsglobal.org/xsd/imscp_rootv1p1": "cp",
    "http://www.adlnet.org/xsd/adlcp_rootv1p2": "adlcp",
    "http://www.adlnet.org/xsd/adlcp_v1p3": "adlcp",
    "http://www.adlnet.org/xsd/adlseq_v1p3": "adlseq",
    "http://www.adlnet.org/xsd/adlnav_v1p3": "adlnav",
    "http://www.imsglobal.org/xsd/imsss": "imsss",
    "http://www.imsglobal.org/xsd/imsss_v1p0": "imsss",
    "http://www.imsglobal.org/xsd/imsmd_rootv1p2p1": "lom",
    "http://www.imsglobal.org/xsd/imsmd_v1p2": "lom",
    "http://www.imsproject.org/xsd/imsmd_rootv1p2": "lom",
    "http://ltsc.ieee.org/xsd/LOM": "lom",
    "https://w3id.org/xapi/profiles/cmi5/v1/CourseStructure.xsd": "cmi5",
    "http://projecttincan.com/tincan.xsd": "tincan",
    XML: "xml",
    "http://www.w3.org/2001/XMLSchema-instance": "xsi",
}
_ADLCP_12 = "http://www.adlnet.org/xsd/adlcp_rootv1p2"
_BY_PREFIX = {
    "adlcp": "http://www.adlnet.org/xsd/adlcp_v1p3",
    "adlseq": "http://www.adlnet.org/xsd/adlseq_v1p3",
    "adlnav": "http://www.adlnet.org/xsd/adlnav_v1p3",
    "imsss": "http://www.imsglobal.org/xsd/imsss",
    "imscp": "http://www.imsglobal.org/xsd/imscp_v1p1",
    "imsmd": "http://www.imsglobal.org/xsd/imsmd_v1p2",
    "lom": "http://ltsc.ieee.org/xsd/LOM",
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
}
#: What stands before a prefix as the namespace of what nobody declared.
UNDECLARED = "urn:undeclared:"
_OF_CP = frozenset(
    {
        "manifest",
        "metadata",
        "schema",
        "schemaversion",
        "organizations",
        "organization",
        "item",
        "title",
        "resources",
        "resource",
        "file",
        "dependency",
    }
)
#: Encodings in which harmless bytes can spell a "<", or that only Python has; no authoring tool writes them.
TRICK_ENCODINGS = frozenset(
    {"utf-7", "unicode-escape", "raw-unicode-escape", "punycode", "idna", "undefined", "hz"}
)
_MARKS = (  # the mark of UTF-32 begins like that of UTF-16
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_MOST_PREFIXES = 256  # in scope at once: each costs something at every element below
_LONGEST_DECLARATION = 200
_GUESSED = "windows-1252"  # what most tools of Windows write, where nothing says better
# The parser looks for each value from the first attribute on: 40,000 of them in one element take 12 s.
_MOST_ATTRIBUTES = 1000
_DECLARED = re.compile(r"""^\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_SCHEMA_VERSION = re.compile(r"<(?:\w+:)?schemaversion>([^<]*)<")
_SIGNS_OF_2004 = re.compile(r"/imscp_v1p1\b|/imsss\b|_v1p3\b|\bscormType\s*=")
_EMPTY_NAMESPACE = "Empty XML namespace"  # the parser has one number for this and for reserved prefixes
_WEB_PAGE = re.compile(r"<!DOCTYPE\s+html\b", re.IGNORECASE)
_QUOTED = re.compile(r"'(.*)'", re.DOTALL)
_WRONG = etree.ErrorTypes
#: What the parser stumbled over, as a code of our own; what is not here is told in the parser's words.
_MISTAKES: dict[int, str] = {
    _WRONG.ERR_DOCUMENT_EMPTY: "xml.no_element",
    _WRONG.ERR_TAG_NOT_FINISHED: "xml.unclosed",
    _WRONG.ERR_GT_REQUIRED: "xml.unclosed",
    _WRONG.ERR_TAG_NAME_MISMATCH: "xml.wrong_end",
    _WRONG.ERR_DOCUMENT_END: "xml.after_root",
    _WRONG.ERR_ATTRIBUTE_REDEFINED: "xml.attribute_twice",
    _WRONG.NS_ERR_ATTRIBUTE_REDEFINED: "xml.attribute_twice",
    _WRONG.ERR_ATTRIBUTE_NOT_STARTED: "xml.attribute",
    _WRONG.ERR_ATTRIBUTE_NOT_FINISHED: "xml.attribute",
    _WRONG.ERR_ATTRIBUTE_WITHOUT_VALUE: "xml.attribute",
    _WRONG.ERR_LT_IN_ATTRIBUTE: "xml.attribute",
    _WRONG.ERR_SPACE_REQUIRED: "xml.attribute",
    _WRONG.ERR_NAME_REQUIRED: "xml.bare_sign",
    _WRONG.ERR_ENTITYREF_SEMICOL_MISSING: "xml.bare_sign",
    _WRONG.ERR_UNDECLARED_ENTITY: "xml.unknown_entity",
    _WRONG.ERR_INVALID_CHAR: "xml.forbidden_character",
    _WRONG.ERR_INVALID_CHARREF: "xml.forbidden_character",
    _WRONG.ERR_INVALID_HEX_CHARREF: "xml.forbidden_character",
    _WRONG.ERR_INVALID_DEC_CHARREF: "xml.forbidden_character",
    _WRONG.ERR_COMMENT_NOT_FINISHED: "xml.section",
    _WRONG.ERR_HYPHEN_IN_COMMENT: "xml.section",
    _WRONG.ERR_CDATA_NOT_FINISHED: "xml.section",
    _WRONG.ERR_MISPLACED_CDATA_END: "xml.section",
    _WRONG.ERR_PI_NOT_FINISHED: "xml.section",
    _WRONG.ERR_RESERVED_XML_NAME: "xml.section",
    _WRONG.NS_ERR_XML_NAMESPACE: "xml.reserved_prefix",
    _WRONG.NS_ERR_QNAME: "xml.colon",
    _WRONG.NS_ERR_COLON: "xml.colon",
}
#: What a course runs with all the same: a tree comes of it, and something is told.
_BORNE = frozenset({_WRONG.NS_ERR_UNDEFINED_NAMESPACE, _WRONG.WAR_NS_URI})
_ROOT_TAG = re.compile(r"<[^\s<>/!?]+")


@dataclass(kw_only=True, slots=True)
class Node:
    """One element: names as (family, local name).

    Args:
        text: all text directly in it; ``before`` what of that stands before its first child, ``after`` what follows
            the element itself: where children stand in the middle of sentences, these give their order.
        attributes: those without a prefix have the family ''; those of an unknown namespace its address.
        namespace: the address as it was written.
        element: what it was made from.
    """

    family: str
    name: str
    attributes: dict[tuple[str, str], str]
    text: str
    line: int
    children: list[Node] = field(default_factory=list)
    before: str = ""
    after: str = ""
    namespace: str = ""
    element: etree._Element | None = field(default=None, repr=False, compare=False)

    def xml(self) -> str:
        """Return it with all beneath it as XML that stands by itself (Exclusive XML Canonicalization)."""
        if self.element is None:
            return ""
        return etree.tostring(self.element, method="c14n", exclusive=True, with_comments=False).decode()

    def all(self, name: str, family: str = "cp") -> Iterator[Node]:
        """Return the children of this name, in document order."""
        return (child for child in self.children if child.name == name and child.family == family)

    def first(self, name: str, family: str = "cp") -> Node | None:
        """Return the first child of this name."""
        return next(self.all(name, family), None)

    def value(self, name: str, family: str = "cp") -> str | None:
        """Return the text of the first child of this name, white space collapsed; ``None`` without one."""
        child = self.first(name, family)
        return None if child is None else collapse(child.text)

    def get(self, name: str, family: str = "") -> str | None:
        """Return an attribute.

        Tools write ``adlcp:scormtype``, ``adlcp:scormType`` and plain ``scormtype``: the family and the
        case of the first letters are not insisted on where only one attribute can be meant.
        """
        exact = self.attributes.get((family, name))
        if exact is not None:
            return exact
        loose = name.casefold()
        families = {family, ""} if family else {""}
        return next(
            (v for (f, n), v in self.attributes.items() if f in families and n.casefold() == loose),
            None,
        )

    def walk(self) -> Iterator[Node]:
        """Return this element and all beneath it, in document order."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(reversed(node.children))


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """A manifest that was read.

    Args:
        namespaces: every namespace address in use.
        comments: what stands in comments before the root, where tools leave their name.
    """

    file: str
    root: Node
    namespaces: frozenset[str]
    comments: str = ""


def collapse(text: str) -> str:
    """Return text with runs of white space as one space and none at the ends (XML Schema ``collapse``)."""
    return " ".join(text.split())


def parse(data: bytes, *, file: str, limits: Limits, findings: list[Finding], size: int = 0) -> Document:
    """Read an XML document; what was put right is added to ``findings``.

    *size* is that of the whole file, where no more of it was read than shows that it is too large.

    Raises:
        PackageRefusedError: too large, too deep, with a DTD, or not XML.
    """
    if len(data) > limits.max_xml_bytes:
        raise _refused("xml.too_large", file=file, size=max(len(data), size), **limits.facts("max_xml_bytes"))
    text = _decode(data, file=file, findings=findings)
    # Cheap upper bounds, so that a tree too large is never begun.
    if text.count("<") > 3 * limits.max_xml_nodes or text.count("=") > 3 * limits.max_xml_nodes:
        raise _refused("xml.too_many_nodes", file=file, **limits.facts("max_xml_nodes"))
    text = _DECLARATION.sub(lambda found: "\n" * found.group().count("\n"), text, count=1)
    if not text.strip():
        raise _refused("xml.empty", file=file, line=1)
    if text[:1].isspace() and text.lstrip().startswith("<?xml"):
        findings.append(finding("xml.space_before", file=file, line=1, name=file))
    _refuse_dtd(text, file=file)
    element = _parse_text(text, file=file, limits=limits, findings=findings)
    return _simplify(element, file=file, limits=limits, findings=findings)


def _decode(data: bytes, *, file: str, findings: list[Finding]) -> str:
    """Return the document as text, by its byte-order mark, its declaration, or what its bytes can only be."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            findings.append(finding("xml.byte_order_mark", file=file, name=file, used=encoding))
            text = _decode_certain(data[len(mark) :], encoding, file=file, findings=findings)
            declared = _declared(text)
            if declared is not None and not encoding.startswith(declared):
                findings.append(finding("xml.encoding", file=file, line=1, declared=declared, used=encoding))
            return text
    if data[:2] in {b"<\0", b"\0<"}:
        encoding = "utf-16-le" if data[0] else "utf-16-be"
        text = _decode_certain(data, encoding, file=file, findings=findings)
        used = f"{encoding} without a byte-order mark"
        findings.append(
            finding("xml.encoding", file=file, line=1, declared=_declared(text) or "utf-8", used=used)
        )
        return text
    declared = _declared(data[:_LONGEST_DECLARATION].decode("latin-1")) or "utf-8"
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text, used = _decode_as(data, declared, file=file, findings=findings)
    else:
        used = declared if _reads_alike(data, declared, text) else "utf-8"
    if used == _GUESSED != declared:
        findings.append(finding("xml.encoding_guessed", file=file, line=1, declared=declared, used=used))
    elif used != declared:
        findings.append(finding("xml.encoding", file=file, line=1, declared=declared, used=used))
    return text


def _declared(text: str) -> str | None:
    match = _DECLARED.match(text)
    return match.group(1).lower() if match else None


def _decode_certain(data: bytes, encoding: str, *, file: str, findings: list[Finding]) -> str:
    """Decode by an encoding that is certain; what does not fit becomes U+FFFD, with a warning."""
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        text = data.decode(encoding, "replace")
        findings.append(finding("xml.damaged_characters", file=file, name=file, count=text.count("\ufffd")))
        return text


def _reads_alike(data: bytes, declared: str, text: str) -> bool:
    """Say whether bytes that are UTF-8 would be the same text by the encoding they declare."""
    try:
        return codecs.lookup(declared).name not in TRICK_ENCODINGS and data.decode(declared) == text
    except (LookupError, UnicodeError):
        return False


def _decode_as(data: bytes, declared: str, *, file: str, findings: list[Finding]) -> tuple[str, str]:
    """Decode bytes that are not UTF-8: as declared if that works, or as most Windows tools write."""
    try:
        if codecs.lookup(declared).name not in TRICK_ENCODINGS:
            return data.decode(declared), declared
    except (LookupError, UnicodeError):
        pass
    return _decode_certain(data, "cp1252", file=file, findings=findings), _GUESSED


def _refuse_dtd(text: str, *, file: str) -> None:
    """Look for a document type before the root element; comments and instructions may come first."""
    at = 0
    while (at := text.find("<", at)) >= 0:
        if text.startswith("<!--", at):
            at = text.find("-->", at) + 3
        elif text.startswith("<?", at):
            at = text.find("?>", at) + 2
        else:
            break
        if at < 3:  # not closed: the parser will say so
            return
    if _WEB_PAGE.match(text, at):
        raise _refused("xml.web_page", file=file, line=text.count("\n", 0, at) + 1)
    if text.startswith("<!", at):
        raise _refused("xml.dtd", file=file, line=text.count("\n", 0, at) + 1)


def _parse_text(text: str, *, file: str, limits: Limits, findings: list[Finding]) -> etree._Element:
    """Parse; prefixes that nobody declared get a declaration, once, and addresses of namespaces may be any text."""
    parser = _parser()
    try:
        return _parse_with(parser, text)
    except etree.XMLSyntaxError as error:
        # The parser's own log: that of the error holds what earlier documents did wrong as well.
        mistakes = list(parser.error_log.filter_from_errors())
        if any(mistake.type not in _BORNE for mistake in mistakes) or not mistakes:
            raise _not_xml(mistakes, error, file=file, limits=limits) from error
    root = _ROOT_TAG.search(text, _end_of_prolog(text))
    missing = _undeclared(_parse_with(_parser(recover=True), text))
    for prefix, line in sorted(missing.items()):
        findings.append(finding("xml.undeclared_prefix", file=file, line=line, prefix=prefix))
    for mistake in mistakes:
        if mistake.type == _WRONG.WAR_NS_URI:
            address = _quoted(mistake.message)
            findings.append(
                finding("xml.namespace_address", file=file, line=mistake.line, name=file, value=address)
            )
    declared = "".join(f' xmlns:{prefix}="{_address(prefix, text)}"' for prefix in sorted(missing))
    at = root.end() if root else 0
    return _parse_with(_parser(recover=True), text[:at] + declared + text[at:])


def _undeclared(root: etree._Element) -> dict[str, int]:
    """Return the prefixes without a declaration, each with its first line: the parser leaves them in the names."""
    lines: dict[str, int] = {}
    for element in root.iter(etree.Element):
        for name in (str(element.tag), *map(str, element.attrib)):
            prefix, colon, _ = name.partition(":")
            if colon and not name.startswith("{"):
                lines.setdefault(prefix, _line(element))
    return lines


def _address(prefix: str, text: str) -> str:
    """Return what an undeclared prefix stands for; ``adlcp`` has a meaning in either standard."""
    if prefix == "adlcp" and not _is_2004(text):
        return _ADLCP_12
    return _BY_PREFIX.get(prefix, f"{UNDECLARED}{prefix}")


def _is_2004(text: str) -> bool:
    """Tell by the schema version or, without one, by namespaces and spellings only SCORM 2004 has."""
    version = _SCHEMA_VERSION.search(text)
    return version.group(1).strip() != "1.2" if version else _SIGNS_OF_2004.search(text) is not None


def _parser(*, recover: bool = False) -> etree.XMLParser:
    return etree.XMLParser(
        encoding="utf-8",
        recover=recover,
        resolve_entities=False,
        no_network=True,
        huge_tree=False,
        load_dtd=False,
        remove_pis=True,
    )


def _parse_with(parser: etree.XMLParser, text: str) -> etree._Element:
    # Leading white space stays, so that the parser counts lines as the author's editor does.
    return etree.fromstring(text.encode("utf-8", "replace"), parser)


def _end_of_prolog(text: str) -> int:
    """Return where comments before the root end, so that a tag inside one is not taken for the root."""
    at = 0
    while (opened := text.find("<", at)) >= 0 and text.startswith("<!--", opened):
        closed = text.find("-->", opened)
        if closed < 0:
            return at
        at = closed + 3
    return at


def _not_xml(
    mistakes: Sequence[etree._LogEntry], error: etree.XMLSyntaxError, *, file: str, limits: Limits
) -> PackageRefusedError:
    """Return a refusal by the first mistake that cannot be borne; the parser may have logged none."""
    mistake = next((one for one in mistakes if one.type not in _BORNE), None)
    reason, line = (mistake.message, mistake.line) if mistake else (error.msg or "", error.lineno or 1)
    if reason.startswith("Excessive depth"):  # the parser has a limit of its own, and meets it first
        return _refused("xml.too_deep", file=file, line=line, **limits.facts("max_xml_depth"))
    code = _MISTAKES.get(mistake.type, "xml.not_well_formed") if mistake else "xml.not_well_formed"
    if _EMPTY_NAMESPACE in reason:
        code = "xml.empty_namespace"
    return _refused(code, file=file, line=line, reason=reason, value=_quoted(reason))


def _quoted(message: str) -> str:
    """Return what of the document the parser names in a message."""
    found = _QUOTED.search(message)
    return found[1] if found else ""


def _simplify(root: etree._Element, *, file: str, limits: Limits, findings: list[Finding]) -> Document:
    """Copy the tree into nodes, counting depth and nodes."""
    namespaces: set[str] = set()
    unnamed = 0
    count = 0
    top: Node | None = None
    waiting: list[tuple[etree._Element, Node | None, int]] = [(root, None, 1)]
    while waiting:
        element, parent, depth = waiting.pop()
        attributes = len(element.attrib)
        count += 1 + attributes
        if attributes > _MOST_ATTRIBUTES:
            raise _refused("xml.too_many_attributes", file=file, line=_line(element), limit=_MOST_ATTRIBUTES)
        if depth > limits.max_xml_depth:
            raise _refused("xml.too_deep", file=file, line=_line(element), **limits.facts("max_xml_depth"))
        if count > limits.max_xml_nodes:
            raise _refused("xml.too_many_nodes", file=file, **limits.facts("max_xml_nodes"))
        if len(element.nsmap) > _MOST_PREFIXES:
            raise _refused("xml.too_many_prefixes", file=file, line=_line(element), limit=_MOST_PREFIXES)
        namespace, name = _split(str(element.tag))
        namespaces.add(namespace)
        family = _family(namespace, name, element.prefix, parent)
        unnamed += family == "cp" and namespace not in FAMILIES
        node = Node(
            family=family,
            name=name,
            attributes=_attributes(element, namespaces),
            text=(element.text or "") + "".join(child.tail or "" for child in element),
            line=_line(element),
            before=element.text or "",
            after=element.tail or "",
            namespace=namespace,
            element=element,
        )
        if parent is None:
            top = node
        else:
            parent.children.append(node)
        waiting.extend((child, node, depth + 1) for child in reversed(element) if not _is_comment(child))
    if top is None:
        raise _refused("xml.empty", file=file, line=1)
    if unnamed and top.family == "cp":
        findings.append(finding("xml.missing_namespace", file=file, line=top.line, name=top.name))
    comments = " ".join(c.text or "" for c in root.itersiblings(etree.Comment, preceding=True))
    return Document(file=file, root=top, namespaces=frozenset(namespaces), comments=comments)


def _family(namespace: str, name: str, prefix: str | None, parent: Node | None) -> str:
    """Name the family; an unknown address falls back on prefix, then on what the name can only mean."""
    known = FAMILIES.get(namespace)
    if known is not None:
        return known
    if prefix in _BY_PREFIX:
        return FAMILIES[_BY_PREFIX[prefix]]
    if (not namespace or parent is None or parent.family == "cp") and name in _OF_CP:
        return "cp"
    if not namespace and parent is not None:
        if name in {"sequencing", "sequencingCollection"}:
            return "imsss"
        return parent.family if parent.family in {"imsss", "lom"} else "other"
    return "other"


def _attributes(element: etree._Element, namespaces: set[str]) -> dict[tuple[str, str], str]:
    found: dict[tuple[str, str], str] = {}
    for key, value in element.attrib.items():
        namespace, name = _split(str(key))
        if namespace:
            namespaces.add(namespace)
        family = FAMILIES.get(namespace, namespace)
        if family and family == namespace:
            prefixes = {address: prefix for prefix, address in element.nsmap.items()}
            prefix = prefixes.get(namespace)
            family = FAMILIES[_BY_PREFIX[prefix]] if prefix in _BY_PREFIX else namespace
        found[family, name] = str(value)
    return found


def _line(element: etree._Element) -> int:
    return cast("int | None", element.sourceline) or 1


def _is_comment(element: etree._Element) -> bool:
    return isinstance(element, etree._Comment)  # noqa: SLF001 - lxml gives the class no other name


def _split(name: str) -> tuple[str, str]:
    namespace, _, local = name.rpartition("}")
    return namespace.removeprefix("{"), local


def _refused(code: str, *, file: str, line: int | None = None, **facts: str | int) -> PackageRefusedError:
    return PackageRefusedError([finding(code, file=file, line=line, **({"name": file} | facts))])

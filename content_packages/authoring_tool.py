"""Which tool made a package, told by the name it left in manifest or first page, or by the names of its files.

One row a tool; what stands first decides. It is said in the report only, and nothing depends on it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from itertools import islice

_MOST_LOOKED_INTO = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Tool:
    """A tool and its signs.

    Args:
        written: found in the manifest or the first page; a group is the version or the name of the product.
        file: found in the path of a file, one on a line.
        within: found at the beginning of such a file too, where others give theirs the same name.
    """

    name: str
    written: re.Pattern[str] | None
    file: re.Pattern[str] | None
    within: re.Pattern[str] | None


def _tool(name: str, *, written: str = "", file: str = "", within: str = "") -> Tool:
    return Tool(
        name=name,
        written=re.compile(written, re.IGNORECASE) if written else None,
        file=re.compile(file, re.MULTILINE) if file else None,
        within=re.compile(within) if within else None,
    )


TOOLS: tuple[Tool, ...] = (
    _tool("Articulate Rise", file=r"(^|/)lib/(rise/|lzwcompress\.js$|player-\d[\d.]*\.min\.js$)"),
    _tool(
        "Articulate Storyline",
        written=r"created using Storyline ?(\d+)?",
        file=r"(^|/)(story_content/|html5/lib/scripts/bootstrapper\.min\.js$)",
    ),
    _tool("Articulate Quizmaker", file=r"(^|/)quiz_content/"),
    _tool("Articulate Engage", file=r"(^|/)engage_content/"),
    _tool(
        "Articulate Presenter",
        written=r"created using Articulate Presenter ?('?\d+)?",
        file=r"(^|/)(presentation_content/|data/player\.swf)",
    ),
    _tool("iSpring", written=r"\biSpring\b(?: (?:Suite|Pro|QuizMaker|Presenter))?(?: (\d+))?"),
    _tool(
        "Adobe Captivate",
        written=r"Adobe Captivate ?(\d+)?|\bCaptivate E-Learning Course\b|\bcp\.DoCPInit\b",
        file=r"(^|/)(assets/js/CPM\.js|CPXHRLoader\.js|captivate\.css|CPLibraryAll\.css|dist/runtime-main\.bundle\.js$)",
    ),
    _tool("Adobe Presenter", written=r"\bAdobe Presenter\b", file=r"(^|/)breeze-manifest\.xml$"),
    _tool("Lectora", written=r"\b(?:Lectora|Trivantis)\b", file=r"(^|/)trivantis[\w.-]*\.(js|css)"),
    _tool("Evolve", written=r"evolve_manifest|evolveauthoring|Intellum Evolve"),
    _tool("Elucidat", written=r"\belucidat\b", file=r"(^|/)elucidat[\w.-]*\.(js|css)"),
    _tool("Gomo", written=r"\bgomo ?learning\b", file=r"(^|/)gomo[\w.-]*\.(js|css)"),
    _tool("Easygenerator", written=r"\beasygenerator\b", file=r"(^|/)publishSettings\.js$"),
    _tool("dominKnow", written=r"\bdominknow\b|Claro authoring"),
    _tool("isEazy", written=r"\bis ?eazy\b"),
    _tool("Adapt", written=r"adapt_manifest|adapt framework", file=r"(^|/)adapt/js/adapt\.min\.js$"),
    _tool(
        "eXeLearning",
        written=r"\b(?:eXeLearning|eXe ?v?\d|created by eXe|exe_export)\b",
        file=r"(^|/)(contentv[23]\.xml|content\.data|exe_jquery\.js|common_i18n\.js|exe_export\.js)$",
    ),
    _tool("H5P", written=r"\bH5P\b", file=r"(^|/)(h5p\.json|h5p-core[\w.-]*\.js|h5p-standalone[\w.-]*/)"),
    _tool("Xerte", written=r"\bXerte\b", file=r"(^|/)(xenith\.js|rloObject\.htm|XMLEngine\.swf)$"),
    _tool("Camtasia", written=r"\b(?:Camtasia|TechSmith)\b", file=r"(^|/)techsmith[\w.-]*\.(js|css)"),
    _tool("ActivePresenter", written=r"\bActivePresenter ?(\d+)?"),
    _tool("CourseLab", written=r"\bCourseLab\b"),
    _tool("SoftChalk", written=r"\bSoftChalk\b"),
    _tool("Udutu", written=r"\bUdutu\b"),
    _tool("Scenari", written=r"\bscenari\b"),
    _tool("Genially", written=r"\bgenial(?:ly|\.ly)\b"),
    _tool("3DVista", written=r"\b3DVista\b", file=r"(^|/)tdvplayer[\w.-]*\.js"),
    _tool("Pano2VR", written=r"\bPano2VR\b", file=r"(^|/)pano2vr_player\.js"),
    _tool("Hot Potatoes", written=r"\bHot Potatoes\b"),
    _tool("Reload", written=r"\bReload (?:SCORM|Metadata|Content|Editor)|reload\.ac\.uk"),
    # Last: what others export has it inside.
    _tool(
        "Rustici SCORM Driver",
        file=r"(^|/)(scormdriver/indexAPI\.html|scormdriver\.js)$",
        within=r"\bRustici Software\b|\bstrLMSStandard\b",
    ),
)


def authoring_tool(
    texts: Iterable[str], paths: Collection[str], beginning_of: Callable[[str], str]
) -> str | None:
    """Return the name of the tool, with its version where it wrote one.

    Args:
        texts: the beginnings of the manifest and of the first page.
        paths: every path of the package.
        beginning_of: returns the beginning of a file, by such a path.

    >>> authoring_tool(["<!-- Created using Storyline 3 -->"], ["story.html"], lambda _: "")
    'Articulate Storyline 3'
    """
    written, every_path = "\n".join(texts), "\n".join(paths)
    for tool in TOOLS:
        said = tool.written and tool.written.search(written)
        if said:
            version = said.group(1) if said.re.groups else None
            return f"{tool.name} {version}" if version else tool.name
        if tool.file and tool.file.search(every_path) and _signed(tool, tool.file, paths, beginning_of):
            return tool.name
    return None


def _signed(
    tool: Tool, file: re.Pattern[str], paths: Collection[str], beginning_of: Callable[[str], str]
) -> bool:
    """Tell whether one of its files holds what it must, if anything."""
    if tool.within is None:
        return True
    named = islice((path for path in paths if file.search(path)), _MOST_LOOKED_INTO)
    return any(tool.within.search(beginning_of(path)) for path in named)

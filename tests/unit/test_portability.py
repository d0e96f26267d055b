"""Officers use Windows: what can be held from elsewhere is held here, on the source itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("lms", "sync", "content_packages", "xapi_store", "migrations", "tools")
SOURCES = [
    path
    for package in PACKAGES
    for path in (ROOT / package).rglob("*.py")
    if "node_modules" not in path.parts
]

ONLY_ON_POSIX = {
    "modules": {"fcntl", "pwd", "grp", "resource", "termios", "posix", "crypt", "syslog"},
    "os": {
        "fork", "forkpty", "geteuid", "getuid", "setuid", "chown", "mkfifo", "killpg", "setsid", "getpgid",
        "rename", "link", "symlink", "sched_getaffinity", "uname", "getloadavg",
    },
    "signal": {
        "SIGKILL", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGCHLD", "alarm", "pause", "setitimer",
    },
}  # fmt: skip
RESERVED_ON_WINDOWS = {
    "con",
    "prn",
    "aux",
    "nul",
    *(f"com{n}" for n in range(10)),
    *(f"lpt{n}" for n in range(10)),
}


def offences(tree: ast.AST) -> Iterator[str]:
    """Tell what in a module would not run on Windows, or not alike."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                for name in names:
                    if name.name.split(".")[0] in ONLY_ON_POSIX["modules"]:
                        yield f"line {node.lineno}: import {name.name}"
            case ast.ImportFrom(module=str(module)) if module.split(".")[0] in ONLY_ON_POSIX["modules"]:
                yield f"line {node.lineno}: from {module} import …"
            case ast.Attribute(value=ast.Name(id=("os" | "signal") as module), attr=name) if (
                name in ONLY_ON_POSIX[module]
            ):
                yield f"line {node.lineno}: {module}.{name}"
            case ast.Call(func=ast.Attribute(attr="rename"), args=[_]):
                yield f"line {node.lineno}: .rename() fails where the target exists; use .replace()"
            case ast.Call(func=ast.Attribute(attr=("read_text" | "write_text")), keywords=keywords) if (
                not any(keyword.arg == "encoding" for keyword in keywords)
            ):
                yield f"line {node.lineno}: text without an encoding"
            case ast.Constant(value=str(value)) if value.startswith(("/tmp", "/var/", "/etc/", "/dev/")):
                yield f"line {node.lineno}: {value!r}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_module_uses_nothing_that_windows_lacks(path: Path) -> None:
    found = list(offences(ast.parse(path.read_text(encoding="utf-8"))))

    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "import fcntl",
        "from pwd import getpwnam",
        "import os\nos.fork()",
        "import signal\nsignal.SIGKILL",
        "path.rename(other)",
        "path.read_text()",
        "open('/tmp/x')",
    ],
)
def test_the_check_itself_bites(source: str) -> None:
    assert list(offences(ast.parse(source)))


def test_file_names_are_legal_on_ntfs() -> None:
    tracked = [
        path
        for package in (*PACKAGES, "tests")
        for path in (ROOT / package).rglob("*")
        if not {"node_modules", "__pycache__"} & set(path.parts)
    ]

    illegal = [
        path
        for path in tracked
        if set(path.name) & set('<>:"|?*\\')
        or path.name.endswith((" ", "."))
        or path.name.split(".")[0].lower() in RESERVED_ON_WINDOWS
        or len(path.relative_to(ROOT).as_posix()) > 160
    ]

    assert illegal == []

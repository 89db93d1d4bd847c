"""A real headless Chromium, and JupyterLab on this machine alone, for tests."""

import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from inbol_lib.paths import ROOT

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
PATIENCE = 120  # seconds until something that should happen has not
LONG = 1200  # the same for a notebook; a busy machine with two cores may need half of it
WIDE, PHONE = {"width": 1440, "height": 1000}, {"width": 390, "height": 844}
#: Jupyter's own settings: all cells are in the page, not only those that one sees; no news
SETTINGS = {
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}
#: variables that would keep widgets away
LEFT_OUT = ("CI", "INBOL_QUIET", "JPY_SESSION_NAME")


@contextlib.contextmanager
def chromium():
    """Start Chromium; skips, and says what is missing, where it can not be started."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright is absent: make test-browser installs it"
    )
    if not CHROMIUM:
        pytest.skip("Chromium is absent: apt-get install chromium")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def opened(browser, size: dict[str, int] = WIDE, scheme: str = "light"):
    """Return an empty page of a window of its own, which is patient with a busy machine."""
    page = browser.new_context(viewport=size, color_scheme=scheme).new_page()
    page.set_default_timeout(1000 * PATIENCE)
    return page


@contextlib.contextmanager
def jupyter(folder: Path, **variables: str):
    """Run JupyterLab in a folder; yields a function from a file's name to its address.

    The address opens this file alone, whatever was open before.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(8)
    options = ["--no-browser", "--allow-root", "--ip", "127.0.0.1", "--port", str(port)]
    options += [f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={folder}"]
    command = [sys.executable, "-m", "jupyter", "lab", *options]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            command, env=_environment(folder) | variables, cwd=folder, stdout=log, stderr=log
        )
    try:
        _wait(f"http://127.0.0.1:{port}/api?token={token}")
        yield lambda name: f"http://127.0.0.1:{port}/lab/tree/{name}?reset&token={token}"
    finally:
        _stop(server)


def _stop(server: subprocess.Popen) -> None:
    """Stop the server; its kernels end with it.

    Jupyter may wait for a kernel, or a page that is still open, for ever.
    """
    server.terminate()
    try:
        server.wait(30)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _environment(folder: Path) -> dict[str, str]:
    """Return an environment in which Jupyter writes into the folder alone."""
    for name, values in SETTINGS.items():
        file = folder / "settings" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values))
    env = {name: value for name, value in os.environ.items() if name not in LEFT_OUT}
    own = {"CONFIG": "config", "DATA": "data", "RUNTIME": "run"}
    env |= {f"JUPYTER_{name}_DIR": str(folder / place) for name, place in own.items()}
    return env | {"JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"), "PYTHONPATH": str(ROOT)}


def _wait(address: str) -> None:
    for _ in range(2 * PATIENCE):
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=2):
            return
        time.sleep(0.5)
    raise TimeoutError(address)


def run_all(page, address: str) -> None:
    """Open a notebook in JupyterLab and run all of its cells; folded ones show no number.

    Raises
    ------
    playwright.sync_api.TimeoutError
        If a cell is still busy, or was never run, after `LONG` seconds.
    """
    page.goto(address)
    page.wait_for_selector("text=Python 3 (ipykernel) | Idle", timeout=1000 * LONG)
    page.get_by_text("Run", exact=True).first.click()
    page.get_by_text("Run All Cells", exact=True).click()
    page.wait_for_function(
        """() => {
          const prompts = [...document.querySelectorAll(".jp-CodeCell .jp-InputPrompt")];
          const texts = prompts.map((one) => one.textContent.trim()).filter(Boolean);
          return texts.length && texts.every((text) => /\\[\\d+\\]/.test(text));
        }""",
        timeout=1000 * LONG,
    )


def watched(page) -> list[str]:
    """Return a list that fills with what goes wrong in a page and what it asks the web for."""
    found: list[str] = []
    page.on("console", lambda told: told.type == "error" and found.append(told.text))
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("requestfailed", lambda asked: found.append(f"not loaded: {asked.url}"))
    local = ("file:", "data:", "blob:", "http://127.0.0.1:", "ws://127.0.0.1:")
    page.on("request", lambda asked: asked.url.startswith(local) or found.append(asked.url))
    return found

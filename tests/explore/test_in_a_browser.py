"""The views in JupyterLab, in a real headless Chromium."""

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import nbformat
import pytest

from inbol_lib.paths import ROOT

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
HOSTILE = '<img src=x onerror="window.hacked = 1">$x$</style><script>window.hacked = 1</script>'
CELLS = (
    "from inbol_lib import explore, params\np = params.load('smoke')",
    "explore.records(p, published=True)",
    "explore.costs(p, published=True)",
    "explore.thresholds(p, published=True)",
    f"explore.ask(p, question={HOSTILE!r}, answer={HOSTILE!r})",
)
VIEWS = len(CELLS) - 1
SECONDS = 120  # until all cells have run


@pytest.fixture
def page(tmp_path):
    """JupyterLab with a notebook of the views, in Chromium."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright is absent: pip install playwright"
    )
    if not CHROMIUM:
        pytest.skip("Chromium is absent: apt-get install chromium")
    cells = [nbformat.v4.new_code_cell(cell) for cell in CELLS]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    book = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(book, tmp_path / "views.ipynb")
    with jupyter(tmp_path) as address, playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        shown = browser.new_page(viewport={"width": 1200, "height": 1000})
        shown.goto(address)
        shown.wait_for_selector("text=Python 3 (ipykernel) | Idle")
        shown.get_by_text("Run", exact=True).first.click()
        shown.get_by_text("Run All Cells", exact=True).click()
        shown.wait_for_function(
            f"document.querySelectorAll('.inbol-explore').length == {VIEWS}", timeout=1000 * SECONDS
        )
        yield shown
        browser.close()


@contextlib.contextmanager
def jupyter(folder):
    """Run JupyterLab in a folder; yields the address of its notebook."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(8)
    options = ["--no-browser", "--allow-root", "--ip", "127.0.0.1", "--port", str(port)]
    options += [f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={folder}"]
    left_out = ("CI", "INBOL_QUIET", "JPY_SESSION_NAME")
    env = {name: value for name, value in os.environ.items() if name not in left_out}
    env |= {"PYTHONPATH": str(ROOT), "JUPYTER_CONFIG_DIR": str(folder / "config")}
    env |= {"JUPYTER_DATA_DIR": str(folder / "data"), "JUPYTER_RUNTIME_DIR": str(folder / "run")}
    command = [sys.executable, "-m", "jupyter", "lab", *options]
    log = (folder / "log").open("w")
    server = subprocess.Popen(command, env=env, cwd=folder, stdout=log, stderr=log)
    try:
        _wait(f"http://127.0.0.1:{port}/api?token={token}")
        yield f"http://127.0.0.1:{port}/lab/tree/views.ipynb?token={token}"
    finally:
        server.terminate()
        server.wait(20)


def _wait(address):
    for _ in range(120):
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=2):
            return
        time.sleep(0.5)
    raise TimeoutError(address)


def test_keys_move_the_records_and_the_slider_the_methods(page):
    records, costs, thresholds, asked = page.locator(".inbol-explore").all()
    heading = records.locator(".card .faint").first
    records.focus()
    for key, place in (("n", "2 of"), ("ArrowRight", "3 of"), ("p", "2 of"), ("ArrowLeft", "1 of")):
        page.keyboard.press(key)
        heading.filter(has_text=place).wait_for()
    outline = records.evaluate("box => getComputedStyle(box).outlineStyle")
    assert outline == "solid", "one sees where the focus is"
    records.locator("input[type=text]").first.click()
    page.keyboard.type("nnpp")
    assert records.locator("input[type=text]").first.input_value() == "nnpp", "fields take letters"
    assert "1 of" in heading.text_content()
    assert records.locator(".card img").count() == 1
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    costs.locator(".noUi-handle").focus()
    page.keyboard.press("ArrowRight")
    costs.get_by_text("−1.1", exact=True).wait_for()
    first = costs.locator("tbody tr").first.locator("td").nth(1)
    best = first.text_content()
    for _ in range(8):
        page.keyboard.press("ArrowLeft")
    costs.get_by_text("−0.3", exact=True).wait_for()
    assert first.text_content() != best
    assert thresholds.locator("svg rect").count() > 5
    assert HOSTILE in asked.locator("h2").text_content()
    asked.get_by_role("button", name="Ask").click()
    asked.get_by_text("Every method's answer").wait_for(timeout=1000 * SECONDS)
    assert page.evaluate("window.hacked") is None, "texts are shown and never run"
    width = "box => box.scrollWidth <= box.clientWidth + 1"
    assert all(box.evaluate(width) for box in (records, costs, thresholds, asked))

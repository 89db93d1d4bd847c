"""The whole site: built without a warning, complete, and whole without a network."""

import importlib.util
import re
import subprocess
import sys
from collections import defaultdict
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import staging
from markup import tables

from inbol_lib import paths

BUILDER = paths.ROOT / "docs" / "site" / "building.py"
LARGEST = 25e6  # bytes
#: tag -> the attribute whose address a browser loads by itself
LOADED = {
    "script": "src",
    "img": "src",
    "link": "href",
    "iframe": "src",
    "source": "src",
    "object": "data",
}
#: kinds of links in a page's head that a browser does not load
NOT_LOADED = {"canonical", "next", "prev", "index", "search", "genindex", "author", "copyright"}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the built site; a warning of Sphinx is an error."""
    if importlib.util.find_spec("sphinx") is None:
        pytest.skip("Sphinx is absent: make site installs it")
    folder = tmp_path_factory.mktemp("site") / "html"
    command = [sys.executable, BUILDER, folder, "--fail-on-warning"]
    told = subprocess.run(command, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    return folder


class Page(HTMLParser):
    """Anchors, links and what a browser loads by itself."""

    def __init__(self, file):
        super().__init__()
        self.anchors, self.links, self.loaded = set(), [], []
        self.feed(file.read_text())

    def handle_starttag(self, tag, attrs):
        found = defaultdict(str, {name: value or "" for name, value in attrs})
        self.anchors |= {found["id"], found["name"]} - {""}
        if tag == "a" and found["href"]:
            self.links.append(found["href"])
        kinds = set(found["rel"].split())
        if tag in LOADED and found[LOADED[tag]] and not kinds & NOT_LOADED:
            self.loaded.append(found[LOADED[tag]])


@pytest.fixture(scope="module")
def pages(site):
    """File -> Page."""
    return {file: Page(file) for file in site.rglob("*.html") if "_static" not in file.parts}


def target(file, address):
    """Return the file that an address on a page leads to, and its anchor."""
    parts = urlsplit(address)
    path = file.parent / unquote(parts.path) if parts.path else file
    return Path(path).resolve(), unquote(parts.fragment)


def test_every_link_on_the_site_leads_somewhere(pages):
    broken = []
    for file, page in pages.items():
        for address in page.links:
            if re.match(r"(https?|mailto):", address):
                continue
            there, anchor = target(file, address)
            known = pages.get(there)
            missing = known and anchor and anchor not in known.anchors
            if not there.is_file() or missing:
                broken.append(f"{file.name}: {address}")
    assert broken == []
    assert sum(len(page.links) for page in pages.values()) > 1000


def test_everything_that_is_loaded_is_there_and_nothing_is_on_the_web(site, pages):
    missing = []
    for file, page in pages.items():
        for address in page.loaded:
            if address.startswith("data:image/"):
                continue
            local = not urlsplit(address).scheme and not address.startswith("//")
            if not local or not target(file, address)[0].is_file():
                missing.append(f"{file.name}: {address}")
    assert missing == []
    for file in site.rglob("*.css"):
        for address in re.findall(r"url\(['\"]?([^)'\"]+)", file.read_text()):
            if not address.startswith(("data:", "#")):
                assert target(file, address)[0].is_file(), f"{file.name}: {address}"
        assert "@import url(http" not in file.read_text()


def test_the_site_is_small(site):
    assert sum(file.stat().st_size for file in site.rglob("*") if file.is_file()) <= LARGEST


def test_all_that_was_promised_is_there(site, pages):
    books = [book.stem for book in (paths.ROOT / "notebooks").glob("*.ipynb")]
    assert len(books) == 10
    wanted = [f"notebooks/{book}" for book in books]
    wanted += [f"results/{name}" for name in ("index", "claims", "figures", "tables", "controls")]
    wanted += ["index", "docs/glossary", "docs/teachers", "search", "guide", "api/training"]
    assert [name for name in wanted if site / f"{name}.html" not in pages] == []
    figures = (site / "results" / "figures.html").read_text()
    for name in staging.published_figures():
        assert f'src="../figures/{name}.png"' in figures
    text = (site / "api" / "training.html").read_text()
    assert 'id="inbol_lib.training.preference_loss.ca_dpo_loss"' in text
    assert (site / "searchindex.js").is_file()


def test_every_published_figure_and_table_has_words():
    said = tables.captions()
    for kind, names in (
        ("figures", staging.published_figures()),
        ("tables", staging.published_tables()),
    ):
        silent = [name for name in names if not said[kind].get(name, {}).get("see")]
        assert silent == [], f"docs/site/captions.yaml says nothing about these {kind}"
    alts = [words.get("alt") for words in said["figures"].values()]
    assert all(alts), "a figure has words for those who do not see it"


def test_the_first_page_has_the_published_numbers(site):
    text = (site / "index.html").read_text()
    overall = tables.pd.read_csv(staging.FIGURES / "table1_in_domain.csv")
    overall = overall[(overall.dataset == "Overall") & (overall.method == "ca_dpo")]
    for value in overall.s_trust:
        assert tables.signed(value) in text
    claims = tables.pd.read_csv(staging.FIGURES / "claims.csv").query("model == 'micro-s'")
    for verdict, count in claims.verdict.value_counts().items():
        assert re.search(rf'verdict {verdict}"><strong>{count}</strong>', text)


def test_captions_hold_no_numbers_that_results_could_contradict():
    for kind in tables.captions().values():
        for name, words in kind.items():
            rest = re.sub(r"95 %|eq\. 6", "", words.get("see", ""))
            rest = re.sub(r"Table \d|Fig\. \d+", "", rest)
            assert not re.search(r"\d", rest), name

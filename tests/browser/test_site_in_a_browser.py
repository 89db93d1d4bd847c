"""The site from disk in Chromium: whole, quiet, readable by everybody, wide and on a phone."""

import browsers
import pytest

PAGES = (
    "index",
    "notebooks/00_tour",
    "notebooks/05_ca_dpo",
    "notebooks/06_evaluation",
    "notebooks/09_paper_vs_ours",
    "results/index",
    "results/claims",
    "results/figures",
    "results/tables",
    "results/controls",
    "docs/glossary",
    "docs/teachers",
    "guide",
    "ARCHITECTURE",
    "api/index",
    "api/evaluation",
)
VIEWS = [(size, scheme) for size in ("wide", "phone") for scheme in ("light", "dark")]
SIZES = {"wide": browsers.WIDE, "phone": browsers.PHONE}
#: kinds of findings that keep somebody from reading
BAD = ("serious", "critical")
PICTURES = """async () => {
  const pictures = [...document.querySelectorAll("img")];
  for (const one of pictures) one.loading = "eager";
  await Promise.all(pictures.map((one) => one.decode().catch(() => {})));
  return pictures.filter((one) => !one.naturalWidth).map((one) => one.src.slice(0, 200));
}"""


@pytest.fixture(scope="module", params=VIEWS, ids="-".join)
def view(request, chromium):
    """(name, page) of a window of some size, light or dark."""
    size, scheme = request.param
    page = browsers.opened(chromium, SIZES[size], scheme)
    yield f"{size}-{scheme}", page
    page.context.close()


def accessible(page):
    """Return axe's serious and critical findings, each with the first places."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is absent")
    found = axe.Axe().run(page, options={"preload": False}).response["violations"]
    return [
        f"{each['id']}: {[node['html'][:160] for node in each['nodes'][:3]]}"
        for each in found
        if each["impact"] in BAD
    ]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole_quiet_and_readable(site, view, name, look):
    looks, page = view
    wrong = browsers.watched(page)
    page.goto(f"{site}/{name}.html")
    page.wait_for_load_state("networkidle")
    page.screenshot(path=look / f"{name.replace('/', '-')}-{looks}.png")
    assert page.evaluate(PICTURES) == [], "pictures that are not there"
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, "too wide"
    formulas = page.locator(".formula")
    assert formulas.count() == page.locator(".formula > .katex, .formula > .katex-display").count()
    assert page.locator(".katex-error").count() == 0
    assert wrong == []
    assert accessible(page) == []


def column(page, place):
    """Return the texts of a column of the first table, as they stand."""
    cells = page.locator(".published-table").first.locator(f"tbody tr td:nth-child({place})")
    return cells.all_text_contents()


def number(text):
    return float(text.replace("−", "-").strip())


def test_tables_sort_by_click_and_by_key_and_empty_cells_stay_last(site, page):
    page.goto(f"{site}/results/tables.html")
    heading = page.locator(".published-table").first.locator("th", has_text="s_trust").first
    place = heading.evaluate("th => th.cellIndex") + 1
    heading.locator("button").click()
    assert heading.get_attribute("aria-sort") == "descending"
    first = [number(text) for text in column(page, place) if text != "–"]
    assert first == sorted(first, reverse=True)
    assert column(page, place)[-1] == "–"
    page.keyboard.press("Enter")
    assert heading.get_attribute("aria-sort") == "ascending"
    assert [number(text) for text in column(page, place) if text != "–"] == first[::-1]
    assert column(page, place)[-1] == "–"
    method = page.locator(".published-table").first.locator("th", has_text="method").first
    method.locator("button").focus()
    page.keyboard.press("Space")
    assert method.get_attribute("aria-sort") == "ascending"
    assert heading.get_attribute("aria-sort") is None
    texts = column(page, method.evaluate("th => th.cellIndex") + 1)
    assert texts == sorted(texts, key=str.lower)


def test_words_keep_the_rows_that_have_them(site, page):
    page.goto(f"{site}/results/claims.html")
    rows = page.locator("tbody tr")
    total = rows.count()
    page.get_by_label("Show rows with").fill("micro-s reproduced")
    kept = [row for row in rows.all() if row.is_visible()]
    assert 0 < len(kept) < total
    assert all("micro-s" in row.text_content() for row in kept)
    page.get_by_text(f"{len(kept)} rows").wait_for()
    page.get_by_label("Show rows with").fill("")
    assert all(row.is_visible() for row in rows.all())


def test_the_search_finds_pages_without_a_server(site, page):
    wrong = browsers.watched(page)
    page.goto(f"{site}/search.html?q=refusal")
    page.wait_for_selector("#search-results li a")
    assert page.locator("#search-results li a").count() > 3
    page.locator("#search-results li a").first.click()
    page.wait_for_load_state()
    assert page.locator("article h1").count() == 1
    assert wrong == []


def test_folded_cells_open_and_links_lead_on(site, page):
    page.goto(f"{site}/notebooks/00_tour.html")
    folded = page.locator("details.hide").first
    assert not folded.locator("pre").first.is_visible()
    folded.locator("summary").first.click()
    assert folded.locator("pre").first.is_visible()
    page.get_by_role("link", name="01 · How sure is the model?").first.click()
    page.wait_for_load_state()
    assert "How sure" in page.title()


def test_the_reader_chooses_dark_and_it_stays(site, page):
    page.goto(f"{site}/index.html")
    background = "() => getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(background)
    page.get_by_label("Color mode").first.click()
    page.get_by_text("Dark", exact=True).first.click()
    assert page.evaluate(background) != light
    page.goto(f"{site}/results/claims.html")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"

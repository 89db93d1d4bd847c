"""Texts that would like to be programs, in a notebook's outputs, a table and a claim of a site."""

import browsers
import building
import nbformat
import pandas as pd
import pytest

HOSTILE = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script><svg onload=hack()>'
INDEX = """# {text}

```{{published-table}} hostile
```

```{{published-table}} claims
```

```{{toctree}}
book
```
"""


def hostile_book():
    """A notebook whose outputs hold the text in every way that an output can hold it."""
    output = nbformat.v4.new_output
    directive = f"```{{raw}} html\n{HOSTILE}\n```"
    outputs = [
        output("stream", text=HOSTILE),
        output("execute_result", data={"text/plain": HOSTILE}),
        output("display_data", data={"text/html": f"<table><tr><td>{HOSTILE}</td></tr></table>"}),
        output("display_data", data={"text/markdown": f"{HOSTILE} $\\href{{javascript:hack()}}x$"}),
        output("display_data", data={"text/markdown": directive}),
        output("display_data", data={"image/svg+xml": f"<svg>{HOSTILE}</svg>"}),
        output("display_data", data={"application/javascript": "window.hacked=1"}),
    ]
    code = nbformat.v4.new_code_cell("1", outputs=outputs, execution_count=1)
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# A book"), code])


@pytest.fixture
def hostile_site(tmp_path):
    """The address of a small site of hostile texts, made as the real one is."""
    pytest.importorskip("sphinx", reason="Sphinx is absent: make test-browser installs it")
    import staging  # late: the library need not be loaded to skip

    figures, source = tmp_path / "figures", tmp_path / "source"
    figures.mkdir()
    (source / "extra").mkdir(parents=True)
    rows = pd.DataFrame({"method": [HOSTILE] * 20, "s_trust": [1.0] * 20, HOSTILE: [HOSTILE] * 20})
    rows.to_csv(figures / "hostile.csv", index=False)
    claim = dict.fromkeys(("claim", "where", "model", "statistic", "verdict"), HOSTILE)
    claims = pd.DataFrame([claim | {"ours": 1.0, "lo": -1.0, "hi": 2.0, "paper": None}])
    claims.to_csv(figures / "claims.csv", index=False)
    (source / "book.ipynb").write_text(staging.shown(nbformat.writes(hostile_book())))
    (source / "index.md").write_text(INDEX.format(text="Texts"))
    status = building.build(source, tmp_path / "html", "-D", f"published_folder={figures}")
    assert status == 0
    return (tmp_path / "html").as_uri()


def test_nothing_hostile_runs_on_the_site(hostile_site, page):
    wrong = browsers.watched(page)
    for name, times in (("index", 20 * 2 + 1 + 5), ("book", 4)):
        page.goto(f"{hostile_site}/{name}.html")
        page.wait_for_load_state("networkidle")
        shown = page.locator("article").inner_text()
        assert shown.count("onerror=") >= times, "the texts are shown as they are"
        assert page.locator("article img, article [onerror], article script").count() == 0
        assert page.locator("a[href^='javascript']").count() == 0
        assert page.evaluate("window.hacked") is None
    page.goto(f"{hostile_site}/index.html")
    page.get_by_label("Show rows with").fill("<img")
    page.locator("thead button").first.click()
    assert page.evaluate("window.hacked") is None, "nor when one sorts and filters"
    assert wrong == []

"""Texts of data and models on the site: shown as they are, and never run."""

import json
import re
from html.parser import HTMLParser

import pandas as pd
import pytest
import staging
from markup import cleaning, figures, links, tables

HOSTILE = '<img src=x onerror="hacked=1"><script>hacked=1</script>\'"></td>{raw}`x`'
#: what a table of ours is made of
OURS = set("div p label input span table thead tbody tr th td button strong svg path".split())


class Seen(HTMLParser):
    """Tags, attributes and texts of a page."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.names, self.text = set(), set(), ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.names.update(name for name, _ in attrs)

    def handle_data(self, data):
        self.text += data


def harmless(page):
    seen = Seen(page)
    assert not [name for name in seen.names if name.startswith("on")]
    return seen


def test_a_hostile_table_shows_its_texts_and_runs_none(tmp_path):
    names = ["method", "dataset", "s_trust", HOSTILE]
    rows = [[HOSTILE, HOSTILE, 1.5, HOSTILE]] * 20
    pd.DataFrame(rows, columns=names).to_csv(tmp_path / "hostile.csv", index=False)
    seen = harmless(tables.table_html(tmp_path / "hostile.csv"))
    assert seen.tags <= OURS
    assert seen.text.count(HOSTILE) == 3 * 20 + 1, "cells and the heading"


def test_hostile_claims_show_their_texts_and_run_none(tmp_path):
    claim = dict.fromkeys(("claim", "where", "model", "statistic", "verdict"), HOSTILE)
    rows = [claim | {"ours": 1.0, "lo": -1.0, "hi": 2.0, "paper": None}]
    pd.DataFrame(rows).to_csv(tmp_path / "claims.csv", index=False)
    seen = harmless(tables.table_html(tmp_path / "claims.csv"))
    assert seen.tags <= OURS
    assert seen.text.count(HOSTILE) == 5


def test_stored_outputs_lose_what_could_run_and_keep_their_tables():
    table = pd.DataFrame({"a": [1], "b": ["x"]}).to_html()
    output = {"data": {"text/html": f"<style>td{{}}</style>{table}{HOSTILE}", "image/svg+xml": "x"}}
    cleaning.clean_output(output)
    assert list(output["data"]) == ["text/html"], "what is not known is dropped"
    seen = harmless(output["data"]["text/html"])
    assert {"table", "th", "td"} <= seen.tags
    assert not seen.tags & {"img", "script", "style"}
    link = cleaning.clean_html('<a href="javascript:hacked=1">x</a>')
    assert "javascript" not in link


@pytest.mark.parametrize(
    "text",
    [
        HOSTILE,
        "```{raw} html\n<b onclick=hacked()>x</b>\n```",
        ":::{eval-rst}\n.. raw:: html\n\n   <script>hacked=1</script>\n:::",
        "~~~ {raw} html\n<i>x</i>\n~~~",
        "{download}`/etc/passwd`",
    ],
)
def test_markdown_of_an_output_has_no_html_no_roles_and_no_directives(text):
    plain = cleaning.clean_markdown(text)
    assert "<" not in plain
    assert not cleaning.ROLE.search(plain)
    assert not cleaning.DIRECTIVE.search(plain)
    assert cleaning.clean_markdown("**bold**, $c$ or $\\frac{1}{2}$") == (
        "**bold**, $c$ or $\\frac{1}{2}$"
    )


def test_parameters_and_solutions_are_folded_and_nothing_else():
    cells = [{"metadata": {"tags": [tag]}} for tag in ("parameters", "solution", "exercise")]
    book = json.loads(staging.shown(json.dumps({"cells": cells})))
    tags = [cell["metadata"]["tags"][1:] for cell in book["cells"]]
    assert tags == [["hide-input"], ["hide-cell"], []]
    prompts = [cell["metadata"].get("mystnb", {}) for cell in book["cells"]]
    assert prompts[1]["code_prompt_show"] == "Show the solution"
    assert [prompt.get("code_prompt_hide") for prompt in prompts[::2]] == [
        "Hide the parameters",
        None,
    ]


def test_only_sentences_in_a_notebook_s_table_may_stand_on_several_lines():
    cells = "<td>micro-s</td><td>Which country has this flag, do you know?</td>"
    short, long = cleaning.clean_html(f"<table><tr>{cells}</tr></table>").split("</td><td")
    assert "class" not in short
    assert long.startswith(' class="long">Which')


def test_what_rows_are_about_stands_before_their_numbers(tmp_path):
    file = tmp_path / "one.csv"
    file.write_text("model,refr,lo,hi,generator\na,1.0,0.5,1.5,program\n")
    heads = re.findall(r"<button[^>]*>\s*([^<]*?)\s*<", tables.table_html(file))
    assert heads == ["model", "generator", "RefR", "95 %"]


def test_an_interval_of_refusals_beside_one_of_trust_has_no_signs():
    rows = {"refr": [11.0, 1.0], "s_trust": [None, 3.0], "lo": [5.0, -9.0], "hi": [17.0, 16.0]}
    frame = pd.DataFrame(rows)
    shown = [tables.cell(frame, place, "lo", False).text for place in (0, 1)]
    assert shown == ["[5.0, 17.0]", "[−9.0, +16.0]"]


def test_the_best_values_are_marked_in_each_group_and_ties_all_of_them():
    frame = pd.DataFrame({"model": list("aab"), "acc": [1.0, 2.0, 0.5], "cost": [1, 1, 3]})
    found = tables.best_cells(frame, {"acc": "high", "cost": "low"}, ["model"])
    assert found == {(1, "acc"), (2, "acc"), (0, "cost"), (1, "cost"), (2, "cost")}
    assert tables.best_cells(frame, {"acc": "high"}, []) == {(1, "acc")}


def test_intervals_keep_their_value_s_order_and_missing_numbers_come_last():
    frame = pd.DataFrame({"s_trust": [-1.25, None], "lo": [-2.0, None], "hi": [0.5, None]})
    cells = [tables.cell(frame, place, "lo", False) for place in (0, 1)]
    assert [(each.text, each.value) for each in cells] == [("[−2.0, +0.5]", -2.0), ("–", "")]
    assert tables.cell(frame, 0, "s_trust", True).text == "−1.2"


def test_bounds_have_a_sign_where_their_values_have_one():
    points = {"lo": [2.0], "hi": [3.0]}
    for name, text in (
        ("s_trust", "[+2.0, +3.0]"),
        ("refr", "[2.0, 3.0]"),
        ("cost", "[2.00, 3.00]"),
    ):
        frame = pd.DataFrame({name: [2.5], **points})
        assert tables.cell(frame, 0, "lo", False).text == text


def test_a_note_is_what_stands_under_a_table(tmp_path):
    (tmp_path / "a.md").write_text("Words before.\n\n| x |\n|---|\n| 1 |\n\nOf three\nseeds.\n")
    assert figures.note_of(tmp_path, "a") == "Of three seeds."
    (tmp_path / "b.md").write_text("| x |\n|---|\n| 1 |\n")
    assert figures.note_of(tmp_path, "b") == figures.note_of(tmp_path, "none") == ""


def test_a_drawn_interval_stays_in_its_frame_and_keeps_the_sign():
    places = [tables.drawn(share) for share in (-1, -0.01, 0, 0.01, 1)]
    assert places == sorted(places)
    assert places[0] == 2
    assert places[2] == 50
    assert places[4] == 98


def test_links_lead_to_pages_files_and_modules_or_become_words():
    text = (
        "[one](docs/glossary.md#x) [`two`](inbol_lib/training/lora.py) [three](tests/planted.py) "
        "[four](figures/claims.csv) [five](#here) [six](https://example.org) ![p](figures/a.png)"
    )
    made = links.rewritten(text, "README.md", staging.on_site)
    assert made == (
        "[one](docs/glossary.md#x) {py:mod}`two <inbol_lib.training.lora>` three "
        '<a href="figures/claims.csv">four</a> [five](#here) [six](https://example.org) '
        "![p](figures/a.png)"
    )


def test_a_block_of_the_readme_that_is_gone_is_an_error():
    assert links.block("<!-- a -->\nx\n<!-- end -->", "a") == "x"
    with pytest.raises(ValueError, match="no block 'b'"):
        links.block("<!-- a -->\nx\n<!-- end -->", "b")

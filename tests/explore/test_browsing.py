"""Filters, pages and the widget of `explore.records`."""

import gc
import time
import tracemalloc

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import psutil
import pytest
from ipywidgets.widgets.widget import _instances

from inbol_lib import explore
from inbol_lib.errors import ParameterError
from inbol_lib.explore.browsing import panel
from inbol_lib.explore.browsing.browser import PAGE, Browser
from inbol_lib.explore.browsing.filtering import ANY, Wanted, differing, mask
from inbol_lib.explore.material import artefacts, published
from inbol_lib.micro import world

HOSTILE = '<img src=x onerror="alert(1)">$x_1$ & \'"</select><script>alert(2)</script>'


def long(book):
    """The outcomes of a book as (row, method, outcome), counted the slow way."""
    rows = [book.row(place) for place in range(len(book))]
    return rows, [{name: word for name, _, word in row["methods"]} for row in rows]


def test_a_book_holds_every_question_once_with_what_was_said(made, opened):
    p, records, outcomes = made
    expected = sum(map(len, records.values())) + outcomes[outcomes.source == "gqa"].id.nunique()
    assert len(opened) == expected
    keys = opened.frame[["split", "source", "id"]]
    assert not keys.duplicated().any()
    said = outcomes.set_index(["source", "id", "method"])
    for place in range(len(opened)):
        row = opened.row(place)
        for method, text, word in row["methods"]:
            line = said.loc[(row["source"], row["id"], method)]
            assert (text, word) == (line.response, line.outcome)
    asked = opened.outcomes.notna().all(axis=1)
    assert asked.sum() * 3 == len(outcomes)
    assert set(opened.frame.kind[opened.frame.source == "gqa"]) == {"not estimated"}


def test_pictures_are_those_of_their_questions(made, opened):
    records, frame = made[1], opened.frame
    for name, table in records.items():
        split = "train" if name == "outside" else name
        for place in (0, len(table) - 1):
            row = table[place]
            found = opened.pictures.find(row["source"], row["id"], row["image_id"])
            assert (np.asarray(found) == np.asarray(row["image"])).all(), split
    gqa = frame[frame.source == "gqa"].iloc[-1]
    assert opened.pictures.find("gqa", gqa.id, gqa.image_id).size == found.size
    assert opened.pictures.find("gqa", gqa.id, "another") is None


@pytest.mark.parametrize("name", ["source", "split", "kind"])
def test_a_filter_keeps_what_has_its_value_and_nothing_else(opened, name):
    for value in opened.frame[name].cat.categories:
        kept = mask(opened, Wanted(**{name: value}))
        assert set(opened.frame[name][kept]) == {value}
        assert value not in set(opened.frame[name][~kept])


def test_outcomes_and_disagreement_are_those_that_one_counts(opened):
    _, words = long(opened)
    for method in ("", *opened.methods):
        for outcome in ("correct", "refusal"):
            kept = mask(opened, Wanted(method=method, outcome=outcome))
            chosen = [method] if method else opened.methods
            assert kept.tolist() == [outcome in map(row.get, chosen) for row in words]
    pair = ("idk_it", "ca_dpo")
    expected = [len({row.get(name) for name in pair}) > 1 for row in words]
    assert mask(opened, Wanted(differ=pair)).tolist() == expected
    assert mask(opened, Wanted(differ=pair[::-1])).tolist() == expected
    assert mask(opened, Wanted(differ=ANY)).tolist() == [
        len(set(row.values())) > 1 for row in words
    ]
    assert not differing(opened.outcomes[["idk_it"]], ANY).any()


def test_words_are_found_whatever_their_case_and_are_no_patterns(opened):
    questions = opened.frame.question
    kept = mask(opened, Wanted(asked="COLOR"))
    assert kept.tolist() == ["color" in text.lower() for text in questions]
    assert 0 < kept.sum() < len(opened)
    assert not mask(opened, Wanted(asked="c.lor")).any()
    rows, _ = long(opened)
    texts = [[*(row["responses"] or ()), *(text for _, text, _ in row["methods"])] for row in rows]
    expected = [any("don't" in text for text in said) for said in texts]
    assert mask(opened, Wanted(spoken="DON'T")).tolist() == expected


def test_filters_narrow_each_other(opened):
    one, two = Wanted(source="oven"), Wanted(method="ca_dpo", outcome="refusal")
    both = Wanted(source="oven", method="ca_dpo", outcome="refusal")
    assert (mask(opened, both) == mask(opened, one) & mask(opened, two)).all()
    assert mask(opened, Wanted()).all()


def test_a_filter_that_cannot_be_says_what_is_allowed(opened):
    with pytest.raises(ParameterError, match="source: given 'vqa'; here there are gqa, oven"):
        mask(opened, Wanted(source="vqa"))
    with pytest.raises(ParameterError, match="method: given 'sft'; here there are original"):
        mask(opened, Wanted(differ=("sft", "ca_dpo")))


def test_the_question_shown_stays_while_it_is_wanted(opened):
    browser = Browser(opened)
    browser.move(40)
    place = browser.place
    source = opened.frame.source[place]
    browser.want(Wanted(source=source))
    assert browser.place == place
    other = next(name for name in opened.frame.source.cat.categories if name != source)
    browser.want(Wanted(source=other))
    assert browser.at == 0
    browser.want(Wanted(asked="nothing is like this"))
    assert browser.place is None
    assert len(browser.page) == 0


def test_pages_hold_every_wanted_question_once(opened):
    browser, seen = Browser(opened, Wanted(source="oven")), []
    for _ in range(browser.pages):
        seen += list(browser.page)
        browser.move(PAGE)
    assert seen == list(range(len(browser.places)))
    browser.move(10**6)
    assert browser.at == len(browser.places) - 1
    browser.move(-(10**6))
    assert browser.at == 0


def test_hostile_texts_are_shown_and_never_run(smoke, artefacts_of):
    def hostile(row):
        return row | {"question": HOSTILE, "responses": [HOSTILE] * 5, "answers": [HOSTILE]}

    p, _, _ = artefacts_of(smoke, hostile)
    shown = panel.Panel(Browser(artefacts.opened(p)))
    assert "<img src=x" not in shown.card.value
    assert "<script" not in shown.card.value
    assert "&lt;script&gt;" in shown.card.value
    assert "$x_1$" in shown.card.value
    table = explore.records(p, static=True).to_html()
    assert "<script" not in table
    assert "<img" not in table
    assert "&lt;script&gt;" in table


def test_a_hundred_thousand_questions_take_bounded_time_and_memory(smoke, many):
    book = many(smoke, 100_000)
    shown = panel.Panel(Browser(book))
    tracemalloc.start()
    began = time.process_time()
    for _ in range(50):
        shown.browser.move(PAGE)
        shown.refresh()
    steps = time.process_time() - began
    shown.fields["source"].value = "oven"
    shown.fields["differ"].value = ("idk_it", "ca_dpo")
    shown.fields["spoken"].value = "BLUE"
    filters = time.process_time() - began - steps
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(shown.list.options) == PAGE
    assert steps < 5, "a page costs no more where there are many"
    assert filters < 10
    assert peak < 120e6
    expected = (book.frame.source == "oven") & differing(book.outcomes, ("idk_it", "ca_dpo"))
    assert len(shown.browser.places) == expected.sum()


def test_five_hundred_interactions_leave_nothing_behind(opened):
    shown = panel.Panel(Browser(opened))
    sources = ["", *opened.frame.source.cat.categories]

    def interact(times):
        """Bytes, objects and widgets that are held after so many interactions."""
        for number in range(times):
            shown.fields["source"].value = sources[number // 10 % len(sources)]
            shown.list.index = number % len(shown.list.options)
            shown.browser.move(1)
            shown.refresh()
        gc.collect()
        return psutil.Process().memory_info().rss, len(gc.get_objects()), len(_instances)

    bytes_before, objects_before, widgets_before = interact(100)
    bytes_after, objects_after, widgets_after = interact(500)
    assert widgets_after == widgets_before
    assert objects_after - objects_before < 1500, "weak references come and go"
    assert bytes_after - bytes_before < 20e6
    assert plt.get_fignums() == []


def test_buttons_and_list_move_together(opened):
    shown = panel.Panel(Browser(opened))
    buttons = {button.description: button for button in shown.box.children[2].children}
    buttons["Next"].click()
    assert (shown.browser.at, shown.list.index) == (1, 1)
    buttons["Page on"].click()
    assert (shown.browser.at, shown.list.index) == (PAGE + 1, 1)
    shown.list.index = 3
    assert shown.browser.at == PAGE + 3
    shown.fields["source"].value = "oven"
    assert set(opened.frame.source.iloc[shown.browser.places]) == {"oven"}
    buttons["Clear filters"].click()
    assert len(shown.browser.places) == len(opened)


def test_without_widgets_there_is_a_table_and_a_line_that_says_so(made, capsys):
    table = explore.records(made[0], source="oven", differ=("idk_it", "ca_dpo"))
    assert isinstance(table, pd.io.formats.style.Styler)
    assert "a plain table, because widgets are absent here" in capsys.readouterr().out
    assert set(table.data.source) == {"oven"}
    assert {"IDK-IT", "CA-DPO", "gold", "samples"} <= set(table.data.columns)


def test_without_artefacts_the_message_names_the_command(smoke, runs):
    with pytest.raises(ParameterError, match="inbol run 06_evaluation -f smoke") as error:
        explore.records(smoke, published=False)
    assert "published=True" in str(error.value)


def test_published_questions_get_their_words_and_pictures_again_when_they_are_shown(smoke, runs):
    browser = Browser(published.opened(smoke))
    assert not browser.book.frame.question.any()
    browser.want(Wanted(source="oven"))
    rows = [browser.book.row(int(place)) for place in browser.places[:3]]
    table = {row["id"]: row for row in world.questions("oven", "test", 20)}
    for row in rows:
        assert row["question"] == table[row["id"]]["question"]
        assert row["answers"] == table[row["id"]]["answers"]
        assert row["image_id"] == table[row["id"]]["image_id"]
        found = browser.book.pictures.find("oven", row["id"], row["image_id"])
        assert (np.asarray(found) == np.asarray(table[row["id"]]["image"])).all()
    assert [text is None for _, text, _ in row["methods"]] == [True] * len(row["methods"])
    assert panel.Panel(browser).browser.book.note.startswith("published outcomes of")


def test_words_of_another_world_are_not_shown(smoke, runs, monkeypatch):
    monkeypatch.setattr("inbol_lib.micro.VERSION", 10**6)
    browser = Browser(published.opened(smoke))
    assert "the world has changed since" in browser.book.note
    assert browser.book.row(0)["question"] == ""
    assert "words of this question are not stored" in panel.Panel(browser).card.value

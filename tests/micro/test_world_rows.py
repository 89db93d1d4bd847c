"""Rows of the micro world are reproducible and true, and splits share nothing."""

import pytest
from world_samples import SPLITS, pixels

from inbol_lib.data.records import QUESTION_FEATURES
from inbol_lib.judging.matching import string_match
from inbol_lib.micro import world
from inbol_lib.micro.world import grammar
from inbol_lib.micro.world.drawing import render
from inbol_lib.micro.world.entities import NUM_COUNTRIES, NUM_IN_DOMAIN
from inbol_lib.micro.world.scenes import scene_of, seen


@pytest.mark.parametrize(("source", "split"), SPLITS)
def test_same_arguments_give_the_same_rows_and_n_only_cuts(source, split, tables):
    again = world.questions(source, split, 25, seed=3)
    assert again.features == QUESTION_FEATURES
    assert again.to_list() == tables[source, split][: len(again)]
    assert again["image_id"] != world.questions(source, split, 25, seed=4)["image_id"]


def test_n_counts_questions_and_for_mmbench_base_questions(tables):
    assert all(len({r["group"] for r in rows}) == 60 for rows in tables.values())
    assert all(len(rows) == 60 for (source, _), rows in tables.items() if source != "mmbench")


def test_row_ids_are_unique_and_few_questions_share_a_picture(tables):
    ids = [r["id"] for rows in tables.values() for r in rows]
    assert len(ids) == len(set(ids))
    for rows in tables.values():
        groups = {(r["image_id"], r["group"]) for r in rows}
        assert len(groups) <= 3 * len({r["image_id"] for r in rows})


def test_no_picture_is_shared_between_sources_splits_or_pretraining(tables, talks):
    by_id = [{r["image_id"] for r in rows} for rows in tables.values()]
    by_pixels = [{pixels(r) for r in rows} for rows in tables.values()]
    for sets in (by_id, by_pixels):
        assert len(set.union(*sets)) == sum(map(len, sets))
    shown = {row["image"].tobytes() for rows in talks.values() for row in rows}
    tested = {render(scene_of(name)).tobytes() for names in by_id for name in list(names)[:20]}
    assert not shown & tested


def test_splits_share_no_handwritten_digit(tables):
    scans = {split: set() for split in ("train", "validation", "test", "pretrain")}
    for (_, split), rows in tables.items():
        scans[split] |= {t.sample for r in rows for t in scene_of(r["image_id"]).digits}
    scans["pretrain"] = {
        t.sample for i in range(200) for t in scene_of(f"sum:pretrain:t-{i}").digits
    }
    assert all(scans.values())
    assert len(set.union(*scans.values())) == sum(map(len, scans.values()))


def test_rows_are_true_in_the_world_that_drew_them(tables):
    for (source, _), rows in tables.items():
        if source in ("beyondvisqa", "vizwiz"):
            continue
        for row in rows:
            drawn = scene_of(row["image_id"])
            assert grammar.truth(drawn, row["question"]) == row["accepted"], row["id"]
            assert row["accepted"][:1] == row["answers"]


def test_unanswerable_sources_have_no_answer_and_the_others_have_one(tables):
    for (source, _), rows in tables.items():
        expected = 0 if source in ("beyondvisqa", "vizwiz", "vqav2_idk") else 1
        assert {len(r["answers"]) for r in rows} == {expected}


def test_options_hold_the_answer_once_and_in_every_place(tables):
    for source, most in (("scienceqa", 5), ("mmmu", 9), ("mmbench", 4)):
        rows = tables[source, "test"]
        places = [r["choices"].index(r["answers"][0]) for r in rows]
        assert all(len(set(r["choices"])) == len(r["choices"]) <= most for r in rows)
        assert len(set(places)) > 2
        assert all(
            string_match("ABCDEFGHI"[k], r["answers"], r["choices"])
            for k, r in zip(places, rows, strict=True)
        )


def test_mmbench_shows_every_rotation_of_a_question(tables):
    groups = {}
    for row in tables["mmbench", "test"]:
        groups.setdefault(row["group"], []).append(row)
    for rows in groups.values():
        first = rows[0]["choices"]
        assert [r["choices"] for r in rows] == [first[k:] + first[:k] for k in range(len(first))]
        assert len({(r["question"], r["image_id"], r["answers"][0]) for r in rows}) == 1


@pytest.mark.parametrize(
    ("source", "split", "hint"), [("nope", "test", "vqav2"), ("gqa", "train", "test")]
)
def test_unknown_source_or_split_says_what_is_allowed(source, split, hint):
    with pytest.raises(ValueError, match=hint):
        world.questions(source, split, 1)


def test_nothing_is_answerable_on_a_bad_photograph(tables):
    for row in tables["vizwiz", "test"]:
        drawn = scene_of(row["image_id"])
        if drawn.kind == "bad":
            assert world.is_answerable(drawn, row["question"]) is False


@pytest.mark.parametrize("source", ["vqav2_idk", "vizwiz"])
def test_unanswerable_sets_out_of_domain_use_held_out_wordings(source, tables):
    usual = {w.split("{")[0] for f in grammar.FAMILIES.values() for w in f.wordings}
    assert not [
        r["question"] for r in tables[source, "test"] if r["question"].startswith(tuple(usual))
    ]


def test_some_countries_appear_out_of_domain_only():
    inside = {
        split: {scene_of(f"flag:{split}:c-{i}").country.rank for i in range(6000)}
        for split in ("train", "validation", "test")
    }
    outside = {scene_of(f"far:test:c-{i}").country.rank for i in range(8000)}
    assert set.union(*inside.values()) == set(range(NUM_IN_DOMAIN))
    assert outside == inside["test"] | set(range(NUM_IN_DOMAIN, NUM_COUNTRIES))


def test_training_asks_about_half_of_the_countries_of_validation_and_test():
    drawn = [
        {scene_of(f"flag:{split}:d-{i}").country.rank for i in range(6000)}
        for split in ("train", "validation", "test")
    ]
    train, validation, test = drawn
    assert not validation & test, (
        "what is chosen on validation teaches nothing about the test's countries"
    )
    for asked in (validation, test):
        assert len(asked & train) == pytest.approx(len(asked) / 2, abs=1)
    flags = [f"flag:test:e-{i}" for i in range(200)]
    assert all(seen(name) == (scene_of(name).country.rank in train) for name in flags)
    assert sum(map(seen, flags)) == pytest.approx(100, abs=25)
    assert seen("scene:test:e-0") is None
    assert not any(
        seen(f"far:test:f-{i}")
        for i in range(100)
        if scene_of(f"far:test:f-{i}").country.rank >= NUM_IN_DOMAIN
    )

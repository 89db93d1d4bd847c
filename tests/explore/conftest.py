"""Books of real objects: micro-world questions with outcomes, and pictures in parquet files."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from datasets import Dataset

from inbol_lib.data.records import RECORD_FEATURES, save_table
from inbol_lib.evaluation.metrics import COUNTS
from inbol_lib.explore.material import artefacts, books
from inbol_lib.explore.material.pictures import Pictures
from inbol_lib.micro import world
from inbol_lib.study import graph

METHODS = ["original", "idk_it", "ca_dpo"]
SAMPLES = 5


def record(row, rng, text="red"):
    """A standard record of a question: some of five samples are right."""
    right = int(rng.integers(SAMPLES + 1))
    verdicts = ["correct"] * right + ["incorrect"] * (SAMPLES - right)
    return {
        **row,
        "responses": [text if word == "correct" else "blue" for word in verdicts],
        "verdicts": verdicts,
        "confidence": right / SAMPLES,
        "correct": text if right else "",
        "incorrect": "blue" if right < SAMPLES else "",
        "refusal": "Sorry, no.",
        "origin": "answerable",
    }


def outcome_table(rows, rng, methods=METHODS, response="I don't know"):
    """Outcomes of every method on question rows."""
    parts = []
    for method in methods:
        columns = ("id", "image_id", "group", "source", "split", "confidence")
        part = pd.DataFrame([{name: row[name] for name in columns} for row in rows])
        part = part.assign(model="micro-s", method=method, seed=0, response=response)
        words = rng.choice(COUNTS[:3], len(rows))
        parts.append(part.assign(outcome=words, answerable=[bool(row["answers"]) for row in rows]))
    return pd.concat(parts, ignore_index=True)


@pytest.fixture
def made(smoke, artefacts_of):
    """(parameters, records, outcomes) of artefacts that lie under `runs`, with two sources."""
    return artefacts_of(smoke)


@pytest.fixture
def artefacts_of(runs):
    """A function that writes artefacts of some parameters under `runs`, its rows changed."""
    return written


def written(p, change=lambda row: row):
    """Write artefacts of the stages 01, 02 and 06 as their notebooks do, with changed rows."""
    rng = np.random.default_rng(0)
    for stage in ("confidence", "unanswerable", "evaluation"):
        graph.path(stage, p).mkdir(parents=True)
    kept = {}
    for split in ("train", "test"):
        rows = [row for name in ("vqav2", "oven") for row in world.questions(name, split, 30)]
        rows = [change(record(row, rng)) for row in rows]
        kept[split] = Dataset.from_list(rows, features=RECORD_FEATURES)
        save_table(kept[split], graph.path("confidence", p) / f"records_{split}.parquet")
    outside = [record(row, rng) for row in world.questions("vqav2", "train", 20)]
    changes = {"answers": [], "source": "uavqa", "confidence": 0.0, "correct": "", "incorrect": "x"}
    outside = [row | changes | {"id": f"swap-{row['id']}"} for row in outside]
    outside = Dataset.from_list(outside, features=RECORD_FEATURES)
    save_table(outside, graph.path("unanswerable", p) / "records_train.parquet")
    gqa = world.questions("gqa", "test", p.ood_questions)
    gqa = [row | {"confidence": float("nan")} for row in gqa.remove_columns("image")]
    outcomes = outcome_table([*kept["test"].remove_columns("image"), *gqa], rng)
    save_table(outcomes, graph.path("evaluation", p) / "outcomes.parquet")
    for stage in ("confidence", "unanswerable", "evaluation"):
        (graph.path(stage, p) / "metrics.json").write_text("{}")
    return p, kept | {"outside": outside}, outcomes


@pytest.fixture(scope="session")
def many():
    """A function that makes a book of so many questions, without pictures."""

    def make(p, n, word="plain"):
        rng = np.random.default_rng(1)
        numbers = np.arange(n)
        answered = [["red"] * 5] * n
        table = pa.table(
            {
                "id": pa.array([f"q{number}" for number in numbers]),
                "source": pa.array(np.where(numbers % 3, "vqav2", "oven").tolist()),
                "split": pa.array(["test"] * n),
                "image_id": pa.array([f"i{number // 2}" for number in numbers]),
                "question": pa.array([f"What is {number} {word}?" for number in numbers]),
                "confidence": pa.array(rng.integers(0, 11, n) / 10),
                "answers": pa.array([["red"]] * n),
                "choices": pa.array([[]] * n, pa.list_(pa.string())),
                "responses": pa.array(answered),
                "verdicts": pa.array([["correct"] * 5] * n),
                "answerable": pa.array([True] * n),
            }
        )
        rows = pd.DataFrame({name: table[name].to_pylist() for name in ("id", "source", "split")})
        parts = [
            rows.assign(method=method, outcome=rng.choice(COUNTS[:3], n), response="blue")
            for method in METHODS
        ]
        return books.made(p, table, pd.concat(parts), Pictures(), "made for a test")

    return make


@pytest.fixture
def opened(made):
    """The book of `made`."""
    return artefacts.opened(made[0])

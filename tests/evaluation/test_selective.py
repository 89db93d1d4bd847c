import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from datasets import concatenate_datasets
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from transformers import PreTrainedTokenizerFast

from inbol_lib import params
from inbol_lib.data.records import prompt_text
from inbol_lib.evaluation import label_free, metrics, selective
from inbol_lib.micro import world
from inbol_lib.mllm import chat, loading
from inbol_lib.report.plots import charts
from inbol_lib.report.tables import control_tables


def questions(split, n):
    rows = concatenate_datasets(
        [world.questions(source, split, n, 0) for source in ("vqav2", "scienceqa")]
    )
    return rows.add_column("confidence", [0.5] * len(rows)).add_column(
        "in_domain", [True] * len(rows)
    )


@pytest.fixture(scope="module")
def p():
    return params.load("smoke", judge="string", num_samples=4)


@pytest.fixture(scope="module")
def validation(p):
    return label_free.scored(p, questions("validation", 15))


def random_outcomes(n=300, seed=0):
    rng = np.random.default_rng(seed)
    score = rng.integers(0, 11, n) / 10
    words = np.where(rng.random(n) < score, "correct", "incorrect")
    words[:9] = "refusal"
    ids = [f"q{i}" for i in range(n)]
    table = {
        "id": ids,
        "image_id": ids,
        "model": "micro-s",
        "method": "original",
        "seed": 0,
        "source": "vqav2",
        "split": "validation",
    }
    return pd.DataFrame(
        {**table, "answerable": True, "outcome": words, **dict.fromkeys(selective.SCORES, score)}
    )


def test_self_consistency_counts_samples_that_say_the_same():
    assert selective.self_consistency("The cat.", ["cat", "a cat", "CAT!", "dog"]) == 0.75


def test_the_threshold_is_the_best_of_all():
    table, score = random_outcomes(), selective.SCORES[0]
    for cost in (0.2, 1.0, 4.0):
        gains = {}
        for least in (*np.unique(table[score]), np.inf):
            row = metrics.counts(selective.refuse_below(table, score, least)).sum()
            gains[least] = metrics.phi(row.correct, row.refusal, row.n, cost)
        assert selective.threshold(table, score, cost) == max(sorted(gains), key=gains.get)


def test_a_model_that_is_never_right_should_refuse_everything():
    table = random_outcomes().assign(outcome="incorrect")
    assert selective.threshold(table, "p_true") == np.inf
    assert set(selective.refuse_below(table, "p_true", np.inf).outcome) == {"refusal"}


def test_test_outcomes_choose_no_threshold():
    with pytest.raises(ValueError, match="never on the test split"):
        selective.threshold(random_outcomes().assign(split="test"), "p_true")


def test_only_answers_below_the_threshold_change():
    table = random_outcomes()
    after = selective.refuse_below(table, "p_true", 0.5)
    assert set(after.method) == {"p_true"}
    assert (after.outcome[table.p_true < 0.5] == "refusal").all()
    assert after.outcome[table.p_true >= 0.5].equals(table.outcome[table.p_true >= 0.5])
    with pytest.raises(ValueError, match="no p_true"):
        selective.refuse_below(table.assign(p_true=np.nan), "p_true", 0.5)


def test_baselines_stand_in_the_table_with_their_areas():
    test = random_outcomes(seed=1).assign(split="test")
    trained = test.assign(method="idk_it")
    table = control_tables.selective_prediction(random_outcomes(), test, trained)
    assert table.method.tolist() == ["original", *selective.SCORES, "idk_it"]
    assert (table.s_trust[1:4] > table.s_trust[0]).all()
    assert (table["mark"][1:2] == "*").all()
    assert table.threshold[1:4].tolist() == [
        selective.threshold(random_outcomes(), s) for s in selective.SCORES
    ]
    assert table.augrc[1:4].between(5, 25).all()
    assert table.ece[1:4].max() < 10, "the score is the chance of being right"
    assert table.threshold[[0, 4]].isna().all()


def test_trained_methods_are_points_on_the_plane():
    test = random_outcomes(seed=1)
    curves = pd.concat([metrics.risk_coverage(test, s).assign(score=s) for s in selective.SCORES])
    ax = charts.risk_coverage(
        curves,
        metrics.summary(test.assign(method="idk_it"), ["method"]).assign(lo=0.1, hi=0.9),
        plt.figure().gca(),
    )
    lines = {line.get_label(): line for line in ax.lines}
    assert set(lines) == {"Self-consistency", "Sequence probability", "P(True)", "IDK-IT"}
    row = metrics.score(metrics.counts(test).sum())
    assert lines["IDK-IT"].get_xdata()[0] == pytest.approx(100 * (1 - row["refr"]))
    assert lines["P(True)"].get_xdata()[-1] == pytest.approx(lines["IDK-IT"].get_xdata()[0]), (
        "a curve ends where the model itself stands"
    )
    assert lines["P(True)"].get_ydata()[-1] == pytest.approx(lines["IDK-IT"].get_ydata()[0])


def test_scores_are_chances_and_see_no_gold_answer(p, validation):
    assert validation[list(selective.SCORES)].stack().between(0, 1).all()
    assert validation[list(selective.SCORES)].nunique().min() > 2
    blind = questions("validation", 15).map(lambda row: {"answers": ["nothing"]})
    again = label_free.scored(p, blind)
    assert again[list(selective.SCORES)].equals(validation[list(selective.SCORES)])
    assert not again.outcome.equals(validation.outcome)


def test_p_true_is_the_next_token_s_chance_alone_or_in_a_batch():
    model, processor = loading.load("micro-s", device="cpu")
    rows = questions("train", 3)
    texts, said = [prompt_text(r) for r in rows], ["yes", "A", "a small red circle", "no", "B", "1"]
    found = label_free.p_true(model, processor, list(rows["image"]), texts, said)
    single = [
        label_free.p_true(model, processor, [r["image"]], [t], [s])[0]
        for r, t, s in zip(rows, texts, said, strict=True)
    ]
    assert found == pytest.approx(single, abs=1e-4)
    asked = f"Is this answer right? Answer yes or no.\nQuestion: {texts[0]}\nAnswer: yes"
    logits = model(**chat.encode(processor, [rows[0]["image"]], [asked])).logits[0, -1].detach()
    ids = {w: processor.tokenizer(w, add_special_tokens=False).input_ids for w in (" yes", " no")}
    assert all(len(i) == 1 for i in ids.values())
    odds = (logits[ids[" yes"][0]] - logits[ids[" no"][0]]).item()
    assert found[0] == pytest.approx(1 / (1 + np.exp(-odds)), abs=0.02)


def test_a_tokenizer_that_can_not_tell_yes_from_no_is_refused():
    class Processor:
        tokenizer = PreTrainedTokenizerFast(
            tokenizer_object=Tokenizer(WordLevel({"?": 0}, unk_token="?"))
        )

    with pytest.raises(ValueError, match="leave p_true out"):
        label_free._first_tokens(Processor)

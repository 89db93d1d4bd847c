"""Can the model tell what it lacks, knowledge or the picture? A probe on its last hidden state (paper, App. G.4)."""

import numpy as np
import pandas as pd
import torch
from datasets import Dataset
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from inbol_lib.data.records import prompt_text, rng_for
from inbol_lib.evaluation.probe_designs import PAPER, designs
from inbol_lib.mllm.chat import encode


@torch.inference_mode()
def hidden_states(
    model, processor, rows: Dataset, choice_answer: str, batch: int = 128
) -> np.ndarray:
    """Hidden state of the last layer at the last prompt token, shape (rows, width). (The paper does not name the token.)"""
    out = []
    for start in range(0, len(rows), batch):
        chunk = rows.select(range(start, min(start + batch, len(rows))))
        texts = [prompt_text(r, choice_answer) for r in chunk.remove_columns("image").to_list()]
        coded = {
            k: v.to(model.device) for k, v in encode(processor, list(chunk["image"]), texts).items()
        }
        places = (coded["attention_mask"].cumsum(1) - 1).clamp(min=0)
        states = model(
            **coded, position_ids=places, output_hidden_states=True, logits_to_keep=1
        ).hidden_states[-1]
        out.append(states[:, -1].float().cpu().numpy())
    return np.concatenate(out)


def unknown_questions(
    answerable: Dataset, unanswerable: Dataset, n: int, seed: int
) -> tuple[Dataset, np.ndarray]:
    """Up to `n` questions with confidence below 0.2, half intrinsic and half extrinsic, and their labels (0, 1)."""
    from datasets import concatenate_datasets

    rng = rng_for(seed, "probe")
    weak = np.flatnonzero(np.array(answerable["confidence"]) < 0.2)
    half = min(n // 2, len(weak), len(unanswerable))
    inside = answerable.select(np.sort(rng.permutation(weak)[:half]))
    outside = unanswerable.select(np.sort(rng.permutation(len(unanswerable))[:half]))
    return concatenate_datasets([inside, outside]), np.repeat([0, 1], half)


def probe(train_x: np.ndarray, train_y: np.ndarray, test_x: np.ndarray, seed: int) -> np.ndarray:
    """What a classifier with three linear layers and ReLU between them (widths are ours) says about each test row, 0 or 1."""
    network = MLPClassifier(
        hidden_layer_sizes=(128, 64),
        early_stopping=len(train_y) >= 200,
        max_iter=300,
        random_state=seed,
    )
    return make_pipeline(StandardScaler(), network).fit(train_x, train_y).predict(test_x)


def predictions(
    states: dict[str, np.ndarray], rows: dict[str, pd.DataFrame], seed: int
) -> pd.DataFrame:
    """What the probe says under every design: control, shuffle (0, 1, … where labels are shuffled), id, label, said. `states`: split ->
    hidden states of `rows[split]`. And what the question's words say without the model. A design whose training or test rows hold one
    kind alone is left out."""
    train, test = (rows[split].reset_index(drop=True) for split in ("train", "test"))
    words = CountVectorizer(min_df=2).fit(train.question)
    made = []
    for name, fit, asked in designs(train, test, seed):
        if fit.label.nunique() < 2 or asked.empty:
            continue
        x = [(name, states["train"][fit.index], states["test"][asked.index])]
        if name == PAPER:
            x.append(
                (
                    "words alone",
                    *(words.transform(part.question).toarray() for part in (fit, asked)),
                )
            )
        made += [
            asked[["id", "label"]].assign(control=control, said=probe(a, fit.label, b, seed))
            for control, a, b in x
        ]
    table = pd.concat(made, ignore_index=True)
    return table.assign(shuffle=table.groupby(["control", "id"]).cumcount())

"""A probe: can the model tell lacking knowledge from a picture that lacks the answer (App. G.4).

The probe, a small classifier, reads the model's last hidden state of questions that it can not
answer and says which of the two it is: 0, intrinsic (the model does not know), or 1, extrinsic (the
picture does not show it).
"""

import numpy as np
import pandas as pd
import torch
from datasets import Dataset, concatenate_datasets
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from transformers import PreTrainedModel, ProcessorMixin

from inbol_lib.data.records import prompt_text, rng_for
from inbol_lib.evaluation.probe_designs import PAPER, Design, designs
from inbol_lib.mllm.chat import encode

UNKNOWN_BELOW = 0.2  # confidence of the answerable questions that the model does not know


@torch.inference_mode()
def hidden_states(
    model: PreTrainedModel,
    processor: ProcessorMixin,
    rows: Dataset,
    choice_answer: str,
    batch: int = 128,
) -> np.ndarray:
    """Return the last layer's state at the last prompt token, shape (questions, width).

    The paper does not name the token. `choice_answer` is as in `records.prompt_text`; `batch`
    questions go through the model at a time.
    """
    states = []
    for start in range(0, len(rows), batch):
        chunk = rows.select(range(start, min(start + batch, len(rows))))
        questions = chunk.remove_columns("image").to_list()
        texts = [prompt_text(row, choice_answer) for row in questions]
        coded = encode(processor, list(chunk["image"]), texts)
        inputs = {name: tensor.to(model.device) for name, tensor in coded.items()}
        places = (inputs["attention_mask"].cumsum(1) - 1).clamp(min=0)
        out = model(**inputs, position_ids=places, output_hidden_states=True, logits_to_keep=1)
        states.append(out.hidden_states[-1][:, -1].float().cpu().numpy())
    return np.concatenate(states)


def unknown_questions(
    answerable: Dataset, unanswerable: Dataset, n: int, seed: int
) -> tuple[Dataset, np.ndarray]:
    """Draw up to `n` questions that the model can not answer, half of each kind.

    Parameters
    ----------
    answerable : Dataset
        Records with a confidence; those below 0.2 are drawn from as intrinsic.
    unanswerable : Dataset
        Records of questions that the picture does not answer: extrinsic.
    n, seed : int
        Number of questions, and the seed of the draw.

    Returns
    -------
    tuple of Dataset and np.ndarray
        The questions and their labels, 0 for intrinsic and 1 for extrinsic.
    """
    rng = rng_for(seed, "probe")
    weak = np.flatnonzero(np.array(answerable["confidence"]) < UNKNOWN_BELOW)
    half = min(n // 2, len(weak), len(unanswerable))
    intrinsic = answerable.select(np.sort(rng.permutation(weak)[:half]))
    extrinsic = unanswerable.select(np.sort(rng.permutation(len(unanswerable))[:half]))
    return concatenate_datasets([intrinsic, extrinsic]), np.repeat([0, 1], half)


def probe(train_x: np.ndarray, train_y: np.ndarray, test_x: np.ndarray, seed: int) -> np.ndarray:
    """Train the probe's classifier and return what it says about each test row, 0 or 1.

    It has three linear layers with ReLU between them (paper); their widths are ours. Inputs have
    shape (questions, features).
    """
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
    """Return the probe's answers under every design, and those from the question's words alone.

    Parameters
    ----------
    states : dict
        "train" and "test" -> hidden states of the rows of that split.
    rows : dict
        "train" and "test" -> `probe_designs.frame` of its questions.
    seed : int
        Seed of the shuffles and of the classifier.

    Returns
    -------
    pd.DataFrame
        control (the design's name), shuffle (0, 1, ... where labels are shuffled), id, label, said.
        A design whose training rows are all of one kind, or that has no test rows, is left out.
    """
    train, test = (rows[split].reset_index(drop=True) for split in ("train", "test"))
    tables = []
    for design in designs(train, test, seed):
        if design.train.label.nunique() < 2 or design.test.empty:
            continue
        seen, unseen = states["train"][design.train.index], states["test"][design.test.index]
        tables.append(_said(design, design.name, seen, unseen, seed))
        if design.name == PAPER:
            words = CountVectorizer(min_df=2).fit(design.train.question)
            asked = (design.train.question, design.test.question)
            seen, unseen = (words.transform(part).toarray() for part in asked)
            tables.append(_said(design, "words alone", seen, unseen, seed))
    table = pd.concat(tables, ignore_index=True)
    return table.assign(shuffle=table.groupby(["control", "id"]).cumcount())


def _said(
    design: Design, control: str, train_x: np.ndarray, test_x: np.ndarray, seed: int
) -> pd.DataFrame:
    """Return the probe's answers to a design's test rows from these features."""
    said = probe(train_x, design.train.label, test_x, seed)
    return design.test[["id", "label"]].assign(control=control, said=said)

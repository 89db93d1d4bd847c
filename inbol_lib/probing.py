"""Can the model tell what it lacks, knowledge or the picture? A probe on its last hidden state (paper, App. G.4)."""

import numpy as np
import torch
from datasets import Dataset
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from inbol_lib.models import encode
from inbol_lib.records import prompt_text, rng_for


@torch.inference_mode()
def hidden_states(model, processor, rows: Dataset, choice_answer: str, batch: int = 128) -> np.ndarray:
    """Hidden state of the last layer at the last prompt token, shape (rows, width). (The paper does not name the token.)"""
    out = []
    for start in range(0, len(rows), batch):
        chunk = rows.select(range(start, min(start + batch, len(rows))))
        texts = [prompt_text(r, choice_answer) for r in chunk.remove_columns("image").to_list()]
        coded = {k: v.to(model.device) for k, v in encode(processor, list(chunk["image"]), texts).items()}
        places = (coded["attention_mask"].cumsum(1) - 1).clamp(min=0)
        states = model(**coded, position_ids=places, output_hidden_states=True, logits_to_keep=1).hidden_states[-1]
        out.append(states[:, -1].float().cpu().numpy())
    return np.concatenate(out)


def unknown_questions(answerable: Dataset, unanswerable: Dataset, n: int, seed: int) -> tuple[Dataset, np.ndarray]:
    """Up to `n` questions with confidence below 0.2, half intrinsic and half extrinsic, and their labels (0, 1)."""
    from datasets import concatenate_datasets

    rng = rng_for(seed, "probe")
    weak = np.flatnonzero(np.array(answerable["confidence"]) < 0.2)
    half = min(n // 2, len(weak), len(unanswerable))
    inside = answerable.select(np.sort(rng.permutation(weak)[:half]))
    outside = unanswerable.select(np.sort(rng.permutation(len(unanswerable))[:half]))
    return concatenate_datasets([inside, outside]), np.repeat([0, 1], half)


def probe(train_x: np.ndarray, train_y: np.ndarray, test_x: np.ndarray, test_y: np.ndarray, seed: int) -> float:
    """Test accuracy, in [0, 1], of a classifier with three linear layers and ReLU between them (widths are ours)."""
    network = MLPClassifier(hidden_layer_sizes=(128, 64), early_stopping=len(train_y) >= 200, max_iter=300, random_state=seed)
    return float(make_pipeline(StandardScaler(), network).fit(train_x, train_y).score(test_x, test_y))

"""Refusing without training: answer only where a label-free score of the untrained model is high enough (ours; El-Yaniv & Wiener, 2010).

The threshold is chosen on validation questions. What comes out is an outcome table, so that every metric and table applies to it."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from datasets import Dataset
from PIL import Image
from tqdm import trange
from transformers import PreTrainedModel, ProcessorMixin

from inbol_lib import evaluation, metrics, models
from inbol_lib.matching import normalise
from inbol_lib.params import Params
from inbol_lib.records import prompt, prompt_text
from inbol_lib.run import progress
from inbol_lib.sampling import sample

SCORES = ("self_consistency", "sequence_probability", "p_true")


def self_consistency(response: str, samples: Sequence[str]) -> float:
    """Share of the samples that say the same as the response, case, articles and punctuation aside, in [0, 1] (Wang et al., 2023)."""
    return float(np.mean([normalise(s) == normalise(response) for s in samples]))


@torch.inference_mode()
def p_true(
    model: PreTrainedModel, processor: ProcessorMixin, images: Sequence[Image.Image], texts: Sequence[str], responses: Sequence[str],
    batch_size: int = 32,
) -> np.ndarray:  # fmt: skip
    """P(yes) / (P(yes) + P(no)), in [0, 1], as the model's next token when asked whether its own response to each user text is right
    (inbol_lib/prompts/p_true.txt; Kadavath et al., 2022)."""
    asked = [prompt("p_true").format(question=t, response=r) for t, r in zip(texts, responses, strict=True)]
    yes, no = _first_tokens(processor)
    out = []
    for start in trange(0, len(asked), batch_size, desc="P(True)", unit="batch", disable=not progress()):
        part = slice(start, start + batch_size)
        batch = models.encode(processor, images[part], asked[part]).to(model.device)
        chances = torch.softmax(model(**batch, logits_to_keep=1).logits[:, -1].double(), -1)
        out += (chances[:, yes].sum(1) / (chances[:, yes].sum(1) + chances[:, no].sum(1))).tolist()
    return np.array(out)


def _first_tokens(processor: ProcessorMixin) -> list[list[int]]:
    """Ids with which "yes" and "no" may begin, with and without a capital and the space before; those that begin both say nothing."""
    forms = [[f"{space}{form}" for space in ("", " ") for form in (word, word.title())] for word in ("yes", "no")]
    yes, no = ({processor.tokenizer(form, add_special_tokens=False).input_ids[0] for form in word} for word in forms)
    if not (yes - no and no - yes):
        raise ValueError("this tokenizer begins yes and no with the same token, so P(True) can not be read off; leave p_true out")
    return [sorted(yes - no), sorted(no - yes)]


def scored(p: Params, rows: Dataset) -> pd.DataFrame:
    """The untrained model's outcome table on `rows` (as `evaluation.test_questions` gives them) with a column for each of SCORES.
    The scores see images, questions and the model's own words alone, never a gold answer."""
    table = evaluation.outcomes(p, "original", rows, None)
    model, processor = models.load(p.model)
    images, said = list(rows["image"]), table.response.tolist()
    texts = [prompt_text(r, p.choice_answer) for r in rows.remove_columns("image")]
    ask = (model, processor, images, texts)
    best = sample(*ask, 1, 0.0, 1.0, p.max_new_tokens, p.token_budget)
    drawn = sample(*ask, p.num_samples, p.temperature, p.top_p, p.max_new_tokens, p.token_budget, p.data_seed, list(rows["id"]))
    return table.assign(
        self_consistency=[self_consistency(r, [d.text for d in samples]) for r, samples in zip(said, drawn, strict=True)],
        sequence_probability=[float(np.exp(r.logprob)) for (r,) in best],
        p_true=p_true(*ask, said),
    )


def threshold(validation: pd.DataFrame, score: str, cost: float = 1.0) -> float:
    """The least score to answer at that gives the highest phi (s_trust at cost 1) on validation outcomes; infinite when refusing
    everything is best. Of equally good thresholds the one that answers most. Raises ValueError when given test outcomes."""
    if "test" in set(validation.split):
        raise ValueError("a threshold is chosen on validation questions, never on the test split; give the validation outcomes")
    curve = metrics.risk_coverage(validation, score)
    gain = np.append(0.0, curve.coverage - (1 + cost) * curve.generalised_risk)
    best = np.flatnonzero(gain >= gain.max() - 1e-12)[-1]
    return float(np.append(np.inf, curve.threshold)[best])


def refuse_below(outcomes: pd.DataFrame, score: str, least: float) -> pd.DataFrame:
    """The outcome table in which answers scored below `least` are refused; its method is the score's name. Raises ValueError when an
    answer has no score."""
    metrics.risk_coverage(outcomes, score)  # refuses missing scores, which would count as high enough or too low unseen
    return outcomes.assign(method=score, outcome=outcomes.outcome.where(outcomes[score] >= least, "refusal"))


def refuse_share(outcomes: pd.DataFrame, score: str, share: float) -> pd.DataFrame:
    """The outcome table in which the answers with the lowest scores are refused until `share` of all items is (in [0, 1]; ours). Ties are
    broken by the item's id, never by its outcome."""
    wanted = round(share * len(outcomes)) - int((outcomes.outcome == "refusal").sum())
    answered = outcomes[outcomes.outcome != "refusal"].sort_values([score, "id"]).index[: max(wanted, 0)]
    return outcomes.assign(method=score, outcome=outcomes.outcome.mask(outcomes.index.isin(answered), "refusal"))


def baselines(validation: pd.DataFrame, test: pd.DataFrame, scores: Sequence[str] = SCORES, cost: float = 1.0) -> pd.DataFrame:
    """Selective prediction by each score: outcomes on `test` under the threshold that is best on `validation`."""
    return pd.concat([refuse_below(test, s, threshold(validation, s, cost)) for s in scores], ignore_index=True).drop(columns=[*scores])

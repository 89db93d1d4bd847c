"""TODO."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from datasets import Dataset
from PIL import Image
from tqdm import trange
from transformers import PreTrainedModel, ProcessorMixin

from inbol_lib.data.records import prompt_text
from inbol_lib.data.templates import prompt
from inbol_lib.evaluation import asking
from inbol_lib.evaluation.selective import self_consistency
from inbol_lib.mllm import chat, loading
from inbol_lib.mllm.sampling import sample
from inbol_lib.params import Params
from inbol_lib.progress import progress


@torch.inference_mode()
def p_true(
    model: PreTrainedModel, processor: ProcessorMixin, images: Sequence[Image.Image], texts: Sequence[str], responses: Sequence[str],
    batch_size: int = 32,
) -> np.ndarray:  # fmt: skip
    """P(yes) / (P(yes) + P(no)), in [0, 1], as the model's next token when asked whether its own response to each user text is right
    (inbol_lib/prompts/p_true.txt; Kadavath et al., 2022)."""
    asked = [
        prompt("p_true").format(question=t, response=r)
        for t, r in zip(texts, responses, strict=True)
    ]
    yes, no = _first_tokens(processor)
    out = []
    for start in trange(
        0, len(asked), batch_size, desc="P(True)", unit="batch", disable=not progress()
    ):
        part = slice(start, start + batch_size)
        batch = chat.encode(processor, images[part], asked[part]).to(model.device)
        chances = torch.softmax(model(**batch, logits_to_keep=1).logits[:, -1].double(), -1)
        out += (chances[:, yes].sum(1) / (chances[:, yes].sum(1) + chances[:, no].sum(1))).tolist()
    return np.array(out)


def _first_tokens(processor: ProcessorMixin) -> list[list[int]]:
    """Ids with which "yes" and "no" may begin, with and without a capital and the space before; those that begin both say nothing."""
    forms = [
        [f"{space}{form}" for space in ("", " ") for form in (word, word.title())]
        for word in ("yes", "no")
    ]
    yes, no = (
        {processor.tokenizer(form, add_special_tokens=False).input_ids[0] for form in word}
        for word in forms
    )
    if not (yes - no and no - yes):
        raise ValueError(
            "this tokenizer begins yes and no with the same token, so P(True) can not be read off; leave p_true out"
        )
    return [sorted(yes - no), sorted(no - yes)]


def scored(p: Params, rows: Dataset) -> pd.DataFrame:
    """The untrained model's outcome table on `rows` (as `question_pools.test_questions` gives them) with a column for each of SCORES.
    The scores see images, questions and the model's own words alone, never a gold answer."""
    table = asking.outcomes(p, "original", rows, None)
    model, processor = loading.load(p.model)
    images, said = list(rows["image"]), table.response.tolist()
    texts = [prompt_text(r, p.choice_answer) for r in rows.remove_columns("image")]
    ask = (model, processor, images, texts)
    best = sample(*ask, 1, 0.0, 1.0, p.max_new_tokens, p.token_budget)
    drawn = sample(
        *ask,
        p.num_samples,
        p.temperature,
        p.top_p,
        p.max_new_tokens,
        p.token_budget,
        p.data_seed,
        list(rows["id"]),
    )
    return table.assign(
        self_consistency=[
            self_consistency(r, [d.text for d in samples])
            for r, samples in zip(said, drawn, strict=True)
        ],
        sequence_probability=[float(np.exp(r.logprob)) for (r,) in best],
        p_true=p_true(*ask, said),
    )

"""Scores of the untrained model's own answers that need no gold answer (for `selective`)."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from datasets import Dataset
from PIL import Image
from transformers import PreTrainedModel, ProcessorMixin

from inbol_lib.data.records import prompt_text
from inbol_lib.data.templates import prompt
from inbol_lib.evaluation import asking
from inbol_lib.evaluation.selective import self_consistency
from inbol_lib.mllm import chat
from inbol_lib.mllm.sampling import sample
from inbol_lib.params import Params
from inbol_lib.progress import bar


@torch.inference_mode()
def p_true(
    model: PreTrainedModel,
    processor: ProcessorMixin,
    images: Sequence[Image.Image],
    texts: Sequence[str],
    responses: Sequence[str],
    batch_size: int = 32,
) -> np.ndarray:
    """Return P(True): how probable the model finds it that its own response is right.

    Parameters
    ----------
    model, processor
        As `loading.load` gives them.
    images, texts, responses : sequences of one length
        Each question's picture, the user's message, and the model's response to it.
    batch_size : int
        Questions per forward pass.

    Returns
    -------
    np.ndarray
        P(yes) / (P(yes) + P(no)) of the next token after the prompt `p_true`, in [0, 1], one
        value per response (Kadavath et al., 2022).

    Raises
    ------
    ValueError
        When the tokenizer can not tell yes from no by their first token.
    """
    template = prompt("p_true")
    asked = [
        template.format(question=text, response=response)
        for text, response in zip(texts, responses, strict=True)
    ]
    yes_tokens, no_tokens = _first_tokens(processor)
    scores: list[float] = []
    starts = range(0, len(asked), batch_size)
    for start in bar("P(True)", "batch", len(starts), starts):
        part = slice(start, start + batch_size)
        batch = chat.encode(processor, images[part], asked[part]).to(model.device)
        logits = model(**batch, logits_to_keep=1).logits[:, -1]
        chances = torch.softmax(logits.double(), -1)
        yes, no = chances[:, yes_tokens].sum(1), chances[:, no_tokens].sum(1)
        scores += (yes / (yes + no)).tolist()
    return np.array(scores)


def _first_tokens(processor: ProcessorMixin) -> tuple[list[int], list[int]]:
    """Return the tokens with which "yes" and "no" may begin, capitalized or after a space or both.

    Tokens with which both may begin are left out: they say nothing.
    """

    def beginnings(word: str) -> set[int]:
        forms = [word, word.title(), f" {word}", f" {word.title()}"]
        coded = [processor.tokenizer(form, add_special_tokens=False) for form in forms]
        return {one.input_ids[0] for one in coded}

    yes, no = beginnings("yes"), beginnings("no")
    if not (yes - no and no - yes):
        raise ValueError(
            "this tokenizer begins yes and no with the same token, so P(True) can not be read off; "
            "leave p_true out"
        )
    return sorted(yes - no), sorted(no - yes)


def scored(p: Params, rows: Dataset, who: asking.Examinee | None = None) -> pd.DataFrame:
    """Return the untrained model's outcome table with a column for each of `selective.SCORES`.

    The scores are made from images, questions and the model's own words alone, never from a gold
    answer.

    Parameters
    ----------
    p : Params
        Model, judge and sampling settings.
    rows : Dataset
        Questions as `question_pools.test_questions` gives them.
    who : asking.Examinee, optional
        By default the model is loaded.
    """
    who = who or asking.examinee(p)
    greedy = asking.responses(p, "original", rows, None, who)
    table = asking.outcome_table(p, "original", rows, greedy)
    texts = [prompt_text(row, p.choice_answer) for row in rows.remove_columns("image")]
    asked = (who.model, who.processor, who.images(rows), texts)
    how = (p.num_samples, p.temperature, p.top_p, p.max_new_tokens, p.token_budget, p.data_seed)
    sampled = sample(*asked, *how, list(rows["id"]), who.features)
    said = table.response.tolist()
    return table.assign(
        self_consistency=[
            self_consistency(response, [one.text for one in samples])
            for response, samples in zip(said, sampled, strict=True)
        ],
        sequence_probability=[float(np.exp(answer.logprob)) for answer in greedy],
        p_true=p_true(*asked, said),
    )

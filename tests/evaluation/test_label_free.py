"""Scores of the untrained model that see no gold answer."""

import numpy as np
import pytest
from datasets import concatenate_datasets
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from transformers import PreTrainedTokenizerFast

from inbol_lib import params
from inbol_lib.data.records import prompt_text
from inbol_lib.evaluation import label_free, selective
from inbol_lib.micro import world
from inbol_lib.mllm import chat, loading

SCORES = list(selective.SCORES)


def questions(split, n):
    sources = [world.questions(source, split, n, 0) for source in ("vqav2", "scienceqa")]
    rows = concatenate_datasets(sources)
    rows = rows.add_column("confidence", [0.5] * len(rows))
    return rows.add_column("in_domain", [True] * len(rows))


@pytest.fixture(scope="module")
def p():
    return params.load("smoke", judge="string", num_samples=4)


@pytest.fixture(scope="module")
def validation(p):
    return label_free.scored(p, questions("validation", 15))


def test_scores_are_chances_and_see_no_gold_answer(p, validation):
    assert validation[SCORES].stack().between(0, 1).all()
    assert validation[SCORES].nunique().min() > 2
    blind = questions("validation", 15).map(lambda row: {"answers": ["nothing"]})
    again = label_free.scored(p, blind)
    assert again[SCORES].equals(validation[SCORES])
    assert not again.outcome.equals(validation.outcome)


def test_p_true_is_the_next_token_s_chance_alone_or_in_a_batch():
    model, processor = loading.load("micro-s", device="cpu")
    rows = questions("train", 3)
    images, texts = list(rows["image"]), [prompt_text(row) for row in rows]
    said = ["yes", "A", "a small red circle", "no", "B", "1"]
    found = label_free.p_true(model, processor, images, texts, said)
    single = [
        label_free.p_true(model, processor, [image], [text], [response])[0]
        for image, text, response in zip(images, texts, said, strict=True)
    ]
    assert found == pytest.approx(single, abs=1e-4)
    asked = f"Is this answer right? Answer yes or no.\nQuestion: {texts[0]}\nAnswer: yes"
    logits = model(**chat.encode(processor, images[:1], [asked])).logits[0, -1].detach()
    yes, no = (
        processor.tokenizer(word, add_special_tokens=False).input_ids for word in (" yes", " no")
    )
    assert len(yes) == len(no) == 1
    odds = (logits[yes[0]] - logits[no[0]]).item()
    assert found[0] == pytest.approx(1 / (1 + np.exp(-odds)), abs=0.02)


def test_a_tokenizer_that_can_not_tell_yes_from_no_is_refused():
    class Processor:
        tokenizer = PreTrainedTokenizerFast(
            tokenizer_object=Tokenizer(WordLevel({"?": 0}, unk_token="?"))
        )

    with pytest.raises(ValueError, match="leave p_true out"):
        label_free._first_tokens(Processor)

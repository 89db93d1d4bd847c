"""What both sides are given: questions about pictures of noise, and what there is to learn."""

from typing import Any

import numpy as np
from datasets import Dataset
from PIL import Image
from transformers import ProcessorMixin

from inbol_lib.data.templates import REFUSAL_TEMPLATES
from inbol_lib.mllm import chat
from inbol_lib.training import preference_loss
from inbol_lib.training.packing import RESPONSES

#: the paper's mix, unknown : mixed : known = 1 : 1 : 2
KINDS = ("unknown", "mixed", "known", "known")
CONFIDENCES = (0.0, 0.5, 0.9, 1.0)
WORDS = "what color is the small shape to the left of a red circle in this picture".split()


def preferences(questions: int, size: tuple[int, int], per_picture: int = 1) -> Dataset:
    """Preference rows of the paper's mix.

    Noise as pictures of `size` (height, width), `per_picture` questions of 6 to 15 words in a row
    about each.
    """
    rng = np.random.default_rng(0)
    pictures = [
        Image.fromarray(rng.integers(0, 256, (*size, 3), dtype=np.uint8))
        for _ in range(0, questions, per_picture)
    ]
    return Dataset.from_list(
        [preference(number, pictures[number // per_picture]) for number in range(questions)]
    )


def preference(number: int, picture: Image.Image) -> dict[str, Any]:
    return {
        "image": picture,
        "prompt": " ".join(WORDS[: 6 + number % 14]) + "?",
        "kind": KINDS[number % 4],
        "confidence": CONFIDENCES[number % 4],
        "correct": "two",
        "incorrect": "a green square",
        "refusal": REFUSAL_TEMPLATES[number % 24],
    }


def pairs(processor: ProcessorMixin, preferences: Dataset) -> Dataset:
    """The same as TRL's rows: one for a known or unknown question, two for a mixed one."""
    eos, made = processor.tokenizer.eos_token, []
    for row in preferences:
        prompt = chat.chat_prompt(processor, row["prompt"])
        for chosen, rejected in dict.fromkeys(preference_loss.PAIRS[row["kind"]]):
            said = {"chosen": RESPONSES[chosen], "rejected": RESPONSES[rejected]}
            said = {side: f" {row[response]}{eos}" for side, response in said.items()}
            made.append({"image": row["image"], "prompt": prompt, **said})
    return Dataset.from_list(made)


def instructions(preferences: Dataset) -> Dataset:
    """Every other question is answered, the others are refused."""
    said = [row["refusal" if i % 2 else "correct"] for i, row in enumerate(preferences)]
    return preferences.select_columns(["image", "prompt"]).add_column("response", said)


def conversations(instructions: Dataset) -> Dataset:
    """The same as TRL's rows of prompt and completion."""
    return Dataset.from_list(
        [
            {"images": [row["image"]], "prompt": [asked(row)], "completion": [answered(row)]}
            for row in instructions
        ]
    )


def messages(instructions: Dataset) -> Dataset:
    """The same as whole conversations, whose template marks what the assistant says."""
    return Dataset.from_list(
        [{"images": [r["image"]], "messages": [asked(r), answered(r)]} for r in instructions]
    )


def asked(row: dict[str, Any]) -> dict[str, str]:
    return {"role": "user", "content": row["prompt"]}


def answered(row: dict[str, Any]) -> dict[str, str]:
    return {"role": "assistant", "content": row["response"]}

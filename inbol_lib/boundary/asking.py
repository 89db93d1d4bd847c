"""Asking the generator and the verifier, the two models that help to make unanswerable questions.

Either may be a model in this process or an endpoint; in the paper GPT-4o is both (App. D.2).
"""

from collections.abc import Sequence
from pathlib import Path

from inbol_lib.mllm import loading
from inbol_lib.mllm.endpoints import PREFIX
from inbol_lib.mllm.sampling import sample
from inbol_lib.params import Params


def wording(name: str) -> str:
    """Return the suffix of the prompts that a model gets.

    Micro models learned short prompts of their own (suffix ""); all others get those of the
    paper's App. D.2 (suffix "_paper").
    """
    is_micro = Path(name.removeprefix(PREFIX)).name.startswith("micro-")
    return "" if is_micro else "_paper"


def ask(
    p: Params,
    name: str,
    rows: Sequence[dict],
    texts: Sequence[str],
    longest: int,
    temperature: float,
    seed: int = 0,
) -> list[str]:
    """Return one answer to each text about the image of its row.

    Parameters
    ----------
    p : Params
        Gives `top_p`, `token_budget` and `precision`.
    name : str
        A model id or "endpoint:<model>".
    rows : sequence of dict
        Question rows, of which `id` and `image` are used.
    texts : sequence of str
        One for each row.
    longest : int
        Longest answer in tokens.
    temperature : float
        0 is greedy.
    seed : int
        Together with the text and the row's id it determines the answer.

    Returns
    -------
    list of str
        "" where a request to an endpoint failed.

    Raises
    ------
    ValueError
        When rows and texts do not have the same length.
    """
    images = [row["image"] for row in rows]
    ids = [f"{text} {row['id']}" for text, row in zip(texts, rows, strict=True)]
    model, processor = loading.load(name, precision=p.precision)
    answers = sample(
        model, processor, images, texts, 1, temperature, p.top_p, longest, p.token_budget, seed, ids
    )
    return [answer.text or "" for (answer,) in answers]

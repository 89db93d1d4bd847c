"""The extrinsic boundary: questions that the image cannot answer (paper, Sec. 3.2 and App. D.2).

`making.py` makes more questions than are wanted; `build` sends them through a pipeline of filters
and counts every question where it ends. Each filter takes the rows that are left and says where
each of them ends, with a word of `ENDS`, or "" when the row passes.
"""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any, NamedTuple

import pandas as pd
from datasets import Dataset
from transformers import PreTrainedModel, ProcessorMixin

from inbol_lib.boundary import review
from inbol_lib.boundary.asking import ask, wording
from inbol_lib.boundary.confidence import pick
from inbol_lib.boundary.making import generated, swapped
from inbol_lib.data.records import RECORD_FEATURES, prompt_text, rng_for
from inbol_lib.data.templates import REFUSAL_TEMPLATES, prompt
from inbol_lib.errors import ParameterError
from inbol_lib.judging.hybrid import parse_verdict
from inbol_lib.judging.refusals import is_refusal
from inbol_lib.micro import world
from inbol_lib.mllm.sampling import greedy
from inbol_lib.params import Params

#: The verifier's three questions (paper, App. D.2), each a prompt `verify_<check>`.
CHECKS = ("absent", "premise", "beyond")
#: Where a question can end.
ENDS = [
    "duplicate",
    "unverified",
    "verified out",
    "already refused",
    "rejected by hand",
    "surplus",
    "kept",
]
#: What is counted: "unparsable" counts a generator's answers, all others count questions.
STEPS = ["unparsable", "generated", *ENDS]

Row = dict[str, Any]
Filter = Callable[[list[Row]], list[str]]


class Built(NamedTuple):
    """What `build` makes."""

    records: Dataset  # standard records with confidence 0
    counts: Counter  # (origin, step of STEPS) -> number of questions or answers
    made: pd.DataFrame  # every question that was made, with its end: `review.table`


def build(
    p: Params,
    questions: Dataset,
    n: int,
    model: PreTrainedModel,
    processor: ProcessorMixin,
    by_hand: bool = False,
    rejected: Collection[str] = (),
) -> Built:
    """Make unanswerable questions, filter them and turn the rest into standard records.

    Parameters
    ----------
    p : Params
    questions : Dataset
        Answerable questions whose words and images are used.
    n : int
        Most records wanted. Half as many again are made, because the filters drop some.
    model, processor
        The model under study; a question that it refuses anyway teaches nothing and is dropped.
    by_hand : bool
        Whether these are test questions. What the micro world itself can answer is dropped then,
        which stands in for the paper's filtering by hand and has no effect on other data, and
        what the model refuses anyway stays: the paper prints its original model's refusals there
        (12 and 20 %, Table 1).
    rejected : collection of str
        Digests of questions that a person rejected (`review.rejected`); surplus replaces them.

    Raises
    ------
    ParameterError
        When no question is left, when swapping finds only one image, or when "program" is to
        generate or verify questions outside the micro world.
    """
    p.check_program()
    made, unparsable = _make(p, questions, int(round(n * 1.5)) + 4)
    filters: tuple[Filter, ...] = (
        duplicates,
        partial(verification, p, strict=by_hand and p.dataset == "micro"),
        partial(refusals, p, model, processor, keep=by_hand),
        partial(review.ends, n=n, barred=rejected),
    )
    rows = made
    for ends_of in filters:
        rows = _survivors(rows, ends_of(rows))
    counts = _counted(made, {(p.unanswerable_generator, "unparsable"): unparsable})
    if not rows:
        raise ParameterError(
            f"no unanswerable question was left; try another generator or verifier: {dict(counts)}"
        )
    records = [{name: row[name] for name in RECORD_FEATURES} for row in rows]
    table = Dataset.from_list(records, features=RECORD_FEATURES)
    return Built(table, counts, review.table(made))


def _make(p: Params, questions: Dataset, wanted: int) -> tuple[list[Row], int]:
    """Make questions in both ways; also return how many of the generator's answers held none."""
    seed = p.data_seed + 7919
    swaps = swapped(questions, int(round(wanted * p.swap_share)), seed)
    others, unparsable = generated(p, questions, wanted - len(swaps), seed + 1)
    return swaps + others, unparsable


def _survivors(rows: Sequence[Row], ends: Sequence[str]) -> list[Row]:
    """Write down where each row ends, and return those that end nowhere yet."""
    for row, end in zip(rows, ends, strict=True):
        row["end"] = end
    return [row for row in rows if not row["end"]]


def _counted(made: Sequence[Row], start: dict[tuple[str, str], int]) -> Counter:
    """Count every question twice, as generated and where it ended, on top of `start`."""
    counts = Counter(start)
    for row in made:
        counts[row["origin"], "generated"] += 1
        counts[row["origin"], row["end"] or "kept"] += 1
    return counts


def duplicates(rows: Sequence[Row]) -> list[str]:
    """Filter: drop a question that was already made about the same image."""
    seen = set()
    ends = []
    for row in rows:
        key = (row["image_id"], row["question"])
        ends.append("duplicate" if key in seen else "")
        seen.add(key)
    return ends


def verification(p: Params, rows: Sequence[Row], strict: bool) -> list[str]:
    """Filter: drop what the verifier calls answerable, or what it did not judge readably.

    Adds the verifier's answers (`checks`) and the question's `digest` to each row.

    Parameters
    ----------
    p : Params
    rows : sequence of dict
    strict : bool
        Also drop what the micro world itself can answer.
    """
    ends = []
    for row, checks in zip(rows, checked(p, rows), strict=True):
        row["checks"] = checks
        row["digest"] = review.digest(row["image"], row["question"])
        verdict = passes(checks)
        if strict and world_says_unanswerable(row) is False:
            verdict = False
        ends.append({True: "", False: "verified out", None: "unverified"}[verdict])
    return ends


def refusals(
    p: Params,
    model: PreTrainedModel,
    processor: ProcessorMixin,
    rows: Sequence[Row],
    keep: bool = False,
) -> list[str]:
    """Filter: drop what the model under study refuses anyway, or what it failed to answer.

    With `keep` what it refuses stays.

    Adds the model's answer (`responses`, `incorrect`) and a refusal template (`refusal`) to each
    row.
    """
    images = [row["image"] for row in rows]
    texts = [prompt_text(row) for row in rows]
    answers = greedy(model, processor, images, texts, p.max_new_tokens, p.token_budget)
    ends = []
    for row, answer in zip(rows, answers, strict=True):
        row["responses"] = [answer]
        row["incorrect"] = answer
        row["refusal"] = pick(REFUSAL_TEMPLATES, rng_for(p.data_seed, row["id"]))
        if answer is None:
            ends.append("unverified")
        else:
            ends.append("already refused" if is_refusal(answer) and not keep else "")
    return ends


def checked(p: Params, rows: Sequence[Row]) -> list[list[bool | None]]:
    """Return the verifier's answer to each of `CHECKS` about each question.

    Returns
    -------
    list of list of bool or None
        Shape (questions, checks). True is "yes, it is unanswerable for this reason"; None is an
        answer that was neither yes nor no. The verifier "program" gives one verdict instead.
    """
    if p.verifier == "program":
        return [[world_says_unanswerable(row) is not False] for row in rows]
    texts = []
    for check in CHECKS:
        template = prompt(f"verify_{check}{wording(p.verifier)}")
        texts += [template.format(question=row["question"]) for row in rows]
    answers = ask(p, p.verifier, list(rows) * len(CHECKS), texts, 4, 0.0)
    verdicts = [parse_verdict(answer) for answer in answers]
    return [verdicts[index :: len(rows)] for index in range(len(rows))]


def passes(checks: Sequence[bool | None]) -> bool | None:
    """Return whether a question passes as unanswerable (paper, App. D.2).

    One yes is enough, and three times no drops the question. None when no check said yes and some
    answer was neither yes nor no.
    """
    if any(checks):
        return True
    return None if None in checks else False


def world_says_unanswerable(row: Row) -> bool | None:
    """Return the micro world's own verdict, or None where it cannot read the question.

    It stands in for the paper's filtering of the test questions by hand.
    """
    answerable = world.is_answerable(world.scene_of(row["image_id"]), row["question"])
    return None if answerable is None else not answerable

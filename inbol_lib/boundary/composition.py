"""Training data from standard records: IDK instructions and preference pairs (paper, Sec. 3.2).

Sizes, ratios and the even spread over the sources follow App. E. The test sets are composed in
`test_sets.py`.
"""

import math
from typing import Any

import numpy as np
import pandas as pd
from datasets import Dataset, concatenate_datasets

from inbol_lib.boundary.classes import classify, leaves_mixed, shortage, tell_sizes
from inbol_lib.data.records import LETTERS, prompt_text
from inbol_lib.errors import ParameterError
from inbol_lib.params import Params
from inbol_lib.progress import say

_INSTRUCTION_COLUMNS = ["id", "prompt", "response", "kind", "source"]
_PREFERENCE_COLUMNS = [
    "id",
    "prompt",
    "confidence",
    "kind",
    "correct",
    "incorrect",
    "refusal",
    "source",
]
#: Classes in the order of `pair_ratio`, in which they are drawn as well.
PAIR_KINDS = ("unknown", "mixed", "known")


def describe(records: Dataset, p: Params) -> pd.DataFrame:
    """Return one line per record, without its image.

    Returns
    -------
    DataFrame
        The text columns of the records, `row` (position in `records`), `prompt`, and `kind`
        ("known", "mixed", "unknown" or "unjudged").
    """
    columns = [name for name in records.column_names if name != "image"]
    frame = pd.DataFrame(records.remove_columns("image").to_list(), columns=columns)
    frame["row"] = range(len(frame))
    frame["prompt"] = [prompt_text(row, p.choice_answer) for row in frame.to_dict("records")]
    frame["kind"] = [
        classify(value, p.delta_known, p.delta_unknown) for value in frame["confidence"]
    ]
    return frame


def apportion(wanted: dict[str, int], there: dict[str, int], rule: str) -> dict[str, int]:
    """Return how many questions of each class to take when some classes may be short (ours).

    Parameters
    ----------
    wanted, there : dict
        Class -> how many questions are wanted, and how many there are.
    rule : str
        The parameter `short_class`: "refuse" raises an error, "shrink" scales all classes down by
        one factor, so that their ratio stays, and "repeat" keeps what is wanted, so that
        questions of a short class are drawn more than once.

    Raises
    ------
    ParameterError
        When a class is short under "refuse", or has no questions at all under any rule.
    """
    have = {kind: there.get(kind, 0) for kind in wanted}
    short = [kind for kind in wanted if have[kind] < wanted[kind]]
    if not short:
        return dict(wanted)
    if rule == "refuse" or any(have[kind] == 0 for kind in short):
        listed = "; ".join(f"{kind}: {have[kind]} there, {wanted[kind]} wanted" for kind in short)
        raise ParameterError(
            f"too few questions ({listed}). "
            "Estimate more, ask for less, or set short_class to shrink or repeat."
        )
    if rule == "repeat":
        return dict(wanted)
    scarcest = min(short, key=lambda kind: have[kind] / wanted[kind])
    # In whole numbers, because in floating point 15 / 22 * 22 is less than 15.
    return {kind: n * have[scarcest] // wanted[scarcest] for kind, n in wanted.items()}


def draw(frame: pd.DataFrame, n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Draw `n` rows, spread over the sources as evenly as these allow.

    Rows repeat only when there are fewer than `n`, and then none repeats before all are drawn.
    """
    if len(frame) == 0 or n == 0:
        return frame.head(0)
    rounds = []
    for _ in range(math.ceil(n / len(frame))):
        shuffled = frame.iloc[rng.permutation(len(frame))]
        turn = shuffled.groupby("source").cumcount()
        rounds.append(shuffled.iloc[np.argsort(turn, kind="stable")])
    return pd.concat(rounds).head(n)


def _take(
    answerable: Dataset,
    inside: pd.DataFrame,
    unanswerable: Dataset,
    outside: pd.DataFrame,
    columns: list[str],
) -> Dataset:
    """Return the named columns of the drawn rows together with the images of both tables."""
    images = []
    for table, frame in ((answerable, inside), (unanswerable, outside)):
        if len(frame):
            images.append(table.select(frame["row"].to_list()).select_columns(["image"]))
    texts = Dataset.from_list(pd.concat([inside, outside])[columns].to_dict("records"))
    return concatenate_datasets([concatenate_datasets(images), texts], axis=1)


def instructions(
    answerable: Dataset, unanswerable: Dataset, p: Params
) -> tuple[Dataset, Dataset, dict[str, Any]]:
    """Compose the IDK instructions and, of the same size, the instructions of plain SFT.

    IDK-IT (Sec. 3.2): a known question is answered with a correct response, an unknown one with a
    refusal, and mixed ones are left out. Half of the unknown questions are intrinsic and half
    unanswerable where there are enough of both. SFT (Sec. 4.1.2): an answerable question is
    answered with its gold answer whatever the confidence, an unanswerable one with a refusal.

    Parameters
    ----------
    answerable, unanswerable : Dataset
        Standard records.
    p : Params

    Returns
    -------
    idk, sft : Dataset
        Rows with `image`, `id`, `prompt`, `response`, `kind` and `source`.
    counts : dict
        How many of each class were taken, wanted and there.

    Raises
    ------
    ParameterError
        As in `apportion`.
    """
    rng = np.random.default_rng(p.data_seed + 101)
    inside, outside = describe(answerable, p), describe(unanswerable, p)
    counts = instruction_sizes(inside, outside, p)
    known, intrinsic = inside[_answered_known(inside)], inside[inside.kind == "unknown"]

    # The order of the draws is part of the result.
    right = draw(known.assign(response=known.correct), counts["known"], rng)
    unknown = intrinsic.assign(response=intrinsic.refusal)
    unknown = draw(unknown, counts["unknown_intrinsic"], rng)
    refused = outside.assign(response=outside.refusal, kind="unanswerable")
    refused = draw(refused, counts["unknown_extrinsic"], rng)
    gold = draw(_with_gold(inside, p.choice_answer), len(right) + len(unknown), rng)

    tell_sizes("instructions", counts, sizes_of(counts), p, len(inside))
    taught = pd.concat([right, unknown])
    idk = _take(answerable, taught, unanswerable, refused, _INSTRUCTION_COLUMNS)
    sft = _take(answerable, gold, unanswerable, refused, _INSTRUCTION_COLUMNS)
    return idk, sft, counts


def sizes_of(counts: dict[str, Any]) -> dict[str, int]:
    """Return class -> instructions that are taken, of what `instruction_sizes` counts."""
    unknown = counts["unknown_intrinsic"] + counts["unknown_extrinsic"]
    return {"known": counts["known"], "unknown": unknown}


def foretell(inside: pd.DataFrame, p: Params) -> None:
    """Say aloud, once confidence is known, what 03 will find short by more than half or refuse.

    The unanswerable questions are still to be made; as many are counted as are asked for.

    Parameters
    ----------
    inside : pd.DataFrame
        One line per answerable record (`describe`); `kind`, `correct` and `incorrect` are read.
    p : Params
    """
    made = pd.DataFrame(
        {"kind": "unknown", "correct": "", "incorrect": "to be made"},
        index=range(p.num_unanswerable),
    )
    try:
        taught, preferred = instruction_sizes(inside, made, p), preference_sizes(inside, made, p)
    except ParameterError as error:
        say(f"notebook 03 will refuse this: {error}", loud=True)
        return
    of_taught, of_preferred = sizes_of(taught), {kind: preferred[kind] for kind in PAIR_KINDS}
    for what, counts, sizes in (
        ("instructions", taught, of_taught),
        ("preference questions", preferred, of_preferred),
    ):
        if word := shortage(what, counts, sizes, p, len(inside)):
            say(f"in notebook 03, {word}", loud=True)


def instruction_sizes(inside: pd.DataFrame, outside: pd.DataFrame, p: Params) -> dict[str, Any]:
    """Count the IDK instructions that `instructions` composes, without drawing any.

    Parameters
    ----------
    inside, outside : pd.DataFrame
        One line per answerable and per unanswerable record (`describe`); of the former, `kind`
        and `correct` are read.
    p : Params

    Returns
    -------
    dict
        `known`, `unknown_intrinsic` and `unknown_extrinsic`: questions that are taken; `wanted`
        and `there`: class -> questions.

    Raises
    ------
    ParameterError
        As in `apportion`.
    """
    known, intrinsic = int(_answered_known(inside).sum()), int((inside.kind == "unknown").sum())
    n_known = int(round(p.num_instructions * p.known_share))
    wanted = {"known": n_known, "unknown": p.num_instructions - n_known}
    there = {"known": known, "unknown": intrinsic + len(outside)}
    sizes = apportion(wanted, there, p.short_class)
    n_extrinsic = extrinsic_share(sizes["unknown"], intrinsic, len(outside))
    return {
        "known": sizes["known"],
        "unknown_intrinsic": sizes["unknown"] - n_extrinsic,
        "unknown_extrinsic": n_extrinsic,
        "wanted": wanted,
        "there": there,
    }


def _answered_known(inside: pd.DataFrame) -> pd.Series:
    """Return whether each question is known, with a right response to learn from."""
    return (inside.kind == "known") & (inside.correct != "")


def _with_gold(inside: pd.DataFrame, choice_answer: str) -> pd.DataFrame:
    responses = [spoken_gold(row, choice_answer) for row in inside.to_dict("records")]
    return inside.assign(response=responses, kind="answerable")


def extrinsic_share(n: int, intrinsic: int, extrinsic: int) -> int:
    """Return how many of `n` unknown questions are to be unanswerable ones (ours).

    That is half of them, or more or less where one kind has too few. When both kinds together
    have too few (short_class "repeat"), it is half again, or all or none when only one kind
    exists.

    Parameters
    ----------
    n : int
        Unknown questions to take.
    intrinsic, extrinsic : int
        How many there are of each kind.
    """
    if intrinsic + extrinsic >= n:
        return min(max(n // 2, n - intrinsic), extrinsic)
    if intrinsic and extrinsic:
        return n // 2
    return n if extrinsic else 0


def spoken_gold(row: dict, choice_answer: str) -> str:
    """Return the gold answer as the model is to say it.

    For a multiple-choice question that is the option's letter when `choice_answer` is "letter",
    and its text otherwise.
    """
    gold = row["answers"][0]
    if row["choices"] and choice_answer == "letter":
        return LETTERS[row["choices"].index(gold)]
    return gold


def preferences(
    answerable: Dataset, unanswerable: Dataset, p: Params
) -> tuple[Dataset, dict[str, Any]]:
    """Compose the questions for CA-DPO and the DPO variants (paper, Sec. 3.2 and App. E).

    Known: correct > refusal. Unknown: refusal > incorrect. Mixed: correct > incorrect and
    refusal > incorrect, so that a mixed question makes two pairs. `p.pair_ratio` is the ratio of
    unknown, mixed and known questions; `p.num_pairs` counts pairs.

    Parameters
    ----------
    answerable, unanswerable : Dataset
        Standard records.
    p : Params

    Returns
    -------
    rows : Dataset
        One row per question: `image`, `id`, `prompt`, `confidence`, `kind`, the three responses
        and `source`.
    counts : dict
        Questions of each class that were taken, wanted and there, the number of pairs, and how
        many questions were not eligible because they lack a response or were never judged.

    Raises
    ------
    ParameterError
        As in `apportion`.
    """
    rng = np.random.default_rng(p.data_seed + 202)
    inside = describe(answerable, p).assign(table=0)
    outside = describe(unanswerable, p).assign(kind="unknown", table=1)
    both = pd.concat([inside, outside])
    counts = preference_sizes(inside, outside, p)
    eligible, sizes = both[_eligible(both)], {kind: counts[kind] for kind in PAIR_KINDS}
    drawn = pd.concat([draw(eligible[eligible.kind == kind], n, rng) for kind, n in sizes.items()])

    tell_sizes("preference questions", counts, sizes, p, len(inside))
    of_inside, of_outside = drawn[drawn.table == 0], drawn[drawn.table == 1]
    rows = _take(answerable, of_inside, unanswerable, of_outside, _PREFERENCE_COLUMNS)
    return rows, counts


def preference_sizes(inside: pd.DataFrame, outside: pd.DataFrame, p: Params) -> dict[str, Any]:
    """Count the questions that `preferences` composes, without drawing any.

    Parameters
    ----------
    inside, outside : pd.DataFrame
        One line per answerable and per unanswerable record (`describe`), of which `kind`,
        `correct` and `incorrect` are read; unanswerable ones count as unknown.
    p : Params

    Returns
    -------
    dict
        The counts of `preferences`.

    Raises
    ------
    ParameterError
        As in `apportion`, or if mixed questions alone are wanted and there can be none.
    """
    columns = ["kind", "correct", "incorrect"]
    both = pd.concat([inside[columns], outside.assign(kind="unknown")[columns]])
    kinds = both.kind[_eligible(both)]
    wanted = _wanted_for_pairs(p)
    there = kinds.value_counts().to_dict()
    sizes = apportion(wanted, there, p.short_class)
    return {
        **sizes,
        "pairs": sum(sizes.values()) + sizes["mixed"],
        "wanted": wanted,
        "there": there,
        "not_eligible": len(both) - len(kinds),
    }


def _wanted_for_pairs(p: Params) -> dict[str, int]:
    """Return class -> how many questions make `p.num_pairs` pairs.

    No mixed ones are wanted where the thresholds leave none, as in the cells of Fig. 10 with
    neighbouring thresholds; the others then make all the pairs.
    """
    ratio = dict(zip(PAIR_KINDS, p.pair_ratio, strict=True))
    if not leaves_mixed(p):
        ratio["mixed"] = 0.0
    parts = sum(ratio.values()) + ratio["mixed"]
    if not parts:
        raise ParameterError(
            f"pair_ratio ({p.pair_ratio}) asks for mixed questions alone, but no confidence lies "
            f"between delta_known ({p.delta_known}) and delta_unknown ({p.delta_unknown})"
        )
    return {kind: round(p.num_pairs / parts * share) for kind, share in ratio.items()}


def _eligible(frame: pd.DataFrame) -> pd.Series:
    """Return whether each question was judged and has every response that its pairs need."""
    lacks_correct = (frame.kind != "unknown") & (frame.correct == "")
    lacks_incorrect = (frame.kind != "known") & (frame.incorrect == "")
    return (frame.kind != "unjudged") & ~lacks_correct & ~lacks_incorrect

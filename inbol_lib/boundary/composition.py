"""IDK instructions, preference pairs and balanced test sets from standard records (paper, Sec. 3.2, App. E, F)."""

from typing import Any

import numpy as np
import pandas as pd
from datasets import Dataset, concatenate_datasets

from inbol_lib.boundary.classes import classify
from inbol_lib.data.records import LETTERS, prompt_text
from inbol_lib.errors import ParameterError
from inbol_lib.params import Params


def describe(records: Dataset, p: Params) -> pd.DataFrame:
    """One line per record without its image: its text columns, prompt, and `kind` (known, mixed, unknown)."""
    frame = pd.DataFrame(
        records.remove_columns("image").to_list(),
        columns=[c for c in records.column_names if c != "image"],
    )
    frame["row"] = range(len(frame))
    frame["prompt"] = (
        [prompt_text(r, p.choice_answer) for r in frame.to_dict("records")] if len(frame) else []
    )
    frame["kind"] = [classify(c, p.delta_known, p.delta_unknown) for c in frame["confidence"]]
    return frame


def apportion(wanted: dict[str, int], there: dict[str, int], rule: str) -> dict[str, int]:
    """How many of each class to take under `short_class`: "refuse" raises ParameterError, "shrink" scales all classes
    down by one factor (the ratio stays), "repeat" keeps what is wanted (short classes are drawn again)."""
    short = {k: (there.get(k, 0), n) for k, n in wanted.items() if there.get(k, 0) < n}
    if short and (rule == "refuse" or any(have == 0 for have, _ in short.values())):
        text = "; ".join(f"{k}: {have} there, {want} wanted" for k, (have, want) in short.items())
        raise ParameterError(
            f"too few questions ({text}). Estimate more, ask for less, or set short_class to shrink or repeat."
        )
    if not short or rule == "repeat":
        return dict(wanted)
    have, want = min(short.values(), key=lambda pair: pair[0] / pair[1])
    return {
        k: n * have // want for k, n in wanted.items()
    }  # whole numbers: 15 / 22 * 22 is less than 15


def draw(frame: pd.DataFrame, n: int, rng: np.random.Generator) -> pd.DataFrame:
    """`n` rows, as evenly over the sources as they allow; rows repeat only when there are fewer than `n`."""
    if len(frame) == 0 or n == 0:
        return frame.head(0)
    rounds = [frame.iloc[rng.permutation(len(frame))] for _ in range(-(-n // len(frame)))]
    return pd.concat(
        r.iloc[np.argsort(r.groupby("source").cumcount(), kind="stable")] for r in rounds
    ).head(n)


def _take(
    answerable: Dataset,
    inside: pd.DataFrame,
    unanswerable: Dataset,
    outside: pd.DataFrame,
    columns: list[str],
) -> Dataset:
    """The chosen rows of both tables with their images and the named columns of the frames."""
    images = [table.select(frame["row"].to_list()).select_columns(["image"]) for table, frame in
              ((answerable, inside), (unanswerable, outside)) if len(frame)]  # fmt: skip
    texts = Dataset.from_list(pd.concat([inside, outside])[columns].to_dict("records"))
    return concatenate_datasets([concatenate_datasets(images), texts], axis=1)


def instructions(
    answerable: Dataset, unanswerable: Dataset, p: Params
) -> tuple[Dataset, Dataset, dict[str, Any]]:
    """IDK instructions, SFT instructions of the same size, and counts.

    IDK-IT (Sec. 3.2): known -> a correct response, unknown -> a refusal (half intrinsic, half unanswerable where there are
    enough), mixed left out. SFT (Sec. 4.1.2): answerable -> the gold answer whatever the confidence; unanswerable -> refusal.
    """
    rng = np.random.default_rng(p.data_seed + 101)
    inside, outside = describe(answerable, p), describe(unanswerable, p)
    known = inside[(inside.kind == "known") & (inside.correct != "")]
    intrinsic = inside[inside.kind == "unknown"]
    n_known = int(round(p.num_instructions * p.known_share))
    wanted = {"known": n_known, "unknown": p.num_instructions - n_known}
    there = {"known": len(known), "unknown": len(intrinsic) + len(outside)}
    sizes = apportion(wanted, there, p.short_class)
    n_out = extrinsic_share(sizes["unknown"], len(intrinsic), len(outside))
    spoken = inside.assign(
        response=[spoken_gold(r, p.choice_answer) for r in inside.to_dict("records")],
        kind="answerable",
    )
    right = draw(known.assign(response=known.correct), sizes["known"], rng)
    unknown = draw(intrinsic.assign(response=intrinsic.refusal), sizes["unknown"] - n_out, rng)
    refused = draw(outside.assign(response=outside.refusal, kind="unanswerable"), n_out, rng)
    gold = draw(spoken, len(right) + len(unknown), rng)
    columns = ["id", "prompt", "response", "kind", "source"]
    idk, sft = (
        _take(answerable, pd.concat(taught), unanswerable, refused, columns)
        for taught in ([right, unknown], [gold])
    )
    counts = {"known": len(right), "unknown_intrinsic": len(unknown), "unknown_extrinsic": len(refused),
              "wanted": wanted, "there": there}  # fmt: skip
    return idk, sft, counts


def extrinsic_share(n: int, intrinsic: int, extrinsic: int) -> int:
    """How many of `n` unknown questions are unanswerable ones: half, or what the other half leaves. Where both together are
    too few (short_class "repeat"), half each, or all of the kind that is there."""
    if intrinsic + extrinsic < n:
        return n // 2 if intrinsic and extrinsic else (n if extrinsic else 0)
    return min(max(n // 2, n - intrinsic), extrinsic)


def spoken_gold(row: dict, choice_answer: str) -> str:
    """The gold answer as the model is to say it: for multiple choice the option's letter or text."""
    by_letter = row["choices"] and choice_answer == "letter"
    return LETTERS[row["choices"].index(row["answers"][0])] if by_letter else row["answers"][0]


def preferences(
    answerable: Dataset, unanswerable: Dataset, p: Params
) -> tuple[Dataset, dict[str, Any]]:
    """One row per question for CA-DPO and the DPO variants, and counts (paper, Sec. 3.2, App. E).

    Known: correct > refusal. Unknown: refusal > incorrect. Mixed: correct > incorrect and refusal > incorrect, so a mixed
    question makes two pairs; `pair_ratio` is unknown : mixed : known questions, `num_pairs` counts pairs.
    """
    rng = np.random.default_rng(p.data_seed + 202)
    inside, outside = describe(answerable, p), describe(unanswerable, p).assign(kind="unknown")
    both = pd.concat([inside.assign(table=0), outside.assign(table=1)])
    lacking = ((both.kind != "unknown") & (both.correct == "")) | (
        (both.kind != "known") & (both.incorrect == "")
    )
    eligible = both[
        (both.kind != "unjudged") & ~lacking
    ]  # every response that its pairs need is there
    unit = p.num_pairs / (sum(p.pair_ratio) + p.pair_ratio[1])
    wanted = {
        kind: round(unit * share)
        for kind, share in zip(("unknown", "mixed", "known"), p.pair_ratio, strict=True)
    }
    there = eligible.kind.value_counts().to_dict()
    sizes = apportion(wanted, there, p.short_class)
    drawn = pd.concat([draw(eligible[eligible.kind == k], n, rng) for k, n in sizes.items()])
    columns = ["id", "prompt", "confidence", "kind", "correct", "incorrect", "refusal", "source"]
    rows = _take(
        answerable, drawn[drawn.table == 0], unanswerable, drawn[drawn.table == 1], columns
    )
    counts = {
        **sizes,
        "pairs": len(drawn) + sizes["mixed"],
        "wanted": wanted,
        "there": there,
        "not_eligible": len(both) - len(eligible),
    }
    return rows, counts

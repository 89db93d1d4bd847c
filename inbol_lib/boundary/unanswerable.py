"""The extrinsic boundary: questions that the image can not answer (paper, Sec. 3.2 and App. D.2).

Two ways: swap the image under a question, or prompt a generator for two questions per image. Three checks verify them,
and what the original model refuses anyway, or a person rejected, is dropped. Every question that was made is counted where it ends.
"""

from collections import Counter
from collections.abc import Collection
from pathlib import Path

import numpy as np
import pandas as pd
from datasets import Dataset

from inbol_lib.boundary import review
from inbol_lib.boundary.confidence import pick
from inbol_lib.boundary.generated_text import parse_pairs
from inbol_lib.data.records import RECORD_FEATURES, prompt_text, rng_for
from inbol_lib.data.templates import REFUSAL_TEMPLATES, prompt
from inbol_lib.errors import ParameterError
from inbol_lib.judging.hybrid import parse_verdict
from inbol_lib.judging.refusals import is_refusal
from inbol_lib.micro import world
from inbol_lib.mllm import loading
from inbol_lib.mllm.endpoints import PREFIX
from inbol_lib.mllm.sampling import greedy, sample
from inbol_lib.params import Params

CHECKS = ("absent", "premise", "beyond")
#: Where a question ends, and what is counted: "unparsable" are a generator's answers, the others questions.
ENDS = [
    "duplicate",
    "unverified",
    "verified out",
    "already refused",
    "rejected by hand",
    "surplus",
    "kept",
]
STEPS = ["unparsable", "generated", *ENDS]


def swapped(questions: Dataset, n: int, seed: int) -> list[dict]:
    """`n` open questions, each with the image of another row (never its own); Question rows without answers."""
    rng = np.random.default_rng(seed)
    meta = questions.remove_columns("image").to_list()
    if n and len({r["image_id"] for r in meta}) < 2:
        raise ParameterError(
            "swapping needs two images or more, and all questions share one; set swap_share to 0 or add images"
        )
    open_rows = [i for i, r in enumerate(meta) if not r["choices"]] or list(range(len(meta)))
    rows = []
    for i in rng.permutation(open_rows)[:n]:
        j = next(
            j
            for j in rng.permutation(len(meta)).tolist()
            if meta[j]["image_id"] != meta[i]["image_id"]
        )
        rows.append(_row(questions[j], meta[i]["question"], f"swap-{meta[i]['id']}", "swap"))
    return rows


def generated(p: Params, questions: Dataset, n: int, seed: int) -> tuple[list[dict], int]:
    """About `n` questions from `p.unanswerable_generator`, two per image, and the number of its answers that held none.

    "program" knows the micro world's scenes and stands for GPT-4o. All but micro models are given the paper's prompt (Fig. 8; what
    is illegible in the available copy is ours).
    """
    name = p.unanswerable_generator
    _, firsts = np.unique(questions["image_id"], return_index=True)
    rows = list(
        questions.select(np.random.default_rng(seed).permutation(np.sort(firsts))[: (n + 1) // 2])
    )
    if name == "program":
        pairs = [_program(row["image_id"], seed) for row in rows]
    else:
        text, longest = (
            prompt(f"generate_unanswerable{_wording(name)}"),
            256 if _wording(name) else 96,
        )
        said = _ask(
            p, name, rows, [text] * len(rows), longest, p.temperature, seed
        )  # greedy answers repeat themselves
        pairs = [parse_pairs(answer) for answer in said]
    made = [_row(row, question, f"{name}-{k}-{row['image_id']}", name) | {"explanation": why}
            for row, found in zip(rows, pairs, strict=True) for k, (question, why) in enumerate(found[:2])]  # fmt: skip
    return made[:n], sum(not found for found in pairs)


def _wording(name: str) -> str:
    """Which prompts a model gets: "" the short ones that micro models learned, "_paper" those of App. D.2."""
    return "" if Path(name.removeprefix(PREFIX)).name.startswith("micro-") else "_paper"


def _program(image_id: str, seed: int) -> list[tuple[str, str]]:
    rng = rng_for(seed, image_id)
    return [
        world.unanswerable(world.scene_of(image_id), rng, kind)
        for kind in (str(rng.choice(["absent", "premise"])), "beyond")
    ]


def _ask(
    p: Params,
    name: str,
    rows: list[dict],
    texts: list[str],
    longest: int,
    temperature: float,
    seed: int = 0,
) -> list[str]:
    """One answer to each text about its row's image, from a model in process or an endpoint ("" where a request failed)."""
    images = [r["image"] for r in rows]
    ids = [f"{text} {row['id']}" for text, row in zip(texts, rows, strict=True)]
    drawn = sample(
        *loading.load(name),
        images,
        texts,
        1,
        temperature,
        p.top_p,
        longest,
        p.token_budget,
        seed,
        ids,
    )
    return [answer.text or "" for (answer,) in drawn]


def _row(shown: dict, question: str, name: str, origin: str) -> dict:
    """An unanswerable question about the image of `shown`: a record that lacks its answer and its refusal."""
    keep = {k: shown[k] for k in ("image", "image_id", "split")}
    return {**keep, "id": name, "group": name, "question": question, "answers": [], "choices": [], "source": "uavqa",
            "accepted": [], "origin": origin, "verdicts": ["incorrect"], "confidence": 0.0, "correct": ""}  # fmt: skip


def checked(p: Params, rows: list[dict]) -> list[list[bool | None]]:
    """What the verifier answers to each of CHECKS about each question, None where it was neither yes nor no ("program": one verdict)."""
    if p.verifier == "program":
        return [[world_says_unanswerable(r) is not False] for r in rows]
    texts = [
        prompt(f"verify_{check}{_wording(p.verifier)}").format(question=r["question"])
        for check in CHECKS
        for r in rows
    ]
    said = [
        parse_verdict(answer) for answer in _ask(p, p.verifier, rows * len(CHECKS), texts, 4, 0.0)
    ]
    return [said[i :: len(rows)] for i in range(len(rows))]


def passes(checks: list[bool | None]) -> bool | None:
    """Whether a question passes: some check answers yes (paper, App. D.2: three times "no" drops it). None where no check said yes
    and some answer was neither yes nor no."""
    return True if any(checks) else (None if None in checks else False)


def world_says_unanswerable(row: dict) -> bool | None:
    """The micro world's truth, which stands for the paper's filtering by hand of the test questions."""
    answerable = world.is_answerable(world.scene_of(row["image_id"]), row["question"])
    return None if answerable is None else not answerable


def build(
    p: Params,
    questions: Dataset,
    n: int,
    model,
    processor,
    by_hand: bool = False,
    rejected: Collection[str] = (),
) -> tuple[Dataset, Counter, pd.DataFrame]:
    """At most `n` standard records of unanswerable questions (confidence 0), counts by (origin, step of STEPS), and `review.table` of all.

    `by_hand` adds the micro world's own truth, which stands for the paper's filter by hand of the test questions; surplus replaces
    what people `rejected` (review.rejected)."""
    p.check_program()
    wanted = int(round(n * 1.5)) + 4  # the filters drop some
    seed = p.data_seed + 7919
    swaps = swapped(questions, int(round(wanted * p.swap_share)), seed)
    made, unparsable = generated(p, questions, wanted - len(swaps), seed + 1)
    rows = every = swaps + made

    def keep(rows: list[dict], ends: list[str]) -> list[dict]:
        for row, end in zip(rows, ends, strict=True):
            row["end"] = end
        return [row for row in rows if not row["end"]]

    again = pd.Series([(r["image_id"], r["question"]) for r in rows], dtype=object).duplicated()
    rows = keep(rows, ["duplicate" if twice else "" for twice in again])
    for row, row["checks"] in zip(rows, checked(p, rows), strict=True):
        row["digest"] = review.digest(row["image"], row["question"])
    strict = by_hand and p.dataset == "micro"
    verdicts = [
        False if strict and world_says_unanswerable(r) is False else passes(r["checks"])
        for r in rows
    ]
    rows = keep(rows, [{True: "", False: "verified out", None: "unverified"}[v] for v in verdicts])
    answers = greedy(
        model,
        processor,
        [r["image"] for r in rows],
        [prompt_text(r) for r in rows],
        p.max_new_tokens,
        p.token_budget,
    )
    for row, said in zip(rows, answers, strict=True):
        row |= {
            "responses": [said],
            "incorrect": said,
            "refusal": pick(REFUSAL_TEMPLATES, rng_for(p.data_seed, row["id"])),
        }
    rows = keep(
        rows,
        [
            "unverified" if a is None else "already refused" if is_refusal(a) else ""
            for a in answers
        ],
    )
    rows = keep(rows, review.ends(rows, n, rejected))
    counts = Counter({(p.unanswerable_generator, "unparsable"): unparsable})
    counts.update((r["origin"], step) for r in every for step in ("generated", r["end"] or "kept"))
    if not rows:
        raise ParameterError(
            f"no unanswerable question was left; try another generator or verifier: {dict(counts)}"
        )
    return (
        Dataset.from_list(
            [{k: r[k] for k in RECORD_FEATURES} for r in rows], features=RECORD_FEATURES
        ),
        counts,
        review.table(every),
    )

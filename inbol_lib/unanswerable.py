"""The extrinsic boundary: questions that the image can not answer (paper, Sec. 3.2 and App. D.2).

Two ways: swap the image under a question, or prompt a generator for two questions per image. Three checks verify them,
and what the original model refuses anyway is dropped. Every filter counts what it drops.
"""

import re
from collections import Counter

import numpy as np
from datasets import Dataset

from inbol_lib import models
from inbol_lib.confidence import pick
from inbol_lib.judging import is_refusal
from inbol_lib.params import ParameterError, Params
from inbol_lib.records import RECORD_FEATURES, prompt, prompt_text, rng_for
from inbol_lib.sampling import greedy, sample
from inbol_lib.templates import REFUSAL_TEMPLATES

CHECKS = ("absent", "premise", "beyond")
STEPS = ("generated", "unparsable", "verified out", "already refused", "kept")
_MARK = r"(?:Question|Explanation)\s*\d*\s*:"
_PAIR = re.compile(
    rf"Question\s*\d*\s*:\s*(?P<question>(?!{_MARK})\S(?:(?!{_MARK}).)*?)\s*Explanation\s*\d*\s*:\s*(?P<explanation>(?:(?!{_MARK})[^\n])+)",
    re.S | re.I,
)


def parse_pairs(text: str) -> list[tuple[str, str]]:
    """(question, explanation) pairs in a generator's answer; numbering and bold marks are tolerated."""
    plain = text.replace("*", "").replace("{", "").replace("}", "")
    return [(m["question"].strip().splitlines()[0].strip(), m["explanation"].strip()) for m in _PAIR.finditer(plain)]


def swapped(questions: Dataset, n: int, seed: int) -> list[dict]:
    """`n` open questions, each with the image of another row (never its own); Question rows without answers."""
    rng = np.random.default_rng(seed)
    meta = questions.remove_columns("image").to_list()
    if n and len({r["image_id"] for r in meta}) < 2:
        raise ParameterError("swapping needs two images or more, and all questions share one; set swap_share to 0 or add images")
    open_rows = [i for i, r in enumerate(meta) if not r["choices"]] or list(range(len(meta)))
    rows = []
    for i in rng.permutation(open_rows)[:n]:
        j = int(rng.integers(len(meta)))
        while meta[j]["image_id"] == meta[i]["image_id"]:
            j = int(rng.integers(len(meta)))
        rows.append(_row(meta[j], questions[j]["image"], meta[i]["question"], f"swap-{meta[i]['id']}", "swap"))
    return rows


def generated(p: Params, generator: str, questions: Dataset, n: int, seed: int) -> tuple[list[dict], int]:
    """About `n` questions from a generator, two per image, and the number of answers that held none.

    `generator`: "program" (knows the micro world's scenes; stands for GPT-4o), or a model id prompted with
    prompts/generate_unanswerable.txt.
    """
    firsts = {name: i for i, name in reversed(list(enumerate(questions["image_id"])))}
    chosen = [int(i) for i in np.random.default_rng(seed).permutation(sorted(firsts.values()))[: (n + 1) // 2]]
    images = [questions[i]["image"] for i in chosen]
    meta = questions.remove_columns("image").select(chosen).to_list()
    if generator == "program":
        pairs = [_program(p, row["image_id"], seed) for row in meta]
    else:
        model, processor = models.load(generator)
        texts = [prompt("generate_unanswerable")] * len(images)  # sampled, because greedy answers repeat themselves
        said = sample(model, processor, images, texts, 1, p.temperature, p.top_p, 96, p.token_budget, seed, [r["id"] for r in meta])
        pairs = [parse_pairs(responses[0].text) for responses in said]
    rows = [
        _row(row, image, question, f"{generator}-{k}-{row['image_id']}", generator)
        for row, image, found in zip(meta, images, pairs, strict=True)
        for k, (question, _) in enumerate(found[:2])
    ]
    return rows[:n], sum(not found for found in pairs)


def _program(p: Params, image_id: str, seed: int) -> list[tuple[str, str]]:
    if p.dataset != "micro":
        raise ParameterError("unanswerable_generator: program knows only the micro world; name a model for other data sets")
    from inbol_lib.micro import world

    rng = rng_for(seed, image_id)
    kinds = (str(rng.choice(["absent", "premise"])), "beyond")
    return [world.unanswerable(world.scene_of(image_id), rng, kind) for kind in kinds]


def _row(row: dict, image, question: str, name: str, origin: str) -> dict:
    keep = {k: row[k] for k in ("image_id", "split")}
    return {**keep, "id": name, "group": name, "image": image, "question": question, "answers": [], "choices": [],
            "source": "uavqa", "accepted": [], "origin": origin}  # fmt: skip


def verify(p: Params, rows: list[dict]) -> list[bool]:
    """Whether each question passes: some check answers yes (paper, App. D.2: three times "no" drops it)."""
    if not rows:
        return []
    if p.verifier == "program":
        return [world_says_unanswerable(r) is not False for r in rows]
    model, processor = models.load(p.verifier)
    images, passed = [r["image"] for r in rows], np.zeros(len(rows), bool)
    for check in CHECKS:
        texts = [prompt(f"verify_{check}").format(question=r["question"]) for r in rows]
        said = greedy(model, processor, images, texts, 4, p.token_budget)
        passed |= [bool(re.match(r"\W*(yes|yeah)\b", s, re.I)) for s in said]
    return passed.tolist()


def world_says_unanswerable(row: dict) -> bool | None:
    """The micro world's truth, which stands for the paper's filtering by hand of the test questions."""
    from inbol_lib.micro import world

    answerable = world.is_answerable(world.scene_of(row["image_id"]), row["question"])
    return None if answerable is None else not answerable


def build(p: Params, generator: str, questions: Dataset, n: int, model, processor, by_hand: bool = False) -> tuple[Dataset, Counter]:
    """About `n` standard records of unanswerable questions (confidence 0) and counts by (origin, step).

    `by_hand` adds the filter that the paper applies by hand to its test questions (micro world only).
    """
    wanted = int(round(n * 1.5)) + 4  # the filters drop some
    seed = p.data_seed + 7919
    swaps = swapped(questions, int(round(wanted * p.swap_share)), seed)
    made, unparsable = generated(p, generator, questions, wanted - len(swaps), seed + 1)
    counts = Counter({("swap", "generated"): len(swaps), (generator, "generated"): len(made), (generator, "unparsable"): unparsable})
    rows = _unique(swaps + made)
    passed = verify(p, rows)
    if by_hand and p.dataset == "micro":
        passed = [ok and world_says_unanswerable(r) is not False for ok, r in zip(passed, rows, strict=True)]
    counts.update((r["origin"], "verified out") for r, ok in zip(rows, passed, strict=True) if not ok)
    rows = [r for r, ok in zip(rows, passed, strict=True) if ok]
    answers = greedy(model, processor, [r["image"] for r in rows], [prompt_text(r) for r in rows], p.max_new_tokens, p.token_budget)
    counts.update((r["origin"], "already refused") for r, a in zip(rows, answers, strict=True) if is_refusal(a))
    records = [_record(r, a, p.data_seed) for r, a in zip(rows, answers, strict=True) if not is_refusal(a)]
    records = _balanced(records, n)
    if not records:
        raise ParameterError(f"no unanswerable question was left (generator {generator}, verifier {p.verifier}): {dict(counts)}")
    counts.update((r["origin"], "kept") for r in records)
    return Dataset.from_list(records, features=RECORD_FEATURES), counts


def _unique(rows: list[dict]) -> list[dict]:
    return list({(r["image_id"], r["question"]): r for r in reversed(rows)}.values())[::-1]


def _balanced(records: list[dict], n: int) -> list[dict]:
    """At most `n`, swaps and generated ones in turn, so that cutting keeps their share."""
    swap = [r for r in records if r["origin"] == "swap"]
    other = [r for r in records if r["origin"] != "swap"]
    share = len(swap) / max(1, len(records))
    k = min(len(swap), int(round(n * share)))
    return (swap[:k] + other)[:n]


def _record(row: dict, answer: str, seed: int) -> dict:
    return {**row, "responses": [answer], "verdicts": ["incorrect"], "confidence": 0.0, "correct": "", "incorrect": answer,
            "refusal": pick(REFUSAL_TEMPLATES, rng_for(seed, row["id"]))}  # fmt: skip

"""The cells of the bench, and the sides of each: ours, and every setting of the peer."""

import copy
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from pathlib import Path

from benches import generation, rows, shapes, training
from benches.summary import OURS, Cell
from inbol_lib import params
from inbol_lib.mllm import sampling
from inbol_lib.params import Params
from inbol_lib.training import ca_dpo, idk_it

#: setting -> a function that does the whole work once and returns its seconds
Sides = dict[str, Callable[[], float]]
#: ours with other numbers of tokens in a batch than the profiles' 8192
OTHER_BUDGETS = {f"{OURS}: token budget 1024": 1024, f"{OURS}: no token budget": 2**31}
#: questions of a step, as in the paper
BATCH = 16
#: questions of a training, by bench and image tokens: several steps, because ours is timed whole,
#: and the stock preference trainer takes minutes for large pictures
TRAINED = {("ca_dpo", 36): 64, ("ca_dpo", 576): 16, ("idk_it", 36): 128, ("idk_it", 576): 64}
FAMILIES = ("llava", "idefics3", "qwen2_5_vl")
#: micro-batches of TRL that the larger pictures of other families are tried with
FEW = (2, 8)


def cells() -> list[Cell]:
    """All cells: LLaVA along every axis, the other families at their only size."""
    small_and_large, shared = (36, shapes.LARGE), (1, 4)
    found = [
        Cell("sampling", "llava", tokens, many, new, 4 if tokens * new > 10_000 else 8)
        for tokens, many, new in product(small_and_large, shared, (10, 50))
    ]
    found += [
        Cell("greedy", "llava", tokens, many, 10, 16)
        for tokens, many in product(small_and_large, shared)
    ]
    found += [
        Cell(bench, "llava", tokens, many, 0, TRAINED[bench, tokens])
        for bench, tokens, many in product(("ca_dpo", "idk_it"), small_and_large, shared)
    ]
    for family in FAMILIES[1:]:
        found += [
            Cell("sampling", family, shapes.LARGE, 1, 10, 4),
            Cell("greedy", family, shapes.LARGE, 1, 10, 8),
            Cell("ca_dpo", family, shapes.LARGE, 1, 0, 8),
            Cell("idk_it", family, shapes.LARGE, 1, 0, 8),
        ]
    return found


def settings(questions: int = BATCH) -> Params:
    """The parameters of both sides; questions about a picture stay together where they may."""
    p = params.load("smoke").replace(batch_size=min(BATCH, questions))
    return p.replace(shuffle="pictures") if "shuffle" in Params.model_fields else p


def sides(cell: Cell) -> Sides:
    """Return ours first, then the settings of the peer, then ours with other budgets."""
    return BENCHES[cell.bench](cell)


def seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def sampling_sides(cell: Cell) -> Sides:
    return generation_sides(cell, 10)


def greedy_sides(cell: Cell) -> Sides:
    return generation_sides(cell, 1)


def generation_sides(cell: Cell, n: int) -> Sides:
    """`sampling.sample` or `sampling.greedy` against the recipes with `generate`."""
    shape, asked = shapes.shape(cell.family, cell.image_tokens), asking(cell, n)
    for model in (shape.ours, shape.theirs):
        shapes.never_stop(model, shape.processor)
    made = {OURS: partial(ours_answers, shape, asked, settings().token_budget)}
    for name, recipe in generation.sensible(n, cell.questions_per_image).items():
        made[name] = partial(recipe, shape.theirs, shape.processor, asked)
    for name, budget in OTHER_BUDGETS.items():
        made[name] = partial(ours_answers, shape, asked, budget)
    return {name: partial(seconds, call) for name, call in made.items()}


def asking(cell: Cell, n: int) -> generation.Ask:
    *_, size = shapes.shape(cell.family, cell.image_tokens)
    data = rows.preferences(cell.questions, size, cell.questions_per_image)
    pictures, texts = list(data["image"]), list(data["prompt"])
    return generation.Ask(pictures, texts, n, cell.new_tokens, cell.questions_per_image)


def ours_answers(shape: shapes.Shape, ask: generation.Ask, budget: int) -> list[str | None]:
    given = (shape.ours, shape.processor, ask.images, ask.texts)
    if ask.n == 1:
        return sampling.greedy(*given, ask.new_tokens, budget)
    drawn = sampling.sample(*given, ask.n, 1.0, 1.0, ask.new_tokens, budget)
    return [response.text for responses in drawn for response in responses]


def ca_dpo_sides(cell: Cell) -> Sides:
    """`ca_dpo.train` against TRL's `DPOTrainer` on the equivalent pairs."""
    p, shape = settings(cell.questions), shapes.shape(cell.family, cell.image_tokens)
    data = rows.preferences(cell.questions, shape.size, cell.questions_per_image)
    pairs = rows.pairs(shape.processor, data)
    start = training.saved_start(p, shape.theirs, Path(tempfile.mkdtemp()))

    def ours(budget: int) -> float:
        fresh, target = copy.deepcopy(shape.ours), Path(tempfile.mkdtemp())
        os.environ["INBOL_RUNS"] = str(target)  # no reference is kept from one turn to the next
        given = (p.replace(token_budget=budget), fresh, shape.processor, data, target, start)
        return seconds(partial(ca_dpo.train, *given))

    def theirs(name: str, setting: dict) -> float:
        given = (p, shape.theirs, shape.processor, pairs, start, setting)
        trainer = training.dpo_trainer(*given, merged=name == training.MERGED)
        return training.train_seconds(trainer)

    made = {OURS: partial(ours, p.token_budget)}
    for name, setting in tried(cell, training.dpo_settings(p)):
        made[name] = partial(theirs, name, setting)
    for name, budget in OTHER_BUDGETS.items():
        made[name] = partial(ours, budget)
    return made


def idk_it_sides(cell: Cell) -> Sides:
    """`idk_it.train` against TRL's `SFTTrainer` with its own collator."""
    p, shape = settings(cell.questions), shapes.shape(cell.family, cell.image_tokens)
    data = rows.preferences(cell.questions, shape.size, cell.questions_per_image)
    said = rows.instructions(data)
    talks, marked = rows.conversations(said), rows.messages(said)

    def ours() -> float:
        fresh, target = copy.deepcopy(shape.ours), Path(tempfile.mkdtemp())
        return seconds(partial(idk_it.train, p, fresh, shape.processor, said, target))

    def theirs(name: str, setting: dict) -> float:
        given = marked if name == training.MARKED else talks
        trainer = training.sft_trainer(p, shape.theirs, shape.processor, given, setting)
        return training.train_seconds(trainer)

    made = {OURS: ours}
    for name, setting in tried(cell, training.sft_settings(p)):
        made[name] = partial(theirs, name, setting)
    return made


def tried(cell: Cell, every: dict[str, dict]) -> Iterator[tuple[str, dict]]:
    """The settings of a trainer that a cell tries: all with LLaVA, else `FEW` micro-batches."""
    few = [f"micro-batch {size}" for size in FEW]
    for name, setting in every.items():
        if cell.family == "llava" or name in few:
            yield name, setting


BENCHES: dict[str, Callable[[Cell], Sides]] = {
    "sampling": sampling_sides,
    "greedy": greedy_sides,
    "ca_dpo": ca_dpo_sides,
    "idk_it": idk_it_sides,
}

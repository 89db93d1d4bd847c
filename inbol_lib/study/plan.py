"""What a profile costs, before it is paid for: jobs, questions, tokens, floating-point operations, disk and GPU hours of every stage
(`plan`); and what it has taken (`costs`).

inbol plan --profile llava-1.5-7b --gpu a100
inbol plan --profile micro --only heatmaps -p num_pairs=9000 --json

Nothing is loaded or downloaded. Hours follow from measured throughput (figures/bench_gpu.json, by `python tests/bench.py --gpu`), scaled by
the peaks of the GPUs and by FLOP, or from an assumed share of the peak where nothing was measured; the last column says which. Counts are
upper bounds: classes may fall short, and benchmarks may hold fewer questions. What endpoints do, a judge's work, attention's own
products (1 % at 600 tokens) and the start of each notebook are left out.
"""

import argparse
import json
import sys
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from inbol_lib import params, paths
from inbol_lib.errors import ParameterError
from inbol_lib.params import Params
from inbol_lib.study import graph, run

#: dense bfloat16 peak in TFLOP/s (data sheets)
GPUS = {"h200": 989, "h100": 989, "a100": 312, "l40s": 362, "rtx4090": 165, "a10g": 70, "l4": 121}
#: share of the peak where nothing was measured (ours: what well-fed 7B models reach, decoding the slower)
ASSUMED = {"sampling": 0.2, "idk_it": 0.4, "ca_dpo": 0.4}
BENCH, BENCHED = paths.ROOT / "figures" / "bench_gpu.json", "llava-hf/llava-1.5-7b-hf"
MEASURED = {
    "sampling": "sampling_questions_s",
    "idk_it": "idk_it_questions_s",
    "ca_dpo": "ca_dpo_sdpa_questions_s",
}
TEXT, SAID, LEARNED = (
    30,
    10,
    {"idk_it": 15, "ca_dpo": 25},
)  # tokens of a question, a sampled and a learnt response (tests/bench.py's)
PASSES = {
    "sampling": 2,
    "idk_it": 4,
    "ca_dpo": 6,
}  # FLOP per weight and token: forward 2, gradient 2 (weights are frozen), reference 2
PICTURE_KB = {True: 6, False: 150}  # as stored: a picture of the micro world, a photograph
SUMS = ("jobs", "questions", "prompt_tokens", "said_tokens", "pflop", "gb", "hours")


class Shape(NamedTuple):
    """What of a model decides its cost."""

    language: int  # parameters of the decoder
    vision: int  # parameters of the vision tower and the projector
    lora: int  # parameters of an adapter of rank 1 on all linear layers of the decoder
    image_tokens: int  # of a picture in the prompt
    patches: int  # of a picture in the vision tower


#: SmolVLM cuts a 4:3 photograph into 12 tiles and adds the whole: 13 times 64 tokens and some 50 that mark them.
SHAPES = {
    "llava-hf/llava-1.5-7b-hf": Shape(6_607_605_760, 324_487_168, 2_498_560, 576, 577),
    "llava-hf/llava-1.5-13b-hf": Shape(12_852_352_000, 334_974_976, 3_911_680, 576, 577),
    "HuggingFaceTB/SmolVLM-256M-Instruct": Shape(134_588_736, 93_510_912, 305_280, 880, 13 * 1024),
}


@cache
def shape(name: str) -> Shape:
    """Of a model in the table, or of one whose config.json lies on this disk. Raises ParameterError for any other."""
    name = params.pinned(name)[0]
    if name in SHAPES:
        return SHAPES[name]
    import torch
    from transformers import AutoConfig, AutoModelForImageTextToText

    from inbol_lib.mllm.loading import resolve

    if not Path(resolve(name), "config.json").is_file():
        raise ParameterError(
            f"the size of {name} is not known: give a folder that holds its config.json, or one of {', '.join(SHAPES)}"
        )
    with torch.device("meta"):  # no weights
        return shape_of(
            AutoModelForImageTextToText.from_config(
                AutoConfig.from_pretrained(resolve(name), local_files_only=True)
            )
        )


def shape_of(model: Any) -> Shape:
    """Counted on a model; a picture is one square of the size that its config names. Raises ParameterError where it names none."""
    if not hasattr(model.config.vision_config, "image_size"):
        raise ParameterError(
            f"{model.config.model_type} takes pictures of any size, so that the plan can not count their tokens"
        )
    from inbol_lib.mllm.loading import language_model_linear_names

    language, head = (
        {id(w): w.numel() for w in m.parameters()}
        for m in (model.get_decoder(), model.get_output_embeddings())
    )
    vision = sum(w.numel() for w in model.parameters() if id(w) not in language | head)
    lora = sum(sum(model.get_submodule(n).weight.shape) for n in language_model_linear_names(model))
    patches = (model.config.vision_config.image_size // model.config.vision_config.patch_size) ** 2
    return Shape(
        sum(language.values()),
        vision,
        lora,
        getattr(model.config, "image_seq_length", patches),
        patches + 1,
    )


class Work(NamedTuple):
    """Questions that a model reads, and the tokens that it says (or learns to say) to each."""

    kind: str  # sampling | idk_it | ca_dpo
    model: str
    questions: int
    said: int = 0

    def tokens(self, shape: Shape) -> int:
        """Of all prompts, with the pictures'."""
        return self.questions * (shape.image_tokens + TEXT)

    def flop(self, shape: Shape) -> int:
        """Of the decoder on prompts and responses, and of the vision tower, whose weights are frozen."""
        decoder = (
            PASSES[self.kind] * shape.language * (self.tokens(shape) + self.questions * self.said)
        )
        return decoder + 2 * shape.vision * shape.patches * self.questions


def job(stage: str, p: Params) -> tuple[list[Work], int]:
    """What one job of a stage asks of models in process, and the pictures in its artefact's tables."""
    said, sources, ood = min(SAID, p.max_new_tokens), len(p.sources), p.ood_sources
    if p.dataset.startswith("folder:"):
        sources, ood = 1, []
    outside = (p.num_unanswerable, p.validation_unanswerable, p.test_unanswerable)
    test = p.test_per_source * sources + p.test_unanswerable
    preferred = round(
        p.num_pairs * sum(p.pair_ratio) / (sum(p.pair_ratio) + p.pair_ratio[1])
    )  # a mixed question makes two pairs
    match stage:
        case "confidence":
            pool = sources * (
                p.train_questions + p.validation_questions + p.test_questions
            ) + p.ood_questions * ("aokvqa" in ood)
            return [Work("sampling", p.model, pool, p.num_samples * said)], pool
        case (
            "unanswerable"
        ):  # half as many again are made as wanted, because the filters drop some; two a picture
            made = [round(n * 1.5) + 4 for n in outside]
            pictures = sum((n - round(n * p.swap_share) + 1) // 2 for n in made)
            asked = [
                (p.unanswerable_generator, pictures, 96),
                (p.verifier, 3 * sum(made), 1),
                (p.model, sum(made), said),
            ]
            here = [
                Work("sampling", m, n, new)
                for m, n, new in asked
                if m != "program" and not m.startswith("endpoint:")
            ]
            return here, sum(outside)
        case "composition":
            validation = p.validation_per_source * sources + p.validation_unanswerable
            return [], 2 * p.num_instructions + preferred + validation + test
        case "idk_it" | "ca_dpo":
            questions = p.num_instructions if stage == "idk_it" else preferred
            return [Work(stage, p.model, round(questions * p.epochs), LEARNED[stage])], 0
        case "evaluation":
            tested = test + p.ood_questions * sum(
                4 if source == "mmbench" else 1 for source in ood
            )  # all rotations
            return [Work("sampling", p.model, len(p.methods) * tested, said)], 0
        case "probing":  # three models
            return [Work("sampling", p.model, 3 * (p.probe_train + p.probe_test))], 0
    return [], 0


def speed(kind: str, gpu: str, bench: Path = BENCH) -> tuple[float, str]:
    """FLOP/s of a kind of work on a GPU, and where that comes from: measured there, measured on another GPU, or assumed."""
    found = json.loads(bench.read_text()) if bench.is_file() else {}
    name = str(found.get("device", "")).lower().replace(" ", "")
    on = next((g for g in sorted(GPUS, key=len, reverse=True) if g in name), None)
    if on is None or MEASURED[kind] not in found:
        return GPUS[gpu] * 1e12 * ASSUMED[kind], f"assumed {ASSUMED[kind]:.0%} of the peak"
    one = Work(kind, BENCHED, 1, LEARNED.get(kind, 10 * SAID)).flop(
        SHAPES[BENCHED]
    )  # what tests/bench.py ran
    return found[MEASURED[kind]] * one * GPUS[gpu] / GPUS[
        on
    ], "measured" if on == gpu else f"measured on {found['device']}, scaled by peak"


def plan(p: Params, gpu: str, only: str = "paper_vs_ours", bench: Path = BENCH) -> dict[str, Any]:
    """The cost of all jobs that `only` needs (and of the tour) by stage and in total: bytes in 10^9, operations in 10^15.
    Raises ParameterError for an unknown GPU or model."""
    if gpu not in GPUS:
        raise ParameterError(f"no GPU {gpu!r}; known are {', '.join(GPUS)}")
    rows: dict[str, dict[str, Any]] = {}
    for stage, q in (graph.plan(only, p) | graph.plan("tour", p)).values():
        row = rows.setdefault(
            stage, {"stage": stage, "after": [], **dict.fromkeys(SUMS, 0), "speed": ""}
        )
        row["after"] = sorted(
            {*row["after"], *(s for s, _ in graph.dependencies(stage, q))},
            key=list(graph.NOTEBOOKS).index,
        )
        asked, pictures = job(stage, q)
        stored = (
            4 * q.lora_rank * shape(q.model).lora
            if stage in LEARNED
            else 1000 * pictures * PICTURE_KB[q.dataset == "micro"]
        )
        done = [(1, 0, 0, 0, 0, stored / 1e9, 0)]
        for w in asked:
            (rate, row["speed"]), size = speed(w.kind, gpu, bench), shape(w.model)
            flop = w.flop(size)
            done.append(
                (
                    0,
                    w.questions,
                    w.tokens(size),
                    w.questions * w.said,
                    flop / 1e15,
                    0,
                    flop / rate / 3600,
                )
            )
        row |= {k: row[k] + sum(n) for k, n in zip(SUMS, zip(*done, strict=True), strict=True)}
    table = [rows[s] for s in graph.NOTEBOOKS if s in rows]
    return {
        "profile": p.profile,
        "gpu": gpu,
        "stages": table,
        "total": {k: sum(row[k] for row in table) for k in SUMS},
    }


def main(argv: list[str] | None = None) -> int:
    cli = argparse.ArgumentParser(
        "inbol plan", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    cli.add_argument(
        "-f", "--profile", default="smoke", help="a YAML file, or the name of one under params/"
    )
    cli.add_argument(
        "-p", "--parameter", action="append", nargs="+", default=[], metavar="KEY VALUE"
    )
    cli.add_argument("--gpu", default="h200", help=", ".join(GPUS))
    cli.add_argument("--only", default="paper_vs_ours", help="a stage: it, and what it needs")
    cli.add_argument("--json", action="store_true")
    args = cli.parse_args(argv)
    try:
        made = plan(
            params.load(args.profile, **run.overrides(args.parameter)),
            args.gpu,
            run.stage_of(args.only),
        )
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    print(json.dumps(made, indent=1) if args.json else text(made))
    return 0


def text(made: dict[str, Any]) -> str:
    """The plan as a table for people."""
    import pandas as pd

    table = pd.DataFrame(
        [*made["stages"], {"stage": "total", "after": [], "speed": "", **made["total"]}]
    )
    table["after"] = table.after.map(", ".join)
    form = dict.fromkeys(SUMS, lambda n: f"{n:,.2f}" if isinstance(n, float) else f"{n:,}")
    return f"{made['profile']} on one {made['gpu']}\n" + table.to_string(
        index=False, formatters=form, line_width=200
    )


if __name__ == "__main__":
    sys.exit(main())

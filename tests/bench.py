"""Speed and memory against the stock tools (`make bench`).

Both sides in one run, alternating, on one core.

sampling   `sampling.sample` against `generate(num_return_sequences=n)`
ca_dpo     `ca_dpo.train` on the paper's mix (unknown : mixed : known = 1 : 1 : 2) against TRL's
           `DPOTrainer` on the equivalent pairs
idk_it     `idk_it.train` against TRL's `SFTTrainer` with its own collator

Ours is timed whole, with encoding, reference and saving; of TRL `train()` alone. The model is
micro-s in width and depth with random weights, and a picture of 36 or of LLaVA's 576 tokens. Writes
to figures/ bench_summary.csv (medians; the ratio's median, lowest and highest; `_peak_mb`: memory
above that of the loaded model, in a process of its own), bench_growth.csv, bench.png and .svg, and,
from a smoke study, bench_smoke.csv: minutes of each stage.

    python tests/bench.py --repeats 5
    python tests/bench.py --gpu        LLaVA-1.5-7B's shape in bfloat16, no comparison; prints JSON
    python tests/bench.py --smolvlm    SmolVLM-256M's shape, into figures/bench_smolvlm.csv
"""

import argparse
import copy
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import Event, Thread

os.environ.update(CI="1", HF_HUB_OFFLINE="1", HF_DATASETS_DISABLE_PROGRESS_BARS="1")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import psutil
import smolvlm
import torch
from datasets import Dataset
from peft import PeftModel, get_peft_model
from PIL import Image
from transformers import (
    AutoConfig,
    AutoProcessor,
    LlavaConfig,
    LlavaForConditionalGeneration,
    PreTrainedModel,
)
from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer

from inbol_lib import params, paths
from inbol_lib.data.templates import REFUSAL_TEMPLATES
from inbol_lib.micro.models.architecture import CHAT_TEMPLATE
from inbol_lib.mllm import chat, loading, sampling
from inbol_lib.report import costs
from inbol_lib.report.plots import looks
from inbol_lib.report.tables import files
from inbol_lib.study import plan
from inbol_lib.training import ca_dpo, collating, idk_it, lora, preference_loss
from inbol_lib.training.packing import RESPONSES, PackingCollator, response_logps

KINDS = ("unknown", "mixed", "known", "known")  # 1 : 1 : 2
SENTENCE = "what color is the small shape to the left of a red circle in this picture"
WORDS = SENTENCE.split()
TITLES = {"sampling": "Sampling, 4 questions", "ca_dpo": "CA-DPO, 16 questions"}
FIGURES = paths.ROOT / "figures"
H200_TFLOPS = 989  # bfloat16, dense


def geometry(image_tokens: int) -> tuple[LlavaForConditionalGeneration, AutoProcessor]:
    """micro-s with random weights and pictures of `image_tokens` tokens, and its processor."""
    folder = loading.resolve("micro-s")
    config, processor = AutoConfig.from_pretrained(folder), AutoProcessor.from_pretrained(folder)
    return shaped(config, processor, round(image_tokens**0.5) * config.vision_config.patch_size)


def shaped(
    config: LlavaConfig, processor: AutoProcessor, edge: int
) -> tuple[LlavaForConditionalGeneration, AutoProcessor]:
    """A random model of this shape for pictures of `edge` pixels a side."""
    config.vision_config.image_size, config.text_config.max_position_embeddings = edge, 4096
    config.image_seq_length = (edge // config.vision_config.patch_size) ** 2
    processor.patch_size, processor.tokenizer.padding_side = config.vision_config.patch_size, "left"
    processor.image_processor.size = processor.image_processor.crop_size = {
        "height": edge,
        "width": edge,
    }
    torch.manual_seed(0)
    where = loading.placement()
    torch.set_default_dtype(where["dtype"])
    with torch.device(where["device"]):
        model = LlavaForConditionalGeneration(config).eval()
    torch.set_default_dtype(torch.float32)
    model.generation_config.eos_token_id = processor.tokenizer.eos_token_id
    model.generation_config.pad_token_id = processor.tokenizer.pad_token_id
    return model, processor


def preferences(
    model: PreTrainedModel, questions: int, size: tuple[int, int] | None = None
) -> Dataset:
    """Preference rows of the paper's mix.

    Noise as pictures of `size` (height, width; else the tower's), questions of 6 to 19 words.
    """
    rng, size = np.random.default_rng(0), size or (model.config.vision_config.image_size,) * 2
    rows = [
        {
            "image": Image.fromarray(rng.integers(0, 256, (*size, 3), dtype=np.uint8)),
            "prompt": " ".join(WORDS[: 6 + i % 14]) + "?",
            "kind": KINDS[i % 4],
            "confidence": (0.0, 0.5, 0.9, 1.0)[i % 4],
            "correct": "two",
            "incorrect": "a green square",
            "refusal": REFUSAL_TEMPLATES[i % 24],
        }
        for i in range(questions)
    ]
    return Dataset.from_list(rows)


def pairs(processor: AutoProcessor, rows: Dataset) -> Dataset:
    """The same as TRL's rows: one for a known or unknown question, two for a mixed one."""
    eos, made = processor.tokenizer.eos_token, []
    for row in rows:
        for chosen, rejected in dict.fromkeys(preference_loss.PAIRS[row["kind"]]):
            said = {
                side: f" {row[RESPONSES[k]]}{eos}"
                for side, k in (("chosen", chosen), ("rejected", rejected))
            }
            made.append(
                {
                    "image": row["image"],
                    "prompt": chat.chat_prompt(processor, row["prompt"]),
                    **said,
                }
            )
    return Dataset.from_list(made)


def sampling_sides(
    image_tokens: int, n: int = 10, questions: int = 16, new_tokens: int = 10
) -> tuple[Callable, Callable]:
    model, processor = geometry(image_tokens)
    rows = preferences(model, questions)
    images, texts = list(rows["image"]), list(rows["prompt"])

    def ours() -> float:
        return seconds(
            lambda: sampling.sample(model, processor, images, texts, n, 1.0, 1.0, new_tokens, 2**31)
        )

    def theirs() -> float:
        def draw() -> None:
            batch = chat.encode(processor, images, texts)
            model.generate(
                **batch, do_sample=True, num_return_sequences=n, max_new_tokens=new_tokens, top_k=0
            )

        return seconds(draw)

    return ours, theirs


def ca_dpo_sides(
    image_tokens: int, questions: int = 64, budget: int = 8192
) -> tuple[Callable, Callable]:
    model, processor = geometry(image_tokens)
    p = params.load("smoke").replace(batch_size=16, token_budget=budget)
    work, rows = Path(tempfile.mkdtemp()), preferences(model, questions)
    get_peft_model(copy.deepcopy(model), lora.lora_config(p, model)).save_pretrained(work / "start")
    stock = pairs(processor, rows)

    def ours() -> float:
        fresh, target = copy.deepcopy(model), Path(tempfile.mkdtemp())
        os.environ["INBOL_RUNS"] = str(target)  # no reference is kept from one repeat to the next
        return seconds(lambda: ca_dpo.train(p, fresh, processor, rows, target, work / "start"))

    def theirs() -> float:
        fresh = PeftModel.from_pretrained(copy.deepcopy(model), work / "start", is_trainable=True)
        config = DPOConfig(
            **lora.arguments(p, fresh, Path(tempfile.mkdtemp()), p.dpo_learning_rate)
        )
        trainer = DPOTrainer(
            model=fresh, args=config, processing_class=processor, train_dataset=stock
        )
        return seconds(trainer.train)

    return ours, theirs


def idk_it_sides(image_tokens: int, questions: int = 64) -> tuple[Callable, Callable]:
    model, processor = geometry(image_tokens)
    p = params.load("smoke").replace(batch_size=8, lora_dropout=0.0)
    rows = preferences(model, questions)
    rows = rows.select_columns(["image", "prompt"]).add_column(
        "response", [r["refusal" if i % 2 else "correct"] for i, r in enumerate(rows)]
    )
    talks = [
        {
            "images": [r["image"]],
            "prompt": [{"role": "user", "content": r["prompt"]}],
            "completion": [{"role": "assistant", "content": r["response"]}],
        }
        for r in rows
    ]
    talks = Dataset.from_list(talks)

    def ours() -> float:
        fresh = copy.deepcopy(model)
        return seconds(lambda: idk_it.train(p, fresh, processor, rows, Path(tempfile.mkdtemp())))

    def theirs() -> float:
        fresh = copy.deepcopy(model)
        config = SFTConfig(**lora.arguments(p, fresh, Path(tempfile.mkdtemp()), p.learning_rate))
        trainer = SFTTrainer(
            model=fresh,
            args=config,
            peft_config=lora.lora_config(p, fresh),
            processing_class=processor,
            train_dataset=talks,
        )
        return seconds(trainer.train)

    return ours, theirs


BENCHES = {"sampling": sampling_sides, "ca_dpo": ca_dpo_sides, "idk_it": idk_it_sides}


def seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def alternate(
    sides: tuple[Callable[[], float], Callable[[], float]], repeats: int
) -> dict[str, float]:
    """Median seconds of both sides, taking turns, and the ratio's median, lowest and highest over
    the turns.
    """
    times = np.array([[side() for side in sides] for _ in range(repeats)])
    ratios = times[:, 1] / times[:, 0]
    ours, theirs = np.median(times, axis=0)
    return {
        "ours_s": ours,
        "theirs_s": theirs,
        "ratio": statistics.median(ratios),
        "ratio_lo": ratios.min(),
        "ratio_hi": ratios.max(),
    }


def peak_mb(bench: str, image_tokens: int, side: int) -> float:
    """MB that one run of a side needs above the loaded model, in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, "--peak", bench, str(image_tokens), str(side)],
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout.split()[-1])


def measure_peak(bench: str, image_tokens: int, side: int) -> float:
    call, process, done = BENCHES[bench](image_tokens)[side], psutil.Process(), Event()
    before, seen = process.memory_info().rss, [0]

    def watch() -> None:
        while not done.wait(0.01):
            seen.append(process.memory_info().rss)

    thread = Thread(target=watch)
    thread.start()
    call()
    done.set()
    thread.join()
    return (max(seen) - before) / 2**20


def growth(repeats: int) -> pd.DataFrame:
    """How the cost of both grows.

    Sampling with the number of samples, both benches with the picture's tokens.
    """
    cells = [
        ("sampling", "samples", n, sampling_sides(576, n=n, questions=4)) for n in (1, 2, 5, 10, 20)
    ]
    for tokens in (36, 144, 324, 576):
        cells += [
            ("sampling", "image tokens", tokens, sampling_sides(tokens, questions=4)),
            ("ca_dpo", "image tokens", tokens, ca_dpo_sides(tokens, questions=16)),
        ]
    return pd.DataFrame(
        [
            {"bench": name, "against": what, "value": value, **alternate(sides, repeats)}
            for name, what, value, sides in cells
        ]
    )


def draw(table: pd.DataFrame) -> plt.Figure:
    """Seconds of both sides against what grows, in even steps."""
    figure, axes = plt.subplots(1, 3, figsize=(13, 4))
    for ax, ((name, what), part) in zip(
        axes, table.groupby(["bench", "against"], sort=False), strict=True
    ):
        for side, mark, colour, label in (
            ("theirs_s", "s--", looks.METHODS["original"][1], "stock"),
            ("ours_s", "o-", "#0072B2", "ours"),
        ):
            ax.plot(range(len(part)), part[side], mark, color=colour, label=label)
        for place, row in enumerate(part.itertuples()):
            ax.annotate(
                f"{row.ratio:.1f}×",
                (place, row.theirs_s),
                (3, 9),
                textcoords="offset points",
                ha="right",
            )
        ax.set_xticks(range(len(part)), part.value)
        ax.set(
            xlabel=what,
            ylabel="seconds",
            title=TITLES[name],
            xlim=(-0.6, len(part) - 0.6),
            ylim=(0, 1.2 * part.theirs_s.max()),
        )
    axes[0].legend(loc="upper left", bbox_to_anchor=(0, 0.9))
    return figure


def smoke_minutes() -> pd.DataFrame:
    """Runs and minutes of every stage of a smoke study from nothing."""
    with tempfile.TemporaryDirectory() as runs:
        started = time.perf_counter()
        call = ["snakemake", "--cores", "3", "--quiet", "all", "--config", "profile=smoke"]
        subprocess.run(
            call,
            cwd=paths.ROOT,
            env=os.environ | {"INBOL_RUNS": runs},
            check=True,
            capture_output=True,
        )
        total, books = (time.perf_counter() - started) / 60, Path(runs).glob("*/*/notebook.ipynb")
        rows = [{"stage": b.parts[-3], "minutes": costs.minutes(b.parent)} for b in books]
    table = (
        pd.DataFrame(rows)
        .groupby("stage")
        .minutes.agg(["size", "sum"])
        .set_axis(["runs", "minutes"], axis=1)
        .reset_index()
    )
    return pd.concat(
        [
            table,
            pd.DataFrame([{"stage": "wall clock, two cores", "runs": len(rows), "minutes": total}]),
        ]
    ).round(2)


def gpu(
    config: LlavaConfig | None = None, edge: int = 336, questions: int = 256
) -> dict[str, float | str]:
    """LLaVA-1.5-7B's shape (or another's) where models run.

    Throughput, share of the peak of an H200 (MFU), memory, and the hours of the paper's run that
    follow: confidence of 30,000 questions, 11,000 instructions, 24,000 questions with preferences.
    """
    model, processor = shaped(
        config or LlavaConfig(), AutoProcessor.from_pretrained(loading.resolve("micro-s")), edge
    )
    cuda, p = model.device.type == "cuda", params.load("smoke").replace(token_budget=32768)
    weights, rows = (
        sum(w.numel() for w in model.get_decoder().parameters()),
        preferences(model, questions),
    )
    images, texts = list(rows["image"]), list(rows["prompt"])
    length = model.config.image_seq_length + 30  # tokens of a prompt
    found: dict[str, float | str] = {
        "device": torch.cuda.get_device_name() if cuda else "cpu",
        "language_parameters": weights,
    }

    def record(name: str, call: Callable[[], object], flops: float) -> None:
        if cuda:
            torch.cuda.reset_peak_memory_stats()
        took = seconds(call)
        found[f"{name}_questions_s"], found[f"{name}_mfu"] = (
            questions / took,
            flops * questions / took / H200_TFLOPS / 1e12,
        )
        found[f"{name}_peak_gib"] = (
            torch.cuda.max_memory_allocated() / 2**30 if cuda else float("nan")
        )

    def draw() -> object:
        return sampling.sample(model, processor, images, texts, 10, 1.0, 1.0, 10, 2**17)

    draw()  # warms up
    record("sampling", draw, 2 * weights * (length + 10 * 10))
    work = Path(tempfile.mkdtemp())
    get_peft_model(copy.deepcopy(model), lora.lora_config(p, model)).save_pretrained(work / "start")
    said = rows.select_columns(["image", "prompt"]).add_column("response", list(rows["refusal"]))
    fresh = copy.deepcopy(model)
    record(
        "idk_it",
        lambda: idk_it.train(p, fresh, processor, said, work / "idk_it"),
        4 * weights * (length + 15),
    )
    for attention in ("sdpa", "flex_attention") if cuda else ("sdpa",):
        os.environ["INBOL_RUNS"] = str(work / attention)
        fresh = copy.deepcopy(model)
        fresh.get_decoder().set_attn_implementation(attention)
        # FLOP per weight and token: 2 for the reference's pass, 2 for the policy's, 2 for its
        # gradient, because the weights are frozen
        train = partial(ca_dpo.train, p, fresh, processor, rows, work / attention, work / "start")
        record(f"ca_dpo_{attention}", train, 6 * weights * (length + 25))
    for name, stage, many in (
        ("confidence", "sampling", 30_000),
        ("idk_it", "idk_it", 11_000),
        ("ca_dpo", "ca_dpo_sdpa", 24_000),
    ):
        found[f"{name}_hours"] = many / found[f"{stage}_questions_s"] / 3600
    return found


def smolvlm_hours(repeats: int) -> pd.DataFrame:
    """SmolVLM-256M's shape with random weights on two cores.

    Seconds of one question (a photograph of 640 x 480 pixels, ten tokens a response) in each kind
    of work, and the hours that the questions of its profile follow to. Hours rest on
    `core_seconds`, the processor's time on both cores together, which other programs change less
    than the clock's `seconds`; medians.
    """
    torch.set_num_threads(2)
    read = smolvlm.processor(
        AutoProcessor.from_pretrained(loading.resolve("micro-s")).tokenizer, CHAT_TEMPLATE
    )
    model, p = smolvlm.model(read), params.load("smolvlm-256m")
    rows = preferences(model, 2, (480, 640)).select([1])  # a mixed question: three responses
    ask = (model, read, list(rows["image"]), list(rows["prompt"]))

    def idk_it_step() -> None:
        said = rows.select_columns(["image", "prompt"]).add_column(
            "response", list(rows["refusal"])
        )
        tuned(
            **collating.Collator(collating.examples(read, said), said, read).read([0])
        ).loss.backward()

    def ca_dpo_step() -> None:
        batch = PackingCollator(ca_dpo.items(read, rows), rows, read).read([0])
        with torch.no_grad():
            reference = response_logps(tuned, batch)
        margin = preference_loss.margins(response_logps(tuned, batch), reference, batch["kinds"])
        preference_loss.ca_dpo_loss(margin, torch.tensor([0.5]), p.beta).sum().backward()

    def timed(call: Callable[[], object]) -> tuple[float, float]:
        clock, core = time.perf_counter(), time.process_time()
        call()
        return time.perf_counter() - clock, time.process_time() - core

    def measured(**calls: Callable[[], object]) -> dict[str, list[float]]:
        return {
            name: np.median([timed(call) for _ in range(repeats)], axis=0).tolist()
            for name, call in calls.items()
        }

    found = measured(
        ten_samples=lambda: sampling.sample(*ask, 10, 1.0, 1.0, 10, 2**31),
        one_answer=lambda: sampling.greedy(*ask, 10, 2**31),
    )
    tuned = get_peft_model(model, lora.lora_config(p, model)).train()
    found |= measured(idk_it=idk_it_step, ca_dpo=ca_dpo_step)
    works = {"confidence": "ten_samples", "idk_it": "idk_it", "ca_dpo": "ca_dpo"}
    stages = [
        (row["stage"], row["questions"])
        for row in plan.plan(p, "h200", "evaluation")["stages"]
        if row["questions"]
    ]
    table = pd.DataFrame(
        [(stage, n, works.get(stage, "one_answer")) for stage, n in stages],
        columns=["stage", "questions", "work"],
    )
    table[["seconds", "core_seconds"]] = [found[work] for work in table.work]
    return table.assign(hours=table.questions * table.core_seconds / 2 / 3600).round(2)


def main() -> None:
    cli = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    cli.add_argument("--repeats", type=int, default=5)
    cli.add_argument("--gpu", action="store_true")
    cli.add_argument("--smolvlm", action="store_true")
    cli.add_argument("--peak", nargs=3, metavar=("BENCH", "TOKENS", "SIDE"), help=argparse.SUPPRESS)
    given = cli.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    if given.peak:
        print(measure_peak(given.peak[0], *map(int, given.peak[1:])))
    elif given.gpu:
        print(json.dumps(gpu(), indent=1))
    elif given.smolvlm:
        smolvlm_hours(given.repeats).to_csv(FIGURES / "bench_smolvlm.csv", index=False)
    else:
        compare(given.repeats)


def compare(repeats: int) -> None:
    """All comparisons, into figures/."""
    rows = []
    for name, sides in BENCHES.items():
        for tokens in (36, 576):
            peaks = {
                f"{side}_peak_mb": peak_mb(name, tokens, k)
                for k, side in enumerate(("ours", "theirs"))
            }
            rows.append(
                {
                    "bench": name,
                    "image_tokens": tokens,
                    **alternate(sides(tokens), repeats),
                    **peaks,
                }
            )
            print(rows[-1], file=sys.stderr, flush=True)
    summary, curves = pd.DataFrame(rows).round(3), growth(3)
    summary.to_csv(FIGURES / "bench_summary.csv", index=False)
    curves.round(3).to_csv(FIGURES / "bench_growth.csv", index=False)
    files.save_figure(draw(curves), FIGURES, "bench")
    smoke_minutes().to_csv(FIGURES / "bench_smoke.csv", index=False)
    print(summary.to_markdown(index=False))


if __name__ == "__main__":
    plt.switch_backend("agg")
    main()

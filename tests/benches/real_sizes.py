"""Real sizes: LLaVA-1.5-7B where models run, SmolVLM-256M on two cores, a smoke study's minutes."""

import copy
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import smolvlm
import torch
from peft import get_peft_model
from transformers import AutoProcessor, LlavaConfig

from benches import generation, rows, shapes, training
from benches.cells import seconds
from inbol_lib import params, paths
from inbol_lib.micro.models.architecture import CHAT_TEMPLATE
from inbol_lib.mllm import loading, sampling
from inbol_lib.report import costs
from inbol_lib.study import plan
from inbol_lib.training import ca_dpo, collating, idk_it, lora, preference_loss
from inbol_lib.training.packing import PackingCollator, response_logps
from inbol_lib.training.passes.scoring import kept_logits, of_targets

#: tokens of a question and its marks behind the picture
TEXT = 30
#: the paper's run: stage -> (what was measured, questions)
PAPER = {
    "confidence": ("sampling", 30_000),
    "idk_it": ("idk_it", 11_000),
    "ca_dpo": ("ca_dpo_sdpa", 24_000),
}
#: micro-batches of TRL that are tried on a GPU, each with and without checkpointing
GPU_MICRO_BATCHES = (1, 2, 4, 8)


class Gpu:
    """Measures throughput, memory and the share of the GPU's peak (MFU) of one model.

    Attributes
    ----------
    found : dict
        `device`, `language_parameters`, and for each work `_questions_s`, `_mfu`, `_peak_gib`.
    """

    def __init__(self, shape: shapes.Shape, questions: int, peer_questions: int):
        self.shape, self.cuda = shape, shape.ours.device.type == "cuda"
        self.p = params.load("smoke").replace(token_budget=32768)
        self.asked = rows.preferences(questions, shape.size)
        self.few = self.asked.select(range(peer_questions))
        self.weights = sum(w.numel() for w in shape.ours.get_decoder().parameters())
        self.length = shape.ours.config.image_seq_length + TEXT
        self.work = Path(tempfile.mkdtemp())
        self.start = training.saved_start(self.p, shape.theirs, self.work / "start")
        name = torch.cuda.get_device_name() if self.cuda else "cpu"
        self.found: dict[str, float | str] = {"device": name, "language_parameters": self.weights}

    def record(self, name: str, call: Callable[[], float], questions: int, flop: float) -> None:
        """Note a work of `questions` questions of `flop` FLOP each; `call` returns its seconds.

        A work that does not fit into memory is noted as `_failed`, so that the others go on.
        """
        if self.cuda:
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
        try:
            took = call()
        except (RuntimeError, ValueError) as error:
            self.found[f"{name}_failed"] = training.first_line(error)
            return
        self.found[f"{name}_questions_s"] = questions / took
        self.found[f"{name}_mfu"] = flop * questions / took / peak_flop_s(self.found["device"])
        used = torch.cuda.max_memory_allocated() / 2**30 if self.cuda else float("nan")
        self.found[f"{name}_peak_gib"] = used

    def ask(self, data) -> generation.Ask:
        return generation.Ask(list(data["image"]), list(data["prompt"]), 10, 10)

    def sampling(self) -> None:
        """Ours, and the recipes of `generate` that read a prompt once or all questions at once."""
        flop = 2 * self.weights * (self.length + 10 * 10)
        ask, few = self.ask(self.asked), self.ask(self.few)
        shape = self.shape
        given = (shape.ours, shape.processor, ask.images, ask.texts)
        draw = partial(sampling.sample, *given, 10, 1.0, 1.0, 10, 2**17)
        draw()  # warms up
        self.record("sampling", partial(seconds, draw), len(ask.texts), flop)
        recipes = {
            "peer_plain": partial(generation.plain, size=16),
            "peer_prompt_cached": partial(generation.prompts_read_once, size=1),
            "peer_prompts_cached": partial(generation.prompts_read_once, size=16),
        }
        for name, recipe in recipes.items():
            answer = partial(recipe, shape.theirs, shape.processor, few)
            self.record(f"sampling_{name}", partial(seconds, answer), len(few.texts), flop)

    def idk_it(self) -> None:
        """Ours, and TRL's `SFTTrainer` at several micro-batches."""
        flop = 4 * self.weights * (self.length + 15)
        said = rows.instructions(self.asked)
        shape, fresh = self.shape, copy.deepcopy(self.shape.ours)
        train = partial(idk_it.train, self.p, fresh, shape.processor, said, self.work / "idk_it")
        self.record("idk_it", partial(seconds, train), len(said), flop)
        del train, fresh
        talks = rows.conversations(said.select(range(len(self.few))))

        def theirs(setting: dict) -> float:
            given = (self.p, shape.theirs, shape.processor, talks, setting)
            return training.train_seconds(training.sft_trainer(*given))

        for name, setting in self.trl_settings():
            self.record(f"idk_it_trl_{name}", partial(theirs, setting), len(talks), flop)

    def ca_dpo(self) -> None:
        """Ours with both attentions, and TRL's `DPOTrainer` at several micro-batches.

        FLOP per weight and token: 2 for the reference's pass, 2 for the policy's, 2 for its
        gradient, because the weights are frozen.
        """
        flop = 6 * self.weights * (self.length + 25)
        shape = self.shape
        for attention in ("sdpa", "flex_attention") if self.cuda else ("sdpa",):
            os.environ["INBOL_RUNS"] = str(self.work / attention)
            fresh = copy.deepcopy(shape.ours)
            fresh.get_decoder().set_attn_implementation(attention)
            given = (self.p, fresh, shape.processor, self.asked, self.work / attention, self.start)
            train = partial(ca_dpo.train, *given)
            self.record(f"ca_dpo_{attention}", partial(seconds, train), len(self.asked), flop)
            del train, given, fresh
        pairs = rows.pairs(shape.processor, self.few)

        def theirs(setting: dict) -> float:
            given = (self.p, shape.theirs, shape.processor, pairs, self.start, setting)
            return training.train_seconds(training.dpo_trainer(*given))

        for name, setting in self.trl_settings():
            self.record(f"ca_dpo_trl_{name}", partial(theirs, setting), len(self.few), flop)

    def trl_settings(self) -> Iterator[tuple[str, dict]]:
        """Each micro-batch keeps what the gradient needs, or, checkpointing, computes it again."""
        for size in GPU_MICRO_BATCHES:
            for spare in (False, True):
                setting = training.micro_batch(self.p, size) | {"activation_checkpointing": spare}
                yield f"{size}{'_checkpointing' if spare else ''}", setting

    def compare(self) -> None:
        """Note the fastest setting of each peer, how it compares, what `inbol plan` assumes, and
        the hours of the paper's run.
        """
        for work, ours, peer in (
            ("sampling", "sampling", "sampling_peer_"),
            ("idk_it", "idk_it", "idk_it_trl_"),
            ("ca_dpo", "ca_dpo_sdpa", "ca_dpo_trl_"),
        ):
            end = "_questions_s"
            rates = {
                key.removesuffix(end): rate
                for key, rate in self.found.items()
                if key.startswith(peer) and key.endswith(end)
            }
            if rates and f"{ours}{end}" in self.found:
                best = max(rates, key=rates.get)
                self.found[f"{work}_best_peer"] = best
                self.found[f"{work}_ratio"] = self.found[f"{ours}{end}"] / rates[best]
            self.found[f"{work}_assumed_mfu"] = plan.ASSUMED[work]
        for stage, (work, questions) in PAPER.items():
            rate = self.found.get(f"{work}_questions_s")
            if rate:
                self.found[f"{stage}_hours"] = questions / rate / 3600


def peak_flop_s(device: str) -> float:
    """The data sheet's bfloat16 peak of a device that `inbol plan` knows; else NaN."""
    name = device.lower().replace(" ", "")
    peaks = [tflops * 1e12 for gpu, tflops in plan.GPUS.items() if gpu in name]
    return max(peaks, default=float("nan"))


def gpu(
    shape: shapes.Shape | None = None, questions: int = 256, peer_questions: int = 32
) -> dict[str, float | str]:
    """LLaVA-1.5-7B's shape (or another's) where models run, against `generate` and TRL.

    Throughput in questions a second, share of the GPU's peak, memory, and the hours of the paper's
    run that follow: confidence of 30,000 questions, 11,000 instructions, 24,000 questions with
    preferences. Peers are measured on `peer_questions` questions.
    """
    bench = Gpu(shape or llava_7b(), questions, peer_questions)
    bench.sampling()
    bench.idk_it()
    bench.ca_dpo()
    bench.compare()
    return bench.found


def llava_7b() -> shapes.Shape:
    _, processor = shapes.micro_s()
    return shapes.pair(*shapes.sized(LlavaConfig(), processor, 336))


def smolvlm_hours(repeats: int) -> pd.DataFrame:
    """SmolVLM-256M's shape with random weights on two cores.

    Seconds of one question (a photograph of 640 x 480 pixels, ten tokens a response) in each kind
    of work, and the hours that the questions of its profile follow to. Hours rest on
    `core_seconds`, the processor's time on both cores together, which other programs change less
    than the clock's `seconds`; medians.
    """
    torch.set_num_threads(2)
    p, found = params.load("smolvlm-256m"), smolvlm_seconds(repeats)
    works = {"confidence": "ten_samples", "idk_it": "idk_it", "ca_dpo": "ca_dpo"}
    stages = [
        (row["stage"], row["questions"], works.get(row["stage"], "one_answer"))
        for row in plan.plan(p, "h200", "evaluation")["stages"]
        if row["questions"]
    ]
    table = pd.DataFrame(stages, columns=["stage", "questions", "work"])
    table[["seconds", "core_seconds"]] = [found[work] for work in table.work]
    return table.assign(hours=table.questions * table.core_seconds / 2 / 3600).round(2)


def smolvlm_seconds(repeats: int) -> dict[str, list[float]]:
    """Work -> median seconds and core seconds of one mixed question, which has three responses."""
    tokenizer = AutoProcessor.from_pretrained(loading.resolve("micro-s")).tokenizer
    read = smolvlm.processor(tokenizer, CHAT_TEMPLATE)
    model, p = smolvlm.model(read), params.load("smolvlm-256m")
    asked = rows.preferences(2, (480, 640)).select([1])
    ask = (model, read, list(asked["image"]), list(asked["prompt"]))

    def idk_it_step() -> None:
        said = asked.select_columns(["image", "prompt"])
        said = said.add_column("response", list(asked["refusal"]))
        items = idk_it.items(collating.examples(read, said))
        batch = PackingCollator(items, said, read).read([0])
        logps = torch.log_softmax(kept_logits(tuned, batch), -1)
        (-of_targets(logps, batch).mean()).backward()

    def ca_dpo_step() -> None:
        batch = PackingCollator(ca_dpo.items(read, asked), asked, read).read([0])
        with torch.no_grad():
            reference = response_logps(tuned, batch)
        margin = preference_loss.margins(response_logps(tuned, batch), reference, batch["kinds"])
        preference_loss.ca_dpo_loss(margin, torch.tensor([0.5]), p.beta).sum().backward()

    found = {
        "ten_samples": both_times(lambda: sampling.sample(*ask, 10, 1.0, 1.0, 10, 2**31), repeats),
        "one_answer": both_times(lambda: sampling.greedy(*ask, 10, 2**31), repeats),
    }
    tuned = get_peft_model(model, lora.lora_config(p, model)).train()
    for name, step in (("idk_it", idk_it_step), ("ca_dpo", ca_dpo_step)):
        found[name] = both_times(step, repeats)
    return found


def both_times(call: Callable[[], object], repeats: int) -> list[float]:
    """Median seconds of the clock and of the processor."""
    spent = []
    for _ in range(repeats):
        clock, core = time.perf_counter(), time.process_time()
        call()
        spent.append((time.perf_counter() - clock, time.process_time() - core))
    return np.median(spent, axis=0).tolist()


def smoke_minutes() -> pd.DataFrame:
    """Runs and minutes of every stage of a smoke study from nothing."""
    with tempfile.TemporaryDirectory() as runs:
        started = time.perf_counter()
        call = [sys.executable, "-m", "inbol_lib.study.kernels", "snakemake", "--cores", "3"]
        call += ["--quiet", "all", "--config", "profile=smoke"]
        where = {"cwd": paths.ROOT, "env": os.environ | {"INBOL_RUNS": runs}}
        subprocess.run(call, **where, check=True, capture_output=True)
        total, books = (time.perf_counter() - started) / 60, Path(runs).glob("*/*/notebook.ipynb")
        spent = [{"stage": b.parts[-3], "minutes": costs.minutes(b.parent)} for b in books]
    table = pd.DataFrame(spent).groupby("stage").minutes.agg(["size", "sum"])
    table = table.set_axis(["runs", "minutes"], axis=1).reset_index()
    whole = {"stage": "wall clock, two cores", "runs": len(spent), "minutes": total}
    return pd.concat([table, pd.DataFrame([whole])]).round(2)

"""Speed against the stock tools, both sides in one run and alternating (`make bench`).

So far: drawing n responses to a question, `sampling.sample` against `generate(num_return_sequences=n)`. Writes
figures/bench_summary.csv with the median ratio and its quartiles.
"""

import resource
import statistics
import time
from collections.abc import Callable

import pandas as pd
import torch

from inbol_lib import models, paths, sampling
from inbol_lib.micro import world
from inbol_lib.records import prompt_text

COLUMNS = ["bench", "image_tokens", "ours_s", "theirs_s", "ratio", "ratio_lo", "ratio_hi", "ours_peak_mb", "theirs_peak_mb"]


def alternate(ours: Callable[[], object], theirs: Callable[[], object], repeats: int = 5) -> tuple[list[float], list[float]]:
    """Seconds of `repeats` runs of each side, taking turns."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(repeats):
        for side, call in enumerate((ours, theirs)):
            start = time.perf_counter()
            call()
            times[side].append(time.perf_counter() - start)
    return times


def sampling_bench(model_id: str = "micro-s", questions: int = 64, n: int = 10, new_tokens: int = 12) -> dict:
    """One row of the summary: `questions` questions, `n` samples each."""
    model, processor = models.load(model_id)
    rows = world.questions("vqav2", "validation", questions)
    images, texts = list(rows["image"]), [prompt_text(r) for r in rows]

    def stock() -> None:
        batch = models.encode(processor, images, texts)
        model.generate(**batch, do_sample=True, num_return_sequences=n, max_new_tokens=new_tokens)

    ours, theirs = alternate(lambda: sampling.sample(model, processor, images, texts, n, 1.0, 1.0, new_tokens, 32768), stock)
    ratios = sorted(t / o for o, t in zip(ours, theirs, strict=True))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    values = ("sampling", model.config.image_seq_length, statistics.median(ours), statistics.median(theirs),
              statistics.median(ratios), ratios[1], ratios[-2], peak, peak)  # fmt: skip
    return dict(zip(COLUMNS, values, strict=True))


def main() -> None:
    torch.set_num_threads(1)
    table = pd.DataFrame([sampling_bench()]).round(3)
    table.to_csv(paths.ROOT / "figures" / "bench_summary.csv", index=False)
    print(table.to_markdown(index=False))


if __name__ == "__main__":
    main()

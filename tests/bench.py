"""Speed and memory against the best that stock tools can do (`make bench`).

Our side and every sensible setting of its peer take turns on one core; the headline is the fastest
setting. `tests/benches` says what is measured and how.

sampling   `sampling.sample`, ten responses, against `generate`: in one batch, a question a batch,
           with prompts or pictures read once
greedy     `sampling.greedy` against the same
ca_dpo     `ca_dpo.train` on the paper's mix (unknown : mixed : known = 1 : 1 : 2) against TRL's
           `DPOTrainer` on the equivalent pairs, at every micro-batch
idk_it     `idk_it.train` against TRL's `SFTTrainer` with its own collator, at every micro-batch

Ours is timed whole, with encoding, reference and saving; of TRL `train()` alone. Models have about
the size of micro-s and random weights. Writes to figures/ bench_summary.csv (medians; the ratio's
median, lowest and highest turn; `_peak_mb`: memory above that of the loaded model),
bench_refused.csv (switches of TRL that it refuses for pictures), bench.png and .svg.

    python tests/bench.py --repeats 5
    python tests/bench.py --only sampling   cells are kept in runs/bench/ until all are there
    python tests/bench.py --fresh      measures cells again that runs/bench/ holds
    python tests/bench.py --quick      the smallest cell of each work, shown alone
    python tests/bench.py --gpu        LLaVA-1.5-7B's shape in bfloat16; prints JSON, and writes
                                       figures/bench_gpu.json on a GPU
    python tests/bench.py --smolvlm    SmolVLM-256M's shape, into figures/bench_smolvlm.csv
    python tests/bench.py --smoke      minutes of a smoke study, into figures/bench_smoke.csv
"""

import argparse
import json
import os
import warnings

os.environ.update(CI="1", HF_HUB_OFFLINE="1", HF_DATASETS_DISABLE_PROGRESS_BARS="1")
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import matplotlib.pyplot as plt
import torch
from benches import cells, chart, measuring, real_sizes, summary, training

from inbol_lib import paths
from inbol_lib.report.tables import files

FIGURES = paths.ROOT / "figures"


def arguments() -> argparse.Namespace:
    cli = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    cli.add_argument("--repeats", type=int, default=5)
    cli.add_argument("--only", choices=list(cells.BENCHES))
    for switch in ("fresh", "quick", "gpu", "smolvlm", "smoke"):
        cli.add_argument(f"--{switch}", action="store_true")
    return cli.parse_args()


def main() -> None:
    given = arguments()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    if given.gpu:
        gpu()
    elif given.smolvlm:
        real_sizes.smolvlm_hours(given.repeats).to_csv(FIGURES / "bench_smolvlm.csv", index=False)
    elif given.smoke:
        real_sizes.smoke_minutes().to_csv(FIGURES / "bench_smoke.csv", index=False)
    elif given.quick:
        quick(given.only)
    else:
        compare(given.repeats, given.only, given.fresh)


def gpu() -> None:
    """Print what was measured; on a GPU `inbol plan` reads it."""
    found = real_sizes.gpu()
    text = json.dumps(found, indent=1)
    print(text)
    if found["device"] != "cpu":
        (FIGURES / "bench_gpu.json").write_text(f"{text}\n")


def quick(only: str | None) -> None:
    """Show the first cell of each work with two turns; nothing is kept."""
    first = {cell.bench: cell for cell in reversed(cells.cells())}
    for bench in [only] if only else cells.BENCHES:
        rows = measuring.in_scratch(first[bench], 2)
        print(summary.table(rows).to_markdown(index=False), flush=True)


def compare(repeats: int, only: str | None, fresh: bool) -> None:
    """Measure all cells, or those of one work; once all are there, write them to figures/."""
    every = cells.cells()
    wanted = [cell for cell in every if only in (None, cell.bench)]
    if fresh:
        measuring.forget(wanted, repeats)
    done = measuring.all_measured(wanted, repeats)
    rows = [row for cell in every for row in done.get(cell, [])]
    print(summary.headlines(summary.table(rows)).to_markdown(index=False))
    if all(cell in done for cell in every):
        publish(summary.table(rows))
        measuring.forget(every, repeats)  # the next bench measures anew


def publish(table) -> None:
    """Write the table, the figure and TRL's refusals."""
    table.to_csv(FIGURES / "bench_summary.csv", index=False)
    files.save_figure(chart.draw(table), FIGURES, "bench")
    refused = training.refusals(cells.settings())
    refused.to_csv(FIGURES / "bench_refused.csv", index=False)


if __name__ == "__main__":
    plt.switch_backend("agg")
    main()

"""The README's numbers.

`python tests/readme.py` writes them from figures/ and runs/; test_readme.py compares them with
figures/.
"""

import re
import textwrap
from collections.abc import Sequence
from typing import Any

import pandas as pd
from benches import chart, summary
from readme_findings import FIGURES, findings, signed

from inbol_lib import params, paths
from inbol_lib.report import costs, paper
from inbol_lib.report.plots import looks
from inbol_lib.report.worlds import card, verdicts
from inbol_lib.study import experiments, graph, plan

README = paths.ROOT / "README.md"
BENCHES = {
    "sampling": "ten samples: `generate`",
    "greedy": "one answer: `generate`",
    "ca_dpo": "CA-DPO: TRL's `DPOTrainer`",
    "idk_it": "IDK-IT: TRL's `SFTTrainer`",
}

PEERS = (
    "A peer stands here at the fastest of its settings. All of them, and ours with other token\n"
    "budgets, are in [bench_summary.csv](figures/bench_summary.csv); switches of TRL that it\n"
    "refuses for pictures are in [bench_refused.csv](figures/bench_refused.csv)."
)


def markdown(header: Sequence[str], rows: Sequence[Sequence[Any]], texts: int) -> str:
    """Return a table whose first `texts` columns are texts and whose others are numbers."""
    rule = "---|" * texts + "--:|" * (len(header) - texts)
    lines = [f"| {' | '.join(header)} |", f"|{rule}"]
    lines += [f"| {' | '.join(map(str, row))} |" for row in rows]
    return "\n".join(lines)


def studied() -> str:
    """Return what the published study is made of, and what it took."""
    p = params.load(paths.PUBLISHED)
    table = pd.read_csv(FIGURES / "minutes.csv", index_col="stage")
    trainings = table.runs[["idk_it", "ca_dpo"]].sum()
    swept = experiments.swept(p)
    text = f"""These are the results of the profile `{p.profile}`: {p.num_instructions:,}
        instructions, {p.num_pairs:,} preference pairs and {len(p.seeds)} training seeds in the main
        tables; {swept.num_instructions:,} instructions, {swept.num_pairs:,} pairs and
        {plural(len(p.sweep_seeds), "seed")} in sweeps, and as many seeds in the probe. It has
        {trainings} trainings and {table.runs.evaluation} evaluations, and took
        {table.minutes.sum() / 60:.0f} core hours on a busy machine."""
    return textwrap.fill(" ".join(text.split()), 100)


def plural(count: int, word: str) -> str:
    return f"{count} {word}{'s' * (count != 1)}"


def results() -> str:
    """Return the in-domain results beside the paper's: Acc and RefR in percent, s_trust."""
    table = paper.compare(pd.read_csv(FIGURES / "table1_in_domain.csv"), 1)
    names = ("Acc", "RefR", "s_trust [95 %]", "the paper's Acc", "RefR", "s_trust")
    rows = [
        (
            row.model,
            looks.label(row.method),
            f"{row.acc:.1f}",
            f"{row.refr:.1f}",
            signed(row.s_trust, row.lo, row.hi),
            f"{row.paper_acc:.1f}",
            f"{row.paper_refr:.1f}",
            f"{row.paper_s_trust:+.1f}",
        )
        for row in table[table.dataset == "Overall"].itertuples()
    ]
    return markdown(("model", "method", *names), rows, texts=2)


def claims() -> str:
    """Return the paper's claims with statistic, interval and verdict for each model."""
    table = pd.read_csv(FIGURES / "claims.csv")
    table["cell"] = [
        f"{signed(row.ours, row.lo, row.hi)} **{row.verdict}**" for row in table.itertuples()
    ]
    table["claim"] += " (" + table["where"] + ")"
    wide = table.pivot(index="claim", columns="model", values="cell")
    wide = wide.reindex(table.claim.unique()).fillna("–")
    wide = wide[sorted(wide, reverse=True)]
    rows = wide.reset_index().itertuples(index=False)
    return markdown(("claim", *wide), list(rows), texts=1 + len(wide.columns))


def likeness() -> str:
    """Return how near the base models are to LLaVA-1.5, and what SFT adds in both."""
    table = pd.read_csv(FIGURES / "world_card.csv")
    gained = pd.read_csv(FIGURES / "world_card_gains.csv").set_index("model")
    rows = []
    for row in card.met(table).itertuples():
        gains = [
            f"{signed(gain.ours, gain.lo, gain.hi)} ({gain.paper:+.1f})"
            for gain in gained.loc[row.model].itertuples()
        ]
        near = (f"{row.near} of {row.cells}", row.far, f"{row.largest_gap:.1f}")
        rows.append((row.model, paper.COUNTERPART[row.model], *near, *gains))
    gains = [f"SFT's gain, {name}" for name in gained.loc[row.model].dataset]
    counted = ("cells within 5 points", "beyond 10", "largest gap")
    within = gained.paper.between(gained.lo, gained.hi)
    return (
        f"{markdown(('model', 'beside', *counted, *gains), rows, texts=2)}\n\n"
        f"The paper's gain lies within the interval of ours in {within.sum()} of {len(within)}."
    )


def worlds() -> str:
    """Return the verdicts on Table 1 for micro-s in every world."""
    table = pd.read_csv(FIGURES / "worlds.csv")
    table = table[(table["where"] == "Table 1") & (table.model == "micro-s")]
    shorter = (verdicts.HOUR[0], verdicts.ONE_SEED[0])
    names = [name for name in table.columns[4:] if name not in shorter]
    printed = [f"{value:+.1f}" for value in table.paper]
    rows = list(
        zip(table.claim, printed, *(table[name].fillna("–") for name in names), strict=True)
    )
    return markdown(("claim", "the paper", *names), rows, texts=1)


def speed() -> str:
    """Return ours against the stock tools, as `make bench` measured it."""
    return best_peers(pd.read_csv(FIGURES / "bench_summary.csv"))


def best_peers(table: pd.DataFrame) -> str:
    """Return a line for each cell of the bench, against the fastest setting of the peer."""
    rows = [
        (
            BENCHES[row.bench],
            chart.FAMILIES[row.family],
            row.best_setting,
            row.image_tokens,
            row.questions_per_image,
            row.new_tokens or "–",
            f"{row.ratio:.1f} [{row.ratio_lo:.1f}, {row.ratio_hi:.1f}]",
            f"{row.ours_peak_mb / row.theirs_peak_mb:.2f}",
        )
        for row in summary.headlines(table).itertuples()
    ]
    sizes = ("image tokens", "questions a picture", "new tokens")
    measured = ("times as fast [lowest, highest]", "share of its memory")
    header = ("against", "model", "its fastest setting", *sizes, *measured)
    return f"{markdown(header, rows, texts=3)}\n\n{PEERS}"


def planned() -> str:
    """Return what the profiles of real models cost on one GPU, as `inbol_lib.study.plan` says."""
    counts = ("jobs", "questions", "10^6 tokens", "disk, GB")
    hours = ("hours, H200", "A100", "Tables 1 to 3 alone, H200")
    rows = [planned_row(name) for name in ("smolvlm-256m", "llava-1.5-7b", "llava-1.5-13b")]
    return markdown(("profile", *counts, *hours), rows, texts=1)


def planned_row(name: str) -> list[str]:
    p = params.load(name)
    h200, a100 = (plan.plan(p, gpu)["total"] for gpu in ("h200", "a100"))
    alone = plan.plan(p, "h200", "evaluation")["total"]
    tokens = (h200["prompt_tokens"] + h200["said_tokens"]) / 1e6
    counts = [f"{h200['jobs']}", f"{h200['questions']:,}", f"{tokens:,.0f}", f"{h200['gb']:.0f}"]
    return [name, *counts, *(f"{total['hours']:.1f}" for total in (h200, a100, alone))]


def smolvlm() -> str:
    """Return what SmolVLM-256M's profile would take without a GPU.

    `python tests/bench.py --smolvlm` measured it.
    """
    table = pd.read_csv(FIGURES / "bench_smolvlm.csv")
    spent = table.groupby("work").core_seconds.max()
    return (
        "Two cores are too few for it: SmolVLM-256M's shape takes "
        f"{spent['ten_samples']:.0f} core seconds for ten samples of a photograph "
        f"and {spent['ca_dpo']:.0f} for a CA-DPO question,\n"
        f"so that Tables 1 to 3 alone would take some {table.hours.sum():,.0f} hours."
    )


def minutes() -> pd.Series:
    """Return stage -> minutes of all its runs in the published study, by papermill."""
    return pd.read_csv(FIGURES / "minutes.csv", index_col="stage").minutes


def measure() -> None:
    """Write figures/minutes.csv from the notebooks of the published study, if it is whole."""
    p = params.load(paths.PUBLISHED)
    jobs = graph.plan("paper_vs_ours", p) | graph.plan("tour", p)
    rows = [
        {"stage": job[0], "runs": 1, "minutes": costs.minutes(graph.path(*job))}
        for job in jobs.values()
    ]
    table = pd.DataFrame(rows)
    if table.minutes.notna().all():
        table.groupby("stage").sum().round(2).to_csv(FIGURES / "minutes.csv")


def filled(text: str) -> str:
    """Return the README's text with all blocks and minutes as they are in figures/."""
    blocks = {
        "studied": studied(),
        "results": results(),
        "findings": findings(),
        "claims": claims(),
        "likeness": likeness(),
        "worlds": worlds(),
        "speed": speed(),
        "plan": planned(),
        "smolvlm": smolvlm(),
    }
    for name, block in blocks.items():
        text = with_block(text, name, block)
    for stage, spent in minutes().items():
        text = with_minutes(text, graph.NOTEBOOKS[stage], spent)
    return text


def with_block(text: str, name: str, block: str) -> str:
    """Return the text with a block between its two comments."""
    pattern = rf"(<!-- {name} -->\n).*?(<!-- end -->)"
    return re.sub(
        pattern, lambda match: f"{match[1]}\n{block}\n\n{match[2]}", text, flags=re.DOTALL
    )


def with_minutes(text: str, notebook: str, spent: float) -> str:
    """Return the text with a notebook's minutes in the last column of its line."""
    pattern = rf"(\]\(notebooks/{re.escape(notebook)}\.ipynb\) \|.*\| )[^|]*( \|\n)"
    return re.sub(pattern, lambda match: f"{match[1]}{spent:.1f}{match[2]}", text)


if __name__ == "__main__":
    measure()
    README.write_text(filled(README.read_text()))

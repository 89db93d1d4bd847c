"""The README's numbers: `python tests/readme.py` writes them from figures/ and runs/, test_readme.py checks them against figures/."""

import re

import pandas as pd

from inbol_lib import paper, params, paths, plan, plots, stages, study

FIGURES, README = paths.figures("micro"), paths.ROOT / "README.md"


def results() -> str:
    """In domain, paper beside ours: Acc, RefR and s_trust in percent, the interval of s_trust in brackets."""
    table = paper.compare(pd.read_csv(FIGURES / "table1_in_domain.csv"), 1).query("dataset == 'Overall'")
    lines = ["| model | method | Acc | RefR | s_trust [95 %] | the paper's Acc | RefR | s_trust |", "|---|---|--:|--:|--:|--:|--:|--:|"]
    for r in table.itertuples():
        ours = f"{r.acc:.1f} | {r.refr:.1f} | {r.s_trust:+.1f} [{r.lo:+.1f}, {r.hi:+.1f}]"
        lines.append(f"| {r.model} | {plots.label(r.method)} | {ours} | {r.paper_acc:.1f} | {r.paper_refr:.1f} | {r.paper_s_trust:+.1f} |")
    return "\n".join(lines)


def claims() -> str:
    """The paper's claims: statistic, interval and verdict for each model."""
    table = pd.read_csv(FIGURES / "claims.csv")
    table["cell"] = [f"{r.ours:+.1f} [{r.lo:+.1f}, {r.hi:+.1f}] **{r.verdict}**" for r in table.itertuples()]
    table["claim"] += " (" + table["where"] + ")"
    wide = table.pivot(index="claim", columns="model", values="cell").reindex(table.claim.unique()).fillna("–")
    wide = wide[sorted(wide, reverse=True)]
    lines = [f"| claim | {' | '.join(wide)} |", "|---|" + "---|" * len(wide.columns)]
    return "\n".join(lines + [f"| {claim} | {' | '.join(cells)} |" for claim, cells in zip(wide.index, wide.to_numpy(), strict=True)])


def speed() -> str:
    """Ours against the stock tools, as `make bench` measured it."""
    names = {"sampling": "ten samples: `generate`", "ca_dpo": "CA-DPO: TRL's `DPOTrainer`", "idk_it": "IDK-IT: TRL's `SFTTrainer`"}
    lines = ["| against | image tokens | times as fast [lowest, highest] | share of its memory |", "|---|--:|--:|--:|"]
    for r in pd.read_csv(FIGURES / "bench_summary.csv").itertuples():
        ratio = f"{r.ratio:.1f} [{r.ratio_lo:.1f}, {r.ratio_hi:.1f}]"
        lines.append(f"| {names[r.bench]} | {r.image_tokens} | {ratio} | {r.ours_peak_mb / r.theirs_peak_mb:.2f} |")
    return "\n".join(lines)


def planned() -> str:
    """What the profiles of real models cost on one GPU, as `inbol_lib.plan` says: every table, and Tables 1 to 3 with one seed."""
    lines = ["| profile | jobs | questions | 10^6 tokens | disk, GB | hours, H200 | A100 | Tables 1 to 3 alone, H200 |",
             "|---|--:|--:|--:|--:|--:|--:|--:|"]  # fmt: skip
    for name in ("smolvlm-256m", "llava-1.5-7b", "llava-1.5-13b"):
        p = params.load(name)
        first, second = (plan.plan(p, gpu)["total"] for gpu in ("h200", "a100"))
        alone = plan.plan(p, "h200", "evaluation")["total"]["hours"]
        tokens = (first["prompt_tokens"] + first["said_tokens"]) / 1e6
        lines.append(f"| {name} | {first['jobs']} | {first['questions']:,} | {tokens:,.0f} | {first['gb']:.0f} | {first['hours']:.1f} | "
                     f"{second['hours']:.1f} | {alone:.1f} |")  # fmt: skip
    return "\n".join(lines)


def smolvlm() -> str:
    """What SmolVLM-256M's profile would take without a GPU, as `python tests/bench.py --smolvlm` measured it."""
    table = pd.read_csv(FIGURES / "bench_smolvlm.csv")
    spent = table.groupby("work").core_seconds.max()
    return (
        f"Two cores are too few for it: SmolVLM-256M's shape takes {spent['ten_samples']:.0f} core seconds for ten samples of a photograph "
        f"and {spent['ca_dpo']:.0f} for a CA-DPO question,\nso that Tables 1 to 3 alone would take some {table.hours.sum():,.0f} hours."
    )


def minutes() -> pd.Series:
    """Stage -> minutes that all of its runs took, as papermill measured them (figures/minutes.csv)."""
    return pd.read_csv(FIGURES / "minutes.csv", index_col="stage").minutes


def measure() -> None:
    """Write figures/minutes.csv from the executed notebooks of the last study."""
    jobs = stages.plan("paper_vs_ours", _profile()) | stages.plan("tour", _profile())
    rows = [{"stage": job[0], "runs": 1, "minutes": study.minutes(stages.path(*job))} for job in jobs.values()]
    pd.DataFrame(rows).groupby("stage").sum().round(2).to_csv(FIGURES / "minutes.csv")


def _profile():
    return params.load("micro")


def filled(text: str) -> str:
    """The README with the results, the speed and every notebook's minutes as they are in figures/."""
    for name, table in (("results", results()), ("claims", claims()), ("speed", speed()), ("plan", planned()),
                        ("smolvlm", smolvlm())):  # fmt: skip
        text = re.sub(rf"(<!-- {name} -->\n).*?(<!-- end -->)", lambda m, table=table: f"{m[1]}\n{table}\n\n{m[2]}", text, flags=re.S)
    for stage, spent in minutes().items():
        name = re.escape(stages.NOTEBOOKS[stage])
        text = re.sub(rf"(\]\(notebooks/{name}\.ipynb\) \|.*\| )[^|]*( \|\n)", lambda m, spent=spent: f"{m[1]}{spent:.1f}{m[2]}", text)
    return text


if __name__ == "__main__":
    measure()
    README.write_text(filled(README.read_text()))

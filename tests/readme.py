"""The README's numbers: `python tests/readme.py` writes them from figures/ and runs/, test_readme.py checks them against figures/."""

import re
import textwrap

import pandas as pd

from inbol_lib import params, paths
from inbol_lib.report import costs, paper
from inbol_lib.report.plots import looks
from inbol_lib.report.tables import layout
from inbol_lib.study import graph, plan

FIGURES, README = paths.figures(paths.PUBLISHED), paths.ROOT / "README.md"


def results() -> str:
    """In domain, paper beside ours: Acc, RefR and s_trust in percent, the interval of s_trust in brackets."""
    table = paper.compare(pd.read_csv(FIGURES / "table1_in_domain.csv"), 1).query(
        "dataset == 'Overall'"
    )
    lines = [
        "| model | method | Acc | RefR | s_trust [95 %] | the paper's Acc | RefR | s_trust |",
        "|---|---|--:|--:|--:|--:|--:|--:|",
    ]
    for r in table.itertuples():
        ours = f"{r.acc:.1f} | {r.refr:.1f} | {signed(r.s_trust, r.lo, r.hi)}"
        lines.append(
            f"| {r.model} | {looks.label(r.method)} | {ours} | {r.paper_acc:.1f} | {r.paper_refr:.1f} | {r.paper_s_trust:+.1f} |"
        )
    return "\n".join(lines)


def claims() -> str:
    """The paper's claims: statistic, interval and verdict for each model."""
    table = pd.read_csv(FIGURES / "claims.csv")
    table["cell"] = [f"{signed(r.ours, r.lo, r.hi)} **{r.verdict}**" for r in table.itertuples()]
    table["claim"] += " (" + table["where"] + ")"
    wide = (
        table.pivot(index="claim", columns="model", values="cell")
        .reindex(table.claim.unique())
        .fillna("–")
    )
    wide = wide[sorted(wide, reverse=True)]
    lines = [f"| claim | {' | '.join(wide)} |", "|---|" + "---|" * len(wide.columns)]
    return "\n".join(
        lines
        + [
            f"| {claim} | {' | '.join(cells)} |"
            for claim, cells in zip(wide.index, wide.to_numpy(), strict=True)
        ]
    )


def signed(value: float, lo: float, hi: float) -> str:
    return f"{value:+.1f} [{lo:+.1f}, {hi:+.1f}]"


def row(name: str, **where) -> pd.Series:
    """The one line of a table in figures/ that has these values."""
    table = pd.read_csv(FIGURES / f"{name}.csv")
    (found,) = table[(table[list(where)] == list(where.values())).all(axis=1)].itertuples(
        index=False
    )
    return found


def diff(r) -> str:
    return signed(r.diff, r.diff_lo, r.diff_hi)


def findings() -> str:
    """What InBoL does in the micro world and what it does not; the words are by hand, every number is from figures/."""
    overall = {(m, k): row("table1_in_domain", model=m, method=k, dataset="Overall")
               for m in ("micro-s", "micro-m") for k in ("original", "sft", "idk_it", "ca_dpo")}  # fmt: skip
    trust = {key: f"{r.s_trust:+.1f}" for key, r in overall.items()}
    small = {k: r for (m, k), r in overall.items() if m == "micro-s"}
    acc, refr = (
        {k: f"{getattr(r, metric):.0f} %" for k, r in small.items()} for metric in ("acc", "refr")
    )
    idk = {
        k: row("table3_unanswerable", model="micro-s", method=k, dataset="VQAv2-IDK(filter)").refr
        for k in ("original", "ca_dpo")
    }
    outside = pd.read_csv(FIGURES / "table2_out_of_domain.csv").query("model == 'micro-s'")
    away = (
        outside[outside.dataset.isin(layout.OOD_AVERAGED)]
        .groupby("method")
        .s_trust.mean()
        .map("{:+.1f}".format)
    )
    sizes = pd.read_csv(FIGURES / "fig_data_size.csv").query("method == 'ca_dpo'")
    growth = ", ".join(f"{diff(r)} at {r.instructions:,}" for r in sizes.itertuples())
    few, more = (
        row("fig_data_size", method="ca_dpo", instructions=2000),
        row("fig_data_size", method="idk_it", instructions=11000),
    )
    eq6 = {
        k: diff(row("controls_eq6", model="micro-s", method=f"ca_dpo_{k}"))
        for k in ("half", "shuffled", "inside", "base")
    }
    alone = row("controls_eq6", model="micro-s", method="ca_dpo_base")
    counts = {n: row("controls_samples", method="ca_dpo", samples=n).s_trust for n in (2, 20)}
    same = {(k, score): diff(row("controls_equal_refusals", model="micro-s", method=k, score=score))
            for k in ("idk_it", "ca_dpo") for score in ("sequence_probability", "self_consistency")}  # fmt: skip
    natural = {
        k: row("controls_natural", model="micro-s", method=k, distribution="natural")
        for k in ("original", "ca_dpo")
    }
    often = {k: signed(r.s_trust, r.lo, r.hi) for k, r in natural.items()}
    by = {(k, e): row("controls_seen", model="micro-s", method=k, entity=e)
          for k in ("original", "sft", "ca_dpo") for e in ("seen", "unseen")}  # fmt: skip
    seen = {key: f"{r.s_trust:+.1f}" for key, r in by.items()}
    probed = {k: row("controls_probe", model="micro-s", method="original", control=k)
              for k in ("as in the paper", "words alone", "matched wording", "held-out source", "shuffled labels")}  # fmt: skip
    chance = probed["shuffled labels"]
    grid = pd.read_csv(FIGURES / "fig10_thresholds.csv").id_s_trust
    said = f"""
- **It teaches a model to refuse.** In domain s_trust goes from {trust["micro-s", "original"]} to {trust["micro-s", "idk_it"]} (IDK-IT) and
  {trust["micro-s", "ca_dpo"]} (CA-DPO) with micro-s, from {trust["micro-m", "original"]} to {trust["micro-m", "idk_it"]} and
  {trust["micro-m", "ca_dpo"]} with micro-m; of the questions that no picture answers (VQAv2-IDK) the original micro-s refuses
  {idk["original"]:.0f} %, CA-DPO {idk["ca_dpo"]:.0f} %. Refusals fall as the original model's confidence rises. Out of domain the mean goes
  from {away.original} to {away.idk_it} and {away.ca_dpo} (micro-s): there IDK-IT is the better one.
- **CA-DPO helps where instructions are few.** CA-DPO less IDK-IT in s_trust, by the number of instructions: {growth}.
  More instructions do as much: {few.instructions:,} and {few.pairs:,} pairs bring CA-DPO to {few.id_s_trust:+.1f}, {more.instructions:,}
  bring IDK-IT to {more.id_s_trust:+.1f}.
- **Accuracy does not come back.** The original micro-s answers {acc["original"]} right, IDK-IT {acc["idk_it"]}, CA-DPO {acc["ca_dpo"]};
  in the paper CA-DPO ends above the original. Here its pairs teach no facts: about countries that training asks about, CA-DPO answers
  {by["ca_dpo", "seen"].acc:.0f} % right, SFT {by["sft", "seen"].acc:.0f} %, the original {by["original", "seen"].acc:.0f} %.
- **SFT learns facts, not limits.** In domain it has {trust["micro-s", "sft"]} with {refr["sft"]} refusals (CA-DPO {refr["ca_dpo"]}). About
  countries that its training asks about it reaches {seen["sft", "seen"]} (original {seen["original", "seen"]}, CA-DPO
  {seen["ca_dpo", "seen"]}), about the others {seen["sft", "unseen"]} ({seen["original", "unseen"]}, {seen["ca_dpo", "unseen"]}).
- **The confidence in eq. 6 shows no effect.** Against CA-DPO, equal weights for mixed questions give {eq6["half"]}, shuffled confidences
  {eq6["shuffled"]}, the weight inside the sigmoid {eq6["inside"]}. With 2 samples behind the confidence it reaches {counts[2]:+.1f}, with
  20 {counts[20]:+.1f}.
- **It needs IDK-IT before it.** Trained from the original model it refuses {alone.refr:.0f} % of the questions, and ends at
  {alone.s_trust:+.1f} ({eq6["base"]} against CA-DPO).
- **A threshold does nearly as well, without training.** Against the original model that refuses as often, its least probable answers
  first, IDK-IT has {same["idk_it", "sequence_probability"]} and CA-DPO {same["ca_dpo", "sequence_probability"]}; against the least
  consistent first, {same["idk_it", "self_consistency"]} and {same["ca_dpo", "self_consistency"]}.
- **Refusing pays where questions are hard.** On answerable questions as they come, not balanced by confidence, the original has
  {often["original"]}, CA-DPO {often["ca_dpo"]}.
- **The probe reads mostly wording.** {probed["as in the paper"].accuracy:.0f} % right, but the question's words alone give
  {probed["words alone"].accuracy:.0f} %, matched wording {probed["matched wording"].accuracy:.0f} %, a source that it never saw
  {probed["held-out source"].accuracy:.0f} %, as shuffled labels do ({chance.lo:.0f} to {chance.hi:.0f} %).
- **Thresholds matter little.** All over Fig. 10's grid IDK-IT's s_trust lies between {grid.min():+.1f} and {grid.max():+.1f}."""
    return "\n".join(textwrap.fill(" ".join(part.split()), 130, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False)
                     for part in said.split("\n- ")[1:])  # fmt: skip


def speed() -> str:
    """Ours against the stock tools, as `make bench` measured it."""
    names = {
        "sampling": "ten samples: `generate`",
        "ca_dpo": "CA-DPO: TRL's `DPOTrainer`",
        "idk_it": "IDK-IT: TRL's `SFTTrainer`",
    }
    lines = [
        "| against | image tokens | times as fast [lowest, highest] | share of its memory |",
        "|---|--:|--:|--:|",
    ]
    for r in pd.read_csv(FIGURES / "bench_summary.csv").itertuples():
        ratio = f"{r.ratio:.1f} [{r.ratio_lo:.1f}, {r.ratio_hi:.1f}]"
        lines.append(
            f"| {names[r.bench]} | {r.image_tokens} | {ratio} | {r.ours_peak_mb / r.theirs_peak_mb:.2f} |"
        )
    return "\n".join(lines)


def planned() -> str:
    """What the profiles of real models cost on one GPU, as `inbol_lib.study.plan` says: every table, and Tables 1 to 3 with one seed."""
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
    """Stage -> minutes that all of its runs took in `make study`, as papermill measured them (figures/minutes.csv)."""
    return pd.read_csv(FIGURES / "minutes.csv", index_col="stage").minutes


def measure() -> None:
    """Write figures/minutes.csv from the executed notebooks of the last study."""
    p = params.load("micro")
    jobs = graph.plan("paper_vs_ours", p) | graph.plan("tour", p)
    rows = [
        {"stage": job[0], "runs": 1, "minutes": costs.minutes(graph.path(*job))}
        for job in jobs.values()
    ]
    pd.DataFrame(rows).groupby("stage").sum().round(2).to_csv(FIGURES / "minutes.csv")


def filled(text: str) -> str:
    """The README with the results, the speed and every notebook's minutes as they are in figures/."""
    for name, table in (("results", results()), ("findings", findings()), ("claims", claims()), ("speed", speed()), ("plan", planned()),
                        ("smolvlm", smolvlm())):  # fmt: skip
        text = re.sub(
            rf"(<!-- {name} -->\n).*?(<!-- end -->)",
            lambda m, table=table: f"{m[1]}\n{table}\n\n{m[2]}",
            text,
            flags=re.S,
        )
    for stage, spent in minutes().items():
        name = re.escape(graph.NOTEBOOKS[stage])
        text = re.sub(
            rf"(\]\(notebooks/{name}\.ipynb\) \|.*\| )[^|]*( \|\n)",
            lambda m, spent=spent: f"{m[1]}{spent:.1f}{m[2]}",
            text,
        )
    return text


if __name__ == "__main__":
    measure()
    README.write_text(filled(README.read_text()))

"""The only maker of tables: from outcome tables to the paper's Tables 1 to 7, in percentage points with 95 % intervals."""

from pathlib import Path

import numpy as np
import pandas as pd

from inbol_lib import metrics
from inbol_lib.intervals import interval

NAMES = {
    "vqav2": "VQAv2", "oven": "OVEN", "scienceqa": "ScienceQA", "uavqa": "UaVQA", "aokvqa": "AOKVQA", "gqa": "GQA",
    "mmmu": "MMMU", "mmbench": "MMBench", "beyondvisqa": "BeyondVisQA", "vizwiz": "VizWiz(ua)",
    "vqav2_idk": "VQAv2-IDK(filter)",
}  # fmt: skip
OOD, OOD_AVERAGED = ("aokvqa", "gqa", "mmmu", "beyondvisqa", "mmbench"), ("aokvqa", "gqa", "mmmu", "mmbench")
UNANSWERABLE = ("vizwiz", "vqav2_idk")
MIXED_PAIRS = {"dpo_1": 1, "dpo_2": 2, "dpo_3": 3, "ca_dpo": 3}


def in_domain(outcomes: pd.DataFrame) -> pd.DataFrame:
    """The rows of the in-domain test set: whatever source is none of the out-of-domain sets."""
    return outcomes[~outcomes.source.isin((*OOD, *UNANSWERABLE))]


def _cells(outcomes: pd.DataFrame, dataset: str) -> list[dict]:
    """One table row per model and method: metrics over all seeds, interval of the main one (RefR where nothing can be
    answered, else s_trust)."""
    rows = []
    for (model, method), part in outcomes.groupby(["model", "method"], sort=False):
        got = {k: 100 * float(v[0]) for k, v in metrics.score(pd.DataFrame([metrics.counts(part).sum()])).items()}
        refusing = not part.answerable.any()
        main = "refr" if refusing else "s_trust"
        lo, hi = interval(part, lambda t, m=main: metrics.score(t)[m])
        if refusing:
            got |= {"acc": np.nan, "s_trust": np.nan, "answered_acc": np.nan}
        rows.append({"model": model, "method": method, "dataset": dataset, **got, "lo": 100 * lo, "hi": 100 * hi,
                     "n": part.id.nunique(), "n_seeds": part.seed.nunique(), "unjudged": sum(part.outcome == "unjudged")})  # fmt: skip
    return rows


def _tidy(rows: list[dict], columns: tuple[str, ...]) -> pd.DataFrame:
    table = pd.DataFrame(rows)
    table["method"] = pd.Categorical(table.method, list(dict.fromkeys(table.method)))
    table = table.sort_values(["model", "method"], kind="stable").astype({"method": str}).reset_index(drop=True)
    return table[["model", "method", "dataset", *columns, "lo", "hi", "n", "n_seeds", "unjudged"]]


def table1(outcomes: pd.DataFrame) -> pd.DataFrame:
    """In domain: every source and Overall (columns of the paper's Table 1)."""
    inside = in_domain(outcomes)
    rows = [r for source, part in inside.groupby("source", sort=False) for r in _cells(part, NAMES.get(source, source))]
    return _tidy(rows + _cells(inside, "Overall"), ("acc", "refr", "s_trust", "answered_acc"))


def table2(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Out of domain. MMBench is scored circularly, as the paper's level suggests; its vanilla score is a row of its own."""
    rows = []
    for source in OOD:
        part = outcomes[outcomes.source == source]
        if source == "mmbench" and len(part):
            rows += _cells(metrics.circular(part), "MMBench") + _cells(metrics.vanilla(part), "MMBench(vanilla)")
        elif len(part):
            rows += _cells(part, NAMES[source])
    return _tidy(rows, ("acc", "refr", "s_trust", "answered_acc")) if rows else pd.DataFrame()


def table3(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Refusal rate on the two unanswerable sets."""
    rows = [r for s in UNANSWERABLE for r in _cells(outcomes[outcomes.source == s], NAMES[s]) if (outcomes.source == s).any()]
    return _tidy(rows, ("refr",)) if rows else pd.DataFrame()


def table4(outcomes: pd.DataFrame) -> pd.DataFrame:
    """One line per model and method: in-domain overall, and the mean over A-OKVQA, GQA, MMMU and MMBench."""
    first, second = table1(outcomes), table2(outcomes)
    inside = first[first.dataset == "Overall"].set_index(["model", "method"])
    metrics3 = ["acc", "refr", "s_trust"]
    out = inside[[*metrics3, "lo", "hi", "n", "n_seeds"]].rename(columns={m: f"id_{m}" for m in metrics3})
    if len(second):
        averaged = second[second.dataset.isin([NAMES[s] for s in OOD_AVERAGED])].groupby(["model", "method"], sort=False)[metrics3].mean()
        out = out.join(averaged.add_prefix("ood_"))
    out = out.reset_index()
    return out.assign(mixed_pairs=out.method.map(MIXED_PAIRS))


def generator_table(by_generator: dict[str, pd.DataFrame], number: int) -> pd.DataFrame:
    """Table 5 (refusal rates on unanswerable sets) or 6 (out of domain) for each generator of unanswerable questions."""
    parts = []
    for generator, outcomes in by_generator.items():
        rows = pd.concat([table3(outcomes), table2(outcomes)]) if number == 5 else table2(outcomes)
        keep = ["VizWiz(ua)", "VQAv2-IDK(filter)", "BeyondVisQA"] if number == 5 else [NAMES[s] for s in OOD_AVERAGED]
        parts.append(rows[rows.dataset.isin(keep)].assign(generator=generator))
    return pd.concat(parts, ignore_index=True)


def by_confidence(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Fig. 4: refusal rate and answered accuracy against the base model's confidence, in domain and on A-OKVQA."""
    known = outcomes[outcomes.confidence.notna() & outcomes.answerable]
    known = known.assign(data=np.where(known.source == "aokvqa", "A-OKVQA", "in domain"), level=known.confidence.round(1))
    return metrics.summary(known, ["data", "method", "level"]).sort_values(["data", "method", "level"])


# --- files ------------------------------------------------------------------------------------------------------------


def save_table_files(table: pd.DataFrame, folder: Path, name: str, note: str = "") -> None:
    """`name`.csv, .md and .tex in `folder`; the note (such as a reduced size) stands under the Markdown and LaTeX tables."""
    folder.mkdir(parents=True, exist_ok=True)
    shown = table.round(2)
    shown.to_csv(folder / f"{name}.csv", index=False)
    (folder / f"{name}.md").write_text(shown.to_markdown(index=False, floatfmt=".2f") + (f"\n\n{note}\n" if note else "\n"))
    tex = shown.style.hide(axis="index").format(precision=2, na_rep="--", escape="latex").to_latex(hrules=True)
    (folder / f"{name}.tex").write_text(tex + (f"% {note}\n" if note else ""))


def save_figure(figure, folder: Path, name: str, data: pd.DataFrame | None = None) -> None:
    """`name`.svg and .png in `folder`, and the data behind the figure as `name`.csv."""
    folder.mkdir(parents=True, exist_ok=True)
    for suffix in ("svg", "png"):
        metadata = {"Date": None} if suffix == "svg" else {}
        figure.savefig(folder / f"{name}.{suffix}", metadata=metadata)
    if data is not None:
        data.round(4).to_csv(folder / f"{name}.csv", index=False)

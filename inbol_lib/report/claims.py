"""The paper's claims as statistics of the outcome tables (ours; the paper gives no intervals).

Each statistic is a number of points that is positive if the claim holds. A claim is reproduced when the 95 % interval of its statistic
lies above 0, not when it lies below, else undecided. "Near" means within MARGIN points, which is ours."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from inbol_lib.evaluation import metrics
from inbol_lib.evaluation.intervals import interval
from inbol_lib.evaluation.probe_designs import PAPER
from inbol_lib.params import Params
from inbol_lib.report import gathering, paper
from inbol_lib.report.plots.looks import label
from inbol_lib.report.tables import layout
from inbol_lib.study import experiments

ORDER = ("ca_dpo", "idk_it", "sft", "refusal_prompt", "original")  # the paper's, best first
MARGIN = 0.05
COLUMNS = ["claim", "where", "model", "statistic", "ours", "lo", "hi", "paper", "verdict"]
Cells = Sequence[tuple[str, str]]  # (method, data set) of printed cells


def value(name: str) -> Callable:
    """A metric of summed counts, as a share."""
    return lambda totals: metrics.score(totals)[name]


def less(metric: Callable, margin: float = 0) -> Callable:
    """The metric of the first less that of the second, plus a margin."""
    return lambda a, b: metric(a) - metric(b) + margin


def ahead(metric: Callable) -> Callable:
    """The metric of the first less the highest of the others."""
    return lambda first, *others: metric(first) - np.max([metric(o) for o in others], axis=0)


def row(claim: str, where: str, model: str, statistic: str, parts: Sequence[pd.DataFrame], function: Callable,
        printed: float = float("nan")) -> dict:  # fmt: skip
    """One claim: `function` of the counts of `parts`, with its interval and verdict; `printed` is the same of the paper's numbers."""
    found = (
        float(function(*(metrics.counts(part).sum() for part in parts))),
        *interval(*parts, statistic=function),
        printed,
    )
    return line(claim, where, model, statistic, *(100 * v for v in found))


def line(
    claim: str,
    where: str,
    model: str,
    statistic: str,
    ours: float,
    lo: float,
    hi: float,
    printed: float,
) -> dict:
    """One claim with its verdict, in points."""
    verdict = "reproduced" if lo > 0 else "not" if hi < 0 else "undecided"
    return dict(
        zip(COLUMNS, (claim, where, model, statistic, ours, lo, hi, printed, verdict), strict=True)
    )


def printed(number: int, model: str, cells: Cells, function: Callable) -> float:
    """`function` of the paper's printed cells (Acc and RefR read as counts), NaN where one is missing."""
    table = (
        paper.table(number)
        .query("model == @paper.COUNTERPART.get(@model)")
        .set_index(["method", "dataset"])
    )
    if not set(cells) <= set(table.index):
        return float("nan")
    found = [table.loc[cell] for cell in cells]
    return float(
        function(
            *(
                {"correct": c.get("acc", np.nan) / 100, "refusal": c.refr / 100, "n": 1.0}
                for c in found
            )
        )
    )


def in_domain(model: str, outcomes: pd.DataFrame) -> list[dict]:
    """Tables 1 and Fig. 4: the order of the methods, what each costs, and what confidence says."""
    of = dict(list(layout.in_domain(outcomes).groupby("method")))
    acc, refr, trust = value("acc"), value("refr"), value("s_trust")

    def claim(words: str, statistic: str, methods: Sequence[str], function: Callable) -> dict:
        cells = [(m, "Overall") for m in methods]
        return row(
            words,
            "Table 1",
            model,
            statistic,
            [of[m] for m in methods],
            function,
            printed(1, model, cells, function),
        )

    rows = [
        claim(f"{label(good)} > {label(bad)} in s_trust", "difference", (good, bad), less(trust))
        for good, bad in pairwise(m for m in ORDER if m in of)
    ]
    if not set(ORDER) <= set(of):
        return rows
    rows += [
        claim(
            "IDK-IT refuses most",
            "RefR less the highest other",
            ("idk_it", *(m for m in ORDER if m != "idk_it")),
            ahead(refr),
        ),
        claim("IDK-IT lowers accuracy", "loss of Acc", ("original", "idk_it"), less(acc)),
        claim(
            "CA-DPO keeps accuracy near the original's",
            "change of Acc, plus the margin",
            ("ca_dpo", "original"),
            less(acc, MARGIN),
        ),
    ]
    tuned = of["ca_dpo"]
    sure, unsure = (
        tuned[tuned.answerable & part]
        for part in (tuned.confidence >= 0.8, tuned.confidence <= 0.2)
    )
    for words, parts, metric in (("RefR of CA-DPO falls with confidence", (unsure, sure), refr),
                                 ("accuracy of answers rises with confidence", (sure, unsure), value("answered_acc"))):  # fmt: skip
        rows.append(
            row(words, "Fig. 4", model, "confidence <= 0.2 against >= 0.8", parts, less(metric))
        )
    return rows


def out_of_domain(model: str, outcomes: pd.DataFrame) -> list[dict]:
    """Tables 2 and 3: who is best on average, and the jump on unanswerable sets."""

    def sets(method: str) -> list[pd.DataFrame]:
        mine = outcomes[outcomes.method == method]
        of = {name: mine[mine.source == source] for source, name in layout.NAMES.items()}
        return [metrics.circular(of[n]) if n == "MMBench" else of[n] for n in layout.OOD_AVERAGED]

    def averaged(*totals) -> np.ndarray:
        by_method = [totals[i : i + size] for i in range(0, len(totals), size)]
        return ahead(lambda sets: np.mean([value("s_trust")(t) for t in sets], axis=0))(*by_method)

    size, methods = len(layout.OOD_AVERAGED), [m for m in ORDER if (outcomes.method == m).any()]
    if len(methods) < len(ORDER) or not set(layout.OOD) <= set(outcomes.source):
        return []
    cells = [(m, name) for m in methods for name in layout.OOD_AVERAGED]
    parts = [part for m in methods for part in sets(m)]
    rows = [row("CA-DPO is best out of domain on average", "Table 2", model, "mean s_trust less the best other's", parts, averaged,
                printed(2, model, cells, averaged))]  # fmt: skip
    for source in layout.UNANSWERABLE:
        name, pair, jump = layout.NAMES[source], ("idk_it", "original"), less(value("refr"))
        these = [outcomes[(outcomes.source == source) & (outcomes.method == m)] for m in pair]
        said = printed(3, model, [(m, name) for m in pair], jump)
        rows.append(
            row(
                f"IDK-IT refuses far more on {name}",
                "Table 3",
                model,
                "rise of RefR",
                these,
                jump,
                said,
            )
        )
    return rows


def best_of(
    words: str,
    where: str,
    model: str,
    mine: pd.DataFrame,
    others: Sequence[pd.DataFrame],
    metric: Callable,
) -> list[dict]:
    """Whether `mine` is the best of several settings, in domain."""
    if not others:
        return []
    parts = [layout.in_domain(part) for part in (mine, *others)]
    return [
        row(words, where, model, "in-domain s_trust less the best other's", parts, ahead(metric))
    ]


def settings(p: Params) -> list[dict]:
    """Tables 4 to 6, Figs. 10 and 11: the paper's settings against the others that were run."""
    trust, rows = value("s_trust"), []
    for model in p.models:
        cells = [c for c in experiments.table4_cells(p) if c.model == model]
        by = dict(list(gathering.gather(cells).groupby("method"))) if cells else {}
        by = {method: part for method, part in by.items() if method in p.table4_methods}
        if "ca_dpo" in by:
            others = [part for method, part in by.items() if method != "ca_dpo"]
            rows += best_of(
                "CA-DPO > DPO(1), DPO(2), DPO(3)", "Table 4", model, by["ca_dpo"], others, trust
            )
    for words, where, cells, wanted in (
        (
            "thresholds (0.8, 0.2) are best",
            "Fig. 10",
            experiments.threshold_cells(p),
            lambda c: (c.delta_known, c.delta_unknown) == (0.8, 0.2),
        ),
        (
            "a known share of 0.75 is best",
            "Fig. 11a",
            experiments.share_cells(p),
            lambda c: c.known_share == 0.75,
        ),
        (
            "pairs at 1 : 1 : 2 are best",
            "Fig. 11b",
            experiments.ratio_cells(p),
            lambda c: list(c.pair_ratio) == [1.0, 1.0, 2.0],
        ),
    ):
        mine, others = (
            [gathering.gather(experiments.over_seeds([c])) for c in cells if wanted(c) == side]
            for side in (True, False)
        )
        rows += best_of(words, where, p.model, mine[0], others, trust) if mine else []
    first, second = (
        gathering.gather(experiments.over_seeds([c])) for c in experiments.generator_cells(p)
    )
    parts = [
        t[(t.method == "ca_dpo") & t.source.isin(layout.UNANSWERABLE)] for t in (second, first)
    ]
    if not any(part.empty for part in parts):
        words, near = "a second generator works as well", less(value("refr"), MARGIN)
        rows.append(
            row(words, "Table 5", p.model, "RefR less the first's, plus the margin", parts, near)
        )
    return rows


def separable(p: Params) -> list[dict]:
    """Table 7: the probe against chance."""
    said = (
        paper.table(7)
        .query("model == @paper.COUNTERPART.get(@p.model)")
        .set_index("method")
        .accuracy
    )
    probed = gathering.probe(p)
    return [
        line(f"the deficits are separable in {label(r.method)}", "Table 7", r.model, "probe accuracy less chance",
             r.accuracy - 50, r.lo - 50, r.hi - 50, said.get(r.method, np.nan) - 50)
        for r in probed[probed.control == PAPER].itertuples()
    ]  # fmt: skip


def judged(p: Params, outcomes: pd.DataFrame) -> pd.DataFrame:
    """Every claim that this profile's outcomes can speak of, in points; sweeps and the probe where they run."""
    rows = [
        r
        for model, mine in outcomes.groupby("model", sort=False)
        for part in (in_domain, out_of_domain)
        for r in part(model, mine)
    ]
    if experiments.has_sweeps(p):
        rows += [*settings(p), *separable(p)]
    return pd.DataFrame(rows, columns=COLUMNS)

"""The paper's claims, decided by our outcomes (ours; the paper gives no intervals).

Each claim has a statistic, in points, that is positive if the claim holds. The claim is reproduced
when the 95 % interval of its statistic lies above 0, not reproduced when it lies below, and else
undecided. "Near" means within `MARGIN`, which is ours. The interval of a claim that one is the best
of several allows for their number (`intervals.of_lowest`).
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd

from inbol_lib.evaluation import metrics
from inbol_lib.evaluation.probe_designs import PAPER
from inbol_lib.params import Params
from inbol_lib.report import claim_statistics, gathering, paper
from inbol_lib.report.claim_statistics import (
    COLUMNS,
    Cells,
    Lead,
    Statistic,
    accuracy,
    answered_accuracy,
    difference,
    estimated,
    refusal_rate,
    trust,
)
from inbol_lib.report.plots.looks import label
from inbol_lib.report.tables import layout
from inbol_lib.study import experiments

ORDER = ("ca_dpo", "idk_it", "sft", "refusal_prompt", "original")  # the paper's, best first
MARGIN = 0.05  # a share
OVERALL = "Overall"
#: Parts of the answerable in-domain questions, as queries.
SURE, UNSURE = "confidence >= 0.8", "confidence <= 0.2"


class Claim(NamedTuple):
    """A claim, where the paper makes it, and the statistic that decides on it."""

    words: str
    where: str
    measure: str  # the statistic in words
    cells: Cells  # (method, data set) of each sample
    statistic: Statistic


class Setting(NamedTuple):
    """A claim that one setting of a sweep is the best."""

    words: str
    where: str
    cells: Callable[[Params], list[Params]]
    method: str  # which the sweep is about
    chosen: Callable[[Params], bool]  # whether a cell has the paper's setting


def overall(*methods: str) -> Cells:
    """Return the cells of methods on the whole in-domain test set."""
    return [(method, OVERALL) for method in methods]


def order_of_trust(methods: Sequence[str]) -> list[Claim]:
    """Return the claims that each of the methods has a higher s_trust than the next."""
    return [
        Claim(
            f"{label(better)} > {label(worse)} in s_trust",
            "Table 1",
            "difference",
            overall(better, worse),
            difference(trust),
        )
        for better, worse in pairwise(methods)
    ]


IN_DOMAIN = [
    Claim(
        "IDK-IT refuses most",
        "Table 1",
        "RefR less the highest other",
        overall("idk_it", *(method for method in ORDER if method != "idk_it")),
        Lead(refusal_rate),
    ),
    Claim(
        "IDK-IT lowers accuracy",
        "Table 1",
        "loss of Acc",
        overall("original", "idk_it"),
        difference(accuracy),
    ),
    Claim(
        "CA-DPO keeps accuracy near the original's",
        "Table 1",
        "change of Acc, plus the margin",
        overall("ca_dpo", "original"),
        difference(accuracy, MARGIN),
    ),
    Claim(
        "RefR of CA-DPO falls with confidence",
        "Fig. 4",
        "confidence <= 0.2 against >= 0.8",
        [("ca_dpo", UNSURE), ("ca_dpo", SURE)],
        difference(refusal_rate),
    ),
    Claim(
        "accuracy of answers rises with confidence",
        "Fig. 4",
        "confidence <= 0.2 against >= 0.8",
        [("ca_dpo", SURE), ("ca_dpo", UNSURE)],
        difference(answered_accuracy),
    ),
]
OUT_OF_DOMAIN = [
    Claim(
        "CA-DPO is best out of domain on average",
        "Table 2",
        "mean s_trust less the best other's",
        [(method, dataset) for method in ORDER for dataset in layout.OOD_AVERAGED],
        Lead(trust, size=len(layout.OOD_AVERAGED)),
    ),
    *(
        Claim(
            f"IDK-IT refuses far more on {layout.NAMES[source]}",
            "Table 3",
            "rise of RefR",
            [("idk_it", layout.NAMES[source]), ("original", layout.NAMES[source])],
            difference(refusal_rate),
        )
        for source in layout.UNANSWERABLE
    ),
]
SETTINGS = [
    Setting(
        "thresholds (0.8, 0.2) are best",
        "Fig. 10",
        experiments.threshold_cells,
        "idk_it",
        lambda cell: (cell.delta_known, cell.delta_unknown) == (0.8, 0.2),
    ),
    Setting(
        "a known share of 0.75 is best",
        "Fig. 11a",
        experiments.share_cells,
        "idk_it",
        lambda cell: cell.known_share == 0.75,
    ),
    Setting(
        "pairs at 1 : 1 : 2 are best",
        "Fig. 11b",
        experiments.ratio_cells,
        "ca_dpo",
        lambda cell: list(cell.pair_ratio) == [1.0, 1.0, 2.0],
    ),
]
#: where a claim stands -> the number of the table whose cells the paper prints
PRINTED = {"Table 1": 1, "Table 2": 2, "Table 3": 3}


def judged(p: Params, outcomes: pd.DataFrame) -> pd.DataFrame:
    """Return a verdict on every claim that a profile's outcomes say something about.

    Parameters
    ----------
    p : Params
    outcomes : pd.DataFrame
        The outcomes of the main cells; those of the sweeps are gathered here, if there are any.

    Returns
    -------
    pd.DataFrame
        One row per claim and model: our statistic with its interval and, where the data are the
        paper's, the paper's (points).
    """
    rows = []
    for model, mine in outcomes.groupby("model", sort=False):
        rows += [*in_domain(model, mine), *out_of_domain(model, mine)]
    if experiments.has_sweeps(p):
        rows += [*preference_data(p), *settings(p), *second_generator(p), *separable(p)]
    made = pd.DataFrame(rows, columns=COLUMNS)
    return made if paper.measured_here(p) else made.drop(columns="paper")


def in_domain(model: str, outcomes: pd.DataFrame) -> list[dict]:
    """Judge the claims of Table 1 and Fig. 4: the order, what methods cost, and confidence.

    Without one of the methods only the order of the others is judged.
    """
    methods = [method for method in ORDER if (outcomes.method == method).any()]
    claims = order_of_trust(methods)
    if len(methods) == len(ORDER):
        claims += IN_DOMAIN
    return [_judged(claim, model, outcomes) for claim in claims]


def out_of_domain(model: str, outcomes: pd.DataFrame) -> list[dict]:
    """Judge the claims of Tables 2 and 3, where all methods answered all data sets."""
    methods, sources = set(outcomes.method), set(outcomes.source)
    if not set(ORDER) <= methods or not set(layout.OOD) <= sources:
        return []
    return [_judged(claim, model, outcomes) for claim in OUT_OF_DOMAIN]


def _judged(claim: Claim, model: str, outcomes: pd.DataFrame) -> dict:
    """Judge a claim about cells of the paper's tables."""
    samples = [_sample(outcomes, method, dataset) for method, dataset in claim.cells]
    theirs = float("nan")
    if claim.where in PRINTED:
        number = PRINTED[claim.where]
        theirs = claim_statistics.printed(number, model, claim.cells, claim.statistic)
    ours = estimated(samples, claim.statistic)
    return _row(claim.words, claim.where, model, claim.measure, ours, theirs)


def _sample(outcomes: pd.DataFrame, method: str, dataset: str) -> pd.DataFrame:
    """Return the outcomes behind a cell of a table; MMBench is scored circularly."""
    mine = outcomes[outcomes.method == method]
    if dataset == OVERALL:
        return layout.in_domain(mine)
    if dataset in (SURE, UNSURE):
        inside = layout.in_domain(mine)
        return inside[inside.answerable].query(dataset)
    part = mine[mine.source.map(layout.NAMES) == dataset]
    return metrics.circular(part) if dataset == "MMBench" else part


def _row(
    words: str,
    where: str,
    model: str,
    measure: str,
    ours: tuple[float, float, float],
    theirs: float = float("nan"),
) -> dict:
    """Return one row of the table; `ours` is our statistic with its interval, in points."""
    _, lo, hi = ours
    verdict = claim_statistics.verdict(lo, hi)
    return dict(zip(COLUMNS, (words, where, model, measure, *ours, theirs, verdict), strict=True))


def preference_data(p: Params) -> list[dict]:
    """Judge the claim of Table 4, for each model: CA-DPO is better than DPO on chosen pairs."""
    rows = []
    for model in p.models:
        cells = [cell for cell in experiments.table4_cells(p) if cell.model == model]
        outcomes = gathering.gather(cells) if cells else pd.DataFrame(columns=["method"])
        compared = outcomes[outcomes.method.isin(p.table4_methods)]
        by_method = dict(list(compared.groupby("method")))
        if "ca_dpo" in by_method:
            mine = by_method.pop("ca_dpo")
            words = "CA-DPO > DPO(1), DPO(2), DPO(3)"
            rows += best_of(words, "Table 4", model, mine, list(by_method.values()))
    return rows


def settings(p: Params) -> list[dict]:
    """Judge the claims of Figs. 10 and 11: the paper's settings are the best of those tried."""
    rows = []
    for setting in SETTINGS:
        mine, others = [], []
        for cell in setting.cells(p):
            group = mine if setting.chosen(cell) else others
            seeded = experiments.over_seeds([cell])
            group.append(gathering.gather(seeded, [setting.method]))
        if mine:
            rows += best_of(setting.words, setting.where, p.model, mine[0], others)
    return rows


def best_of(
    words: str, where: str, model: str, mine: pd.DataFrame, others: Sequence[pd.DataFrame]
) -> list[dict]:
    """Judge whether `mine` has the highest in-domain s_trust; no row where there are no others."""
    if not others:
        return []
    samples = [layout.in_domain(part) for part in (mine, *others)]
    measure = "in-domain s_trust less the best other's"
    return [_row(words, where, model, measure, estimated(samples, Lead(trust)))]


def second_generator(p: Params) -> list[dict]:
    """Judge the claim of Table 5: another generator of unanswerable questions works as well."""
    first, second = (
        _unanswerable_of_ca_dpo(gathering.gather(experiments.over_seeds([cell])))
        for cell in experiments.generator_cells(p)
    )
    if first.empty or second.empty:
        return []
    ours = estimated([second, first], difference(refusal_rate, MARGIN))
    words, measure = "a second generator works as well", "RefR less the first's, plus the margin"
    return [_row(words, "Table 5", p.model, measure, ours)]


def _unanswerable_of_ca_dpo(outcomes: pd.DataFrame) -> pd.DataFrame:
    return outcomes[(outcomes.method == "ca_dpo") & outcomes.source.isin(layout.UNANSWERABLE)]


def separable(p: Params) -> list[dict]:
    """Judge the claim of Table 7 for each method: the probe is better than chance (50 %)."""
    theirs = paper.counterpart_table(7, p.model).set_index("method").accuracy
    probed = gathering.probe(p)
    return [
        _row(
            f"the deficits are separable in {label(found.method)}",
            "Table 7",
            found.model,
            "probe accuracy less chance",
            (found.accuracy - 50, found.lo - 50, found.hi - 50),
            theirs.get(found.method, np.nan) - 50,
        )
        for found in probed[probed.control == PAPER].itertuples()
    ]

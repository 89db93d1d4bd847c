"""The README's findings: the words are written by hand, every number is from figures/."""

import textwrap
from typing import Any

import pandas as pd

from inbol_lib import paths
from inbol_lib.report.tables import layout

FIGURES = paths.figures(paths.PUBLISHED)
WIDTH = 130  # letters on a line of the README


def signed(value: float, lo: float, hi: float) -> str:
    """Return a difference or s_trust in points with its interval."""
    return f"{value:+.1f} [{lo:+.1f}, {hi:+.1f}]"


def table(name: str) -> pd.DataFrame:
    return pd.read_csv(FIGURES / f"{name}.csv")


def row(name: str, **where: Any) -> Any:
    """Return the only line of a table in figures/ that has these values, as a named tuple."""
    lines = table(name)
    for column, value in where.items():
        lines = lines[lines[column] == value]
    (found,) = lines.itertuples(index=False)
    return found


def overall(method: str, model: str = "micro-s") -> Any:
    return row("table1_in_domain", model=model, method=method, dataset="Overall")


def trust(line: Any) -> str:
    return f"{line.s_trust:+.1f}"


def difference(line: Any) -> str:
    return signed(line.diff, line.diff_lo, line.diff_hi)


def findings() -> str:
    """Return what InBoL does in the micro world and what it does not, as a list."""
    made = (
        refusals(),
        few_instructions(),
        accuracy(),
        facts(),
        confidence_in_eq6(),
        order_of_stages(),
        equal_refusals(),
        hard_questions(),
        probe(),
        thresholds(),
    )
    return "\n".join(item(text) for text in made)


def item(text: str) -> str:
    """Return a text as an item of a list."""
    return textwrap.fill(
        " ".join(text.split()),
        WIDTH,
        initial_indent="- ",
        subsequent_indent="  ",
        break_on_hyphens=False,
    )


def refusals() -> str:
    small, medium = (
        {method: trust(overall(method, model)) for method in ("original", "idk_it", "ca_dpo")}
        for model in ("micro-s", "micro-m")
    )
    before, after = (
        row("table3_unanswerable", model="micro-s", method=method, dataset="VQAv2-IDK(filter)")
        for method in ("original", "ca_dpo")
    )
    outside = table("table2_out_of_domain").query("model == 'micro-s'")
    averaged = outside[outside.dataset.isin(layout.OOD_AVERAGED)]
    away = averaged.groupby("method").s_trust.mean().map("{:+.1f}".format)
    return f"""**It teaches a model to refuse.** In domain s_trust goes from {small["original"]} to
        {small["idk_it"]} (IDK-IT) and {small["ca_dpo"]} (CA-DPO) with micro-s, from
        {medium["original"]} to {medium["idk_it"]} and {medium["ca_dpo"]} with micro-m; of the
        questions that no picture answers (VQAv2-IDK) the original micro-s refuses
        {before.refr:.0f} %, CA-DPO {after.refr:.0f} %. Refusals fall as the original model's
        confidence rises. Out of domain the mean goes from {away.original} to {away.idk_it} and
        {away.ca_dpo} (micro-s): there IDK-IT is the better one."""


def few_instructions() -> str:
    sizes = table("fig_data_size").query("method == 'ca_dpo'")
    growth = [f"{difference(size)} at {size.instructions:,}" for size in sizes.itertuples()]
    few, most = sorted(sizes.instructions)[0], max(sizes.instructions)
    with_pairs = row("fig_data_size", method="ca_dpo", instructions=few)
    alone = row("fig_data_size", method="idk_it", instructions=most)
    return f"""**CA-DPO helps where instructions are few.** CA-DPO less IDK-IT in s_trust, by the
        number of instructions: {", ".join(growth)}. More instructions do as much: {few:,} and
        {with_pairs.pairs:,} pairs bring CA-DPO to {with_pairs.id_s_trust:+.1f}, {most:,} bring
        IDK-IT to {alone.id_s_trust:+.1f}."""


def of_seen(method: str, entity: str = "seen") -> Any:
    """Return the line about countries that training asks about ("seen"), or about the others."""
    return row("controls_seen", model="micro-s", method=method, entity=entity)


def accuracy() -> str:
    return f"""**Accuracy does not come back.** The original micro-s answers
        {overall("original").acc:.0f} % right, IDK-IT {overall("idk_it").acc:.0f} %, CA-DPO
        {overall("ca_dpo").acc:.0f} %; in the paper CA-DPO ends above the original. Here its pairs
        teach no facts: about countries that training asks about, CA-DPO answers
        {of_seen("ca_dpo").acc:.0f} % right, SFT {of_seen("sft").acc:.0f} %, the original
        {of_seen("original").acc:.0f} %."""


def facts() -> str:
    seen, unseen = (
        {method: trust(of_seen(method, entity)) for method in ("original", "sft", "ca_dpo")}
        for entity in ("seen", "unseen")
    )
    return f"""**SFT learns facts, not limits.** In domain it has {trust(overall("sft"))} with
        {overall("sft").refr:.0f} % refusals (CA-DPO {overall("ca_dpo").refr:.0f} %). About
        countries that its training asks about it reaches {seen["sft"]} (original
        {seen["original"]}, CA-DPO {seen["ca_dpo"]}), about the others {unseen["sft"]}
        ({unseen["original"]}, {unseen["ca_dpo"]})."""


def variant(name: str) -> Any:
    """Return the line of a variant of eq. 6."""
    return row("controls_eq6", model="micro-s", method=f"ca_dpo_{name}")


def confidence_in_eq6() -> str:
    few, many = (row("controls_samples", method="ca_dpo", samples=count) for count in (2, 20))
    return f"""**The confidence in eq. 6 shows no effect.** Against CA-DPO, equal weights for mixed
        questions give {difference(variant("half"))}, shuffled confidences
        {difference(variant("shuffled"))}, the weight inside the sigmoid
        {difference(variant("inside"))}. With 2 samples behind the confidence it reaches
        {trust(few)}, with 20 {trust(many)}."""


def order_of_stages() -> str:
    alone = variant("base")
    return f"""**It needs IDK-IT before it.** Trained from the original model it refuses
        {alone.refr:.0f} % of the questions, and ends at {trust(alone)} ({difference(alone)}
        against CA-DPO)."""


def equal_refusals() -> str:
    probable, consistent = (
        {
            method: difference(
                row("controls_equal_refusals", model="micro-s", method=method, score=score)
            )
            for method in ("idk_it", "ca_dpo")
        }
        for score in ("sequence_probability", "self_consistency")
    )
    return f"""**A threshold does nearly as well, without training.** Against the original model
        that refuses as often, its least probable answers first, IDK-IT has {probable["idk_it"]}
        and CA-DPO {probable["ca_dpo"]}; against the least consistent first,
        {consistent["idk_it"]} and {consistent["ca_dpo"]}."""


def hard_questions() -> str:
    original, tuned = (
        row("controls_natural", model="micro-s", method=method, distribution="natural")
        for method in ("original", "ca_dpo")
    )
    return f"""**Refusing pays where questions are hard.** On answerable questions as they come, not
        balanced by confidence, the original has
        {signed(original.s_trust, original.lo, original.hi)}, CA-DPO
        {signed(tuned.s_trust, tuned.lo, tuned.hi)}."""


def probe() -> str:
    def probed(control: str) -> Any:
        return row("controls_probe", model="micro-s", method="original", control=control)

    chance = probed("shuffled labels")
    return f"""**The probe reads mostly wording.** {probed("as in the paper").accuracy:.0f} % right,
        but the question's words alone give {probed("words alone").accuracy:.0f} %, matched wording
        {probed("matched wording").accuracy:.0f} %, a source that it never saw
        {probed("held-out source").accuracy:.0f} %, as shuffled labels do ({chance.lo:.0f} to
        {chance.hi:.0f} %)."""


def thresholds() -> str:
    grid = table("fig10_thresholds").id_s_trust
    return f"""**Thresholds matter little.** All over Fig. 10's grid IDK-IT's s_trust lies between
        {grid.min():+.1f} and {grid.max():+.1f}."""

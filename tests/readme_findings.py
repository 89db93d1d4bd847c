"""The README's findings: the words are written by hand, every number is from figures/."""

import textwrap
from typing import Any

import pandas as pd

from inbol_lib import params, paths
from inbol_lib.report import paper
from inbol_lib.report.tables import layout

FIGURES = paths.figures(paths.PUBLISHED)
WIDTH = 130  # letters on a line of the README
MODELS = ("micro-s", "micro-m")
TRAINED = ("idk_it", "ca_dpo")


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
        order(),
        out_of_domain(),
        kinds(),
        sizes(),
        less_data(),
        accuracy(),
        seen_and_unseen(),
        confidence_in_eq6(),
        order_of_stages(),
        equal_refusals(),
        as_they_come(),
        generator(),
        pictures(),
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


def claimed(claim: str, model: str) -> str:
    """Return the difference behind one of the paper's claims, and the paper's in brackets."""
    line = row("claims", claim=claim, model=model)
    return f"{signed(line.ours, line.lo, line.hi)} (the paper: {line.paper:+.1f})"


def ruled(claim: str, model: str) -> str:
    """Return the verdict on one of the paper's claims."""
    return row("claims", claim=claim, model=model).verdict


def order() -> str:
    methods = ("original", "refusal_prompt", "sft", "idk_it", "ca_dpo")
    reached = {model: [overall(method, model).s_trust for method in methods] for model in MODELS}
    assert all(values == sorted(values) for values in reached.values()), "another headline"
    ours = " and ".join(
        f"from {values[0]:+.1f} to {values[-1]:+.1f} with {model}"
        for model, values in reached.items()
    )
    prompted, tuned, preferred = (
        f"{better} in s_trust"
        for better in ("SFT > Refusal prompt", "IDK-IT > SFT", "CA-DPO > IDK-IT")
    )
    assert {ruled(prompted, model) for model in reached} == {"reproduced"}, "another sentence"
    assert {ruled(tuned, model) for model in reached} == {"undecided"}, "another sentence"
    assert {ruled(preferred, model) for model in reached} == {"undecided"}, "another sentence"
    return f"""**The paper's order comes back, but only its largest step is sure.** In both models
        s_trust rises from the original over the refusal prompt, SFT and IDK-IT to CA-DPO: {ours}.
        SFT has {claimed(prompted, "micro-s")} on the refusal prompt with micro-s,
        {claimed(prompted, "micro-m")} with micro-m. IDK-IT has {claimed(tuned, "micro-s")} on SFT
        with micro-s, {claimed(tuned, "micro-m")} with micro-m, and CA-DPO
        {claimed(preferred, "micro-s")} on IDK-IT with micro-s, {claimed(preferred, "micro-m")} with
        micro-m, each too little to be sure of."""


def out_of_domain() -> str:
    outside = table("table2_out_of_domain")
    averaged = outside[outside.dataset.isin(layout.OOD_AVERAGED)]
    means = averaged.groupby(["model", "method"]).s_trust.mean().unstack("model")
    small, medium = means["micro-s"], means["micro-m"]
    before, after = (
        row("table3_unanswerable", model="micro-s", method=method, dataset="VQAv2-IDK(filter)")
        for method in ("original", "ca_dpo")
    )
    assert small.ca_dpo < small.original - 1, "another headline"
    assert abs(medium.ca_dpo - medium.original) < 1, "another headline"
    claim = "CA-DPO is best out of domain on average"
    best = [f"{row('claims', claim=claim, model=model).paper:+.1f}" for model in MODELS]
    return f"""**Out of domain it refuses what no picture answers, and gains nothing elsewhere.** Of
        VQAv2-IDK the original micro-s refuses {before.refr:.0f} %, CA-DPO {after.refr:.0f} %. On
        answerable sets the mean s_trust falls with micro-s, from {small.original:+.1f} to
        {small.idk_it:+.1f} (IDK-IT) and {small.ca_dpo:+.1f} (CA-DPO), and stays with micro-m, at
        {medium.original:+.1f}, {medium.idk_it:+.1f} and {medium.ca_dpo:+.1f}; in the paper CA-DPO
        is ahead of all others by {" and ".join(best)}."""


def kinds() -> str:
    def gained(kind: str, model: str = "micro-s", name: str = "controls_kinds") -> Any:
        return row(name, model=model, method="ca_dpo", kind=kind)

    def both(kind: str) -> str:
        return " and ".join(difference(gained(kind, model)) for model in MODELS)

    for model in MODELS:
        assert gained("known", model).diff_hi < 0 < gained("unknown", model).diff_lo, (
            "another headline"
        )
    known, unknown = (gained(kind, name="easy_vqa_kinds") for kind in ("known", "unknown"))
    assert known.diff_lo < 0 < known.diff_hi, "another sentence"
    assert unknown.diff_lo > 0, "another sentence"
    return f"""**CA-DPO gains where the base model does not know, and pays where it does.** Against
        IDK-IT it has, with the two models, {both("unknown")} on questions that the original does
        not know, {both("mixed")} on those that it knows in part, and {both("known")} on those that
        it knows. On easy-VQA it gains {difference(unknown)} on the former, and no loss shows on
        the latter ({difference(known)})."""


def sizes() -> str:
    every = table("fig_data_size").query("method == 'ca_dpo'")
    growth = [f"{difference(size)} at {size.instructions:,}" for size in every.itertuples()]
    few, most = min(every.instructions), max(every.instructions)
    with_pairs = row("fig_data_size", method="ca_dpo", instructions=few)
    alone = row("fig_data_size", method="idk_it", instructions=most)
    return f"""**CA-DPO adds a little at every size.** CA-DPO less IDK-IT in s_trust, by the number
        of instructions: {", ".join(growth)}. More instructions do more: {few:,} and
        {with_pairs.pairs:,} pairs bring CA-DPO to {with_pairs.id_s_trust:+.1f}, {most:,} bring
        IDK-IT to {alone.id_s_trust:+.1f}."""


def less_data() -> str:
    """Return what a study of fewer data rules in the same world: figures/hour_claims.csv."""
    p = params.load("micro-hour")

    def lead(claim: str, model: str) -> str:
        line = row("hour_claims", claim=f"{claim} in s_trust", model=model)
        assert line.verdict == "reproduced", "another sentence"
        return signed(line.ours, line.lo, line.hi)

    tuned = " and ".join(lead("IDK-IT > SFT", model) for model in MODELS)
    prompted = [
        f"{row(name, claim='SFT > Refusal prompt in s_trust', model='micro-s').ours:+.1f}"
        for name in ("hour_claims", "claims")
    ]
    return f"""**What more data teach, SFT learns as well.** In a study of the same world with
        {p.num_instructions:,} instructions and {len(p.seeds)} seeds the small steps are sure:
        IDK-IT has {tuned} on SFT with the two models, and CA-DPO
        {lead("CA-DPO > IDK-IT", "micro-m")} on IDK-IT with micro-m. With more data SFT gets ahead:
        its lead on the refusal prompt goes from {prompted[0]} to {prompted[1]} with micro-s."""


def of_seen(method: str, entity: str = "seen") -> Any:
    """Return the line about countries that training asks about ("seen"), or about the others."""
    return row("controls_seen", model="micro-s", method=method, entity=entity)


def accuracy() -> str:
    beside = paper.compare(table("table1_in_domain"), 1)
    beside = beside.query("model == 'micro-s' and dataset == 'Overall'").set_index("method")
    alike = beside.loc[["sft", "idk_it"]]
    assert (alike.acc - alike.paper_acc).abs().max() < 3, "another headline"
    assert (alike.refr - alike.paper_refr).abs().max() < 3, "another headline"
    sft, tuned, preferred = (
        f"{line.acc:.0f} and {line.refr:.0f} % ({line.paper_acc:.0f} and {line.paper_refr:.0f})"
        for line in beside.loc[["sft", "idk_it", "ca_dpo"]].itertuples()
    )
    return f"""**SFT and IDK-IT end where the paper's do; with CA-DPO accuracy does not come back.**
        Right and refused are, with micro-s and in brackets in the paper, {sft} after SFT, {tuned}
        after IDK-IT and {preferred} after CA-DPO. The original is right on
        {overall("original").acc:.0f} %; in the paper CA-DPO ends above it, and refuses less than
        IDK-IT."""


def seen_and_unseen() -> str:
    seen, unseen = (
        {method: trust(of_seen(method, entity)) for method in ("original", "sft", "ca_dpo")}
        for entity in ("seen", "unseen")
    )
    return f"""**What is learnt about limits carries over in part.** About countries that training
        asks about CA-DPO goes from {seen["original"]} to {seen["ca_dpo"]} (SFT {seen["sft"]}),
        about others from {unseen["original"]} to {unseen["ca_dpo"]} ({unseen["sft"]})."""


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
    def over(score: str, method: str, model: str = "micro-s") -> Any:
        return row("controls_equal_refusals", model=model, method=method, score=score)

    probable, consistent = "sequence_probability", "self_consistency"
    sure = [over(score, method) for score in (probable, consistent) for method in TRAINED]
    sure.append(over(probable, "ca_dpo", "micro-m"))
    unsure = over(consistent, "ca_dpo", "micro-m")
    assert all(line.diff_lo > 0 for line in sure), "another headline"
    assert unsure.diff_lo < 0 < unsure.diff_hi, "another headline"
    return f"""**It beats a threshold on probability, and with micro-s one on consistency.**
        Against the original model that refuses as often, its least probable answers first, IDK-IT
        has {difference(sure[0])} and CA-DPO {difference(sure[1])} with micro-s; against the least
        consistent first, which needs ten samples for every question, {difference(sure[2])} and
        {difference(sure[3])}. With micro-m CA-DPO has {difference(sure[4])} and
        {difference(unsure)}."""


def as_they_come() -> str:
    original, tuned = (
        row("controls_natural", model="micro-s", method=method, distribution="natural")
        for method in ("original", "ca_dpo")
    )
    return f"""**Refusing pays on questions as they come, too.** On answerable ones, not balanced by
        confidence, the original has {signed(original.s_trust, original.lo, original.hi)}, CA-DPO
        {signed(tuned.s_trust, tuned.lo, tuned.hi)}."""


def generator() -> str:
    line = row("claims", claim="a second generator works as well", model="micro-s")
    return f"""**Who makes the unanswerable questions matters.** With a prompted micro-s in place of
        the program, refusals of unanswerable questions change by
        {signed(line.ours, line.lo, line.hi)}; in the paper a second generator does as well."""


def pictures() -> str:
    seen = {
        picture: row("controls_blind", method="ca_dpo", picture=picture).refr
        for picture in ("real", "grey", "other")
    }
    pairs = row("controls_pairs", method="ca_dpo", edit="all")
    return f"""**It looks at the picture, but not closely.** Of questions that the original knows,
        CA-DPO refuses {seen["real"]:.0f} % with their picture, {seen["grey"]:.0f} % with a grey
        one, {seen["other"]:.0f} % with another question's. Where a picture is edited so little that
        only the answer is gone, it refuses {pairs.refused:.0f} %."""


def probe() -> str:
    def probed(control: str) -> Any:
        return row("controls_probe", model="micro-s", method="original", control=control)

    chance, printed = probed("shuffled labels"), probed("as in the paper").accuracy
    return f"""**The probe reads mostly the kind of question.** {printed:.0f} % right, matched
        wording {probed("matched wording").accuracy:.0f} %, but the question's words alone give
        {probed("words alone").accuracy:.0f} %, minimal pairs
        {probed("minimal pairs").accuracy:.0f} % and a source that it never saw
        {probed("held-out source").accuracy:.0f} %, where shuffled labels give {chance.lo:.0f} to
        {chance.hi:.0f} %."""


def thresholds() -> str:
    grid = table("fig10_thresholds").id_s_trust
    shares = table("fig11_composition").dropna(subset="known_share").sort_values("known_share")
    assert shares.id_s_trust.is_monotonic_decreasing, "another headline"
    assert shares.ood_s_trust.is_monotonic_increasing, "another headline"
    few, many = shares.iloc[0], shares.iloc[-1]
    return f"""**Thresholds matter little, the share of known questions trades one domain for the
        other.** All over Fig. 10's grid IDK-IT's s_trust lies between {grid.min():+.1f} and
        {grid.max():+.1f}. With {100 * many.known_share:.0f} instead of
        {100 * few.known_share:.0f} % known questions among its instructions it refuses
        {many.id_refr:.0f} instead of {few.id_refr:.0f} %, and has {many.id_s_trust:+.1f} instead of
        {few.id_s_trust:+.1f} in domain, but {many.ood_s_trust:+.1f} instead of
        {few.ood_s_trust:+.1f} out of domain."""

"""TODO."""

from inbol_lib.params import Params


def has_sweeps(p: Params) -> bool:
    """Whether 09 gathers Tables 4 to 7 and Figs. 10 and 11 as well: not for a folder of one's own, which has no out-of-domain sets."""
    return not p.dataset.startswith("folder:")


def main_cells(p: Params) -> list[Params]:
    """Tables 1 to 3: the model under study with every training seed, the others with those of the sweeps."""
    return [
        p.replace(model=m, seed=s)
        for m in p.models
        for s in (p.seeds if m == p.model else p.sweep_seeds)
    ]


def table4_cells(p: Params) -> list[Params]:
    """Table 4, what the mixed questions are trained on, and the controls of eq. 6, these for the model under study alone."""
    asked = {m: [*p.table4_methods, *(p.control_methods if m == p.model else [])] for m in p.models}
    return [swept(p).replace(model=m, seed=s, methods=list(dict.fromkeys([*wanted, "ca_dpo"])))
            for m, wanted in asked.items() for s in p.sweep_seeds if wanted]  # fmt: skip


def swept(p: Params) -> Params:
    """The profile at the size of its sweeps."""
    return p.replace(num_instructions=p.sweep_instructions or p.num_instructions, num_pairs=p.sweep_pairs or p.num_pairs,
                     dpo_learning_rate=p.sweep_dpo_learning_rate or p.dpo_learning_rate)  # fmt: skip


def over_seeds(cells: list[Params]) -> list[Params]:
    """Each cell of a sweep under every one of its training seeds."""
    return [c.replace(seed=s) for c in cells for s in c.sweep_seeds]


def generator_cells(p: Params) -> list[Params]:
    """Tables 5 and 6: the first generator of unanswerable questions (the main cell, where sweeps have its size) and the second."""
    small = swept(p).replace(methods=["idk_it", "ca_dpo"])
    return [p if swept(p) == p else small, small.replace(unanswerable_generator=p.second_generator)]


def threshold_cells(p: Params) -> list[Params]:
    """Fig. 10: thresholds in tenths, the known one above the unknown one."""
    levels = sorted(p.threshold_levels)
    return [
        swept(p).replace(delta_known=k / 10, delta_unknown=u / 10, methods=["idk_it"])
        for k in levels
        for u in levels
        if k > u
    ]


def share_cells(p: Params) -> list[Params]:
    """Fig. 11 a: the known share of the instructions."""
    return [swept(p).replace(known_share=s, methods=["idk_it"]) for s in p.known_shares]


def ratio_cells(p: Params) -> list[Params]:
    """Fig. 11 b: the ratio unknown : mixed : known of the preference data."""
    return [swept(p).replace(pair_ratio=r, methods=["ca_dpo"]) for r in p.pair_ratios]


def size_cells(p: Params) -> list[Params]:
    """How results grow with data (ours): instructions, and pairs in the profile's proportion to them; fewer than the profile's own with
    the learning rate of its sweeps."""
    both, share = ["idk_it", "ca_dpo"], p.num_pairs / p.num_instructions
    return [(p if n >= p.num_instructions else swept(p)).replace(num_instructions=n, num_pairs=round(n * share), methods=both)
            for n in p.data_sizes]  # fmt: skip


def sample_cells(p: Params) -> list[Params]:
    """How many samples the confidence needs (ours): the first of as many as the largest count, so that all share one test set."""
    both = ["idk_it", "ca_dpo"]
    return [
        swept(p).replace(num_samples=max(p.sample_counts), confidence_samples=n, methods=both)
        for n in p.sample_counts
    ]

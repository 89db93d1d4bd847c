"""Which evaluations stand behind each table and figure.

A cell is the `Params` of one evaluation, or of one probe. Main cells have the profile's sizes;
those of sweeps may be smaller (`swept`) and are repeated under every seed in `sweep_seeds`
(`over_seeds`).
"""

from inbol_lib.params import Params

BOTH = ["idk_it", "ca_dpo"]


def has_sweeps(p: Params) -> bool:
    """Return whether 09 also gathers Tables 4 to 7 and Figs. 10 and 11.

    A folder of your own data does not: it has no out-of-domain sets.
    """
    return not p.dataset.startswith("folder:")


def swept(p: Params) -> Params:
    """Return the profile at the size of its sweeps."""
    return p.replace(
        num_instructions=p.sweep_instructions or p.num_instructions,
        num_pairs=p.sweep_pairs or p.num_pairs,
        learning_rate=p.sweep_learning_rate or p.learning_rate,
        dpo_learning_rate=p.sweep_dpo_learning_rate or p.dpo_learning_rate,
    )


def over_seeds(cells: list[Params]) -> list[Params]:
    """Return each cell of a sweep under every one of its training seeds."""
    return [cell.replace(seed=seed) for cell in cells for seed in cell.sweep_seeds]


def _sharing(p: Params, cells: list[Params]) -> list[Params]:
    """Return cells with the main cell, which asks its methods as well, in the place of its equal.

    So the thresholds, the share and the ratio of the main tables are not evaluated again. What
    reads the cells must look at the methods that it wants.
    """
    return [
        p
        if cell == p.replace(methods=cell.methods) and set(cell.methods) <= set(p.methods)
        else cell
        for cell in cells
    ]


def main_cells(p: Params) -> list[Params]:
    """Return the cells of Tables 1 to 3: every model under every training seed."""
    return [p.replace(model=model, seed=seed) for model in p.models for seed in p.seeds]


def first_cells(p: Params) -> list[Params]:
    """Return the main cell of each model's first training seed, for what no training changes."""
    return [p.replace(model=model, seed=p.seeds[0]) for model in p.models]


def probe_cells(p: Params) -> list[Params]:
    """Return the cells of Table 7, for which notebook 08 runs: the main size, a sweep's seeds."""
    return over_seeds([p])


def table4_cells(p: Params) -> list[Params]:
    """Return the cells of Table 4: what mixed questions are trained on, always beside CA-DPO.

    The controls of eq. 6 (ours) join them for the model under study.
    """
    small = swept(p)
    cells = []
    for model in p.models:
        controls = p.control_methods if model == p.model else []
        wanted = [*p.table4_methods, *controls]
        if wanted:
            methods = list(dict.fromkeys([*wanted, "ca_dpo"]))  # each once
            sized = small.replace(model=model, methods=methods)
            cells += over_seeds([sized])
    return cells


def generator_cells(p: Params) -> list[Params]:
    """Return the cells of Tables 5 and 6: two generators of unanswerable questions.

    Where sweeps have the profile's own size, the first is the main cell itself.
    """
    small = swept(p).replace(methods=BOTH)
    first = p if swept(p) == p else small
    return [first, small.replace(unanswerable_generator=p.second_generator)]


def threshold_cells(p: Params) -> list[Params]:
    """Return the cells of Fig. 10: every known threshold above every unknown one, in tenths."""
    small = swept(p).replace(methods=["idk_it"])
    levels = sorted(p.threshold_levels)
    pairs = [(known, unknown) for known in levels for unknown in levels if known > unknown]
    cells = [
        small.replace(delta_known=known / 10, delta_unknown=unknown / 10)
        for known, unknown in pairs
    ]
    return _sharing(p, cells)


def share_cells(p: Params) -> list[Params]:
    """Return the cells of Fig. 11a: the share of known questions among the instructions."""
    small = swept(p).replace(methods=["idk_it"])
    return _sharing(p, [small.replace(known_share=share) for share in p.known_shares])


def ratio_cells(p: Params) -> list[Params]:
    """Return the cells of Fig. 11b: unknown : mixed : known questions in the preference data."""
    small = swept(p).replace(methods=["ca_dpo"])
    return _sharing(p, [small.replace(pair_ratio=ratio) for ratio in p.pair_ratios])


def size_cells(p: Params) -> list[Params]:
    """Return the cells that show how results grow with the number of instructions (ours).

    Pairs keep the profile's proportion to instructions. Sizes below the profile's own train with
    the learning rate of its sweeps.
    """
    pairs_per_instruction = p.num_pairs / p.num_instructions
    cells = []
    for size in p.data_sizes:
        base = p if size >= p.num_instructions else swept(p)
        pairs = round(size * pairs_per_instruction)
        cells.append(base.replace(num_instructions=size, num_pairs=pairs, methods=BOTH))
    return cells


def sample_cells(p: Params) -> list[Params]:
    """Return the cells that show how many samples the confidence needs (ours).

    All draw as many samples as the largest number and use the first few of them, so that they share
    one test set.
    """
    if not p.sample_counts:
        return []
    small = swept(p).replace(num_samples=max(p.sample_counts), methods=BOTH)
    return [small.replace(confidence_samples=count) for count in p.sample_counts]

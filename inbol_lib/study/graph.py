"""The graph of stages: which parameters identify an artefact, what it is made from, where it lies.

An artefact is a folder `runs/<stage>/<slug>-<hash8>/`. Its `metrics.json` is written last, so a
folder that has one is complete. Work in progress lies in its `partial/` folder, which a finished
stage removes.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from inbol_lib import micro, params, paths
from inbol_lib.boundary import review
from inbol_lib.errors import ParameterError
from inbol_lib.params import Params
from inbol_lib.study.experiments import (
    generator_cells,
    has_sweeps,
    main_cells,
    over_seeds,
    probe_cells,
    ratio_cells,
    sample_cells,
    share_cells,
    size_cells,
    table4_cells,
    threshold_cells,
)

#: stage -> notebook
NOTEBOOKS = {
    "tour": "00_tour",
    "confidence": "01_confidence_estimation",
    "unanswerable": "02_unanswerable_generation",
    "composition": "03_data_composition",
    "idk_it": "04_idk_it",
    "ca_dpo": "05_ca_dpo",
    "evaluation": "06_evaluation",
    "heatmaps": "07_threshold_heatmaps",
    "probing": "08_linear_probing",
    "paper_vs_ours": "09_paper_vs_ours",
}
#: stage -> the parameters that identify its artefact, beside those of the stages it is made from
OWN = {
    "tour": ("model", "dataset", "data_seed"),
    "confidence": (
        "dataset",
        "model",
        "sources",
        "ood_sources",
        "data_seed",
        "train_questions",
        "validation_questions",
        "test_questions",
        "ood_questions",
        "num_samples",
        "temperature",
        "top_p",
        "choice_answer",
        "max_new_tokens",
        "precision",
        "judge",
        "match_rule",
    ),
    "unanswerable": (
        "unanswerable_generator",
        "verifier",
        "num_unanswerable",
        "swap_share",
        "test_unanswerable",
        "test_per_source",
        "validation_per_source",
    ),
    "composition": (
        "delta_known",
        "delta_unknown",
        "num_instructions",
        "known_share",
        "num_pairs",
        "pair_ratio",
        "short_class",
        "confidence_samples",
    ),
    "idk_it": (
        "tuning",
        "seed",
        "lora_rank",
        "lora_alpha",
        "lora_dropout",
        "batch_size",
        "shuffle",
        "learning_rate",
        "epochs",
        "warmup_ratio",
    ),
    "ca_dpo": ("preference", "dpo_learning_rate", "beta"),
    "evaluation": ("methods", "model", "seed", "ood_sources", "ood_questions"),
    "heatmaps": (
        "threshold_levels",
        "known_shares",
        "pair_ratios",
        "data_sizes",
        "sweep_seeds",
        "sweep_instructions",
        "sweep_pairs",
        "sweep_learning_rate",
        "sweep_dpo_learning_rate",
    ),
    "probing": ("probe_train", "probe_test", "control_pairs", "control_blind"),
    "paper_vs_ours": (
        "profile",
        "models",
        "seeds",
        "table4_methods",
        "control_methods",
        "sample_counts",
        "second_generator",
    ),
}
#: Values at which a parameter changes nothing. It is then left out of the fingerprint, so that
#: artefacts made before the parameter existed keep their names.
NEUTRAL = {
    "confidence_samples": 0,
    "match_rule": "final",
    "precision": "float32",
    "shuffle": "questions",
    "sweep_learning_rate": 0.0,
}
#: The ratio of pairs in the composition that instructions are taken from: the paper's. Instructions
#: do not depend on it, so that one IDK-IT serves the preference pairs of every ratio (Fig. 11 b).
INSTRUCTIONS_RATIO = [1.0, 1.0, 2.0]
PROMPTED = ("original", "refusal_prompt")
TUNED = ("sft", "idk_it")
#: stages that train the model or read its hidden states
WEIGHTS = ("idk_it", "ca_dpo", "probing")

Job = tuple[str, Params]


def dependencies(stage: str, p: Params) -> list[Job]:
    """Return the jobs whose artefacts a stage reads."""
    match stage:
        case "unanswerable":
            return [("confidence", p)]
        case "composition":
            return _before_composition(p)
        case "idk_it":
            return [("composition", p.replace(pair_ratio=INSTRUCTIONS_RATIO))]
        case "ca_dpo":
            return [("composition", p), trained(p, "idk_it")]
        case "evaluation":
            trainings = [trained(p, method) for method in p.methods if method not in PROMPTED]
            return [("composition", p), ("confidence", p), *trainings]
        case "heatmaps":
            grids = [*threshold_cells(p), *share_cells(p), *ratio_cells(p), *size_cells(p)]
            return _evaluations(over_seeds(grids))
        case "probing":
            data = [("composition", p), ("confidence", p), ("unanswerable", p)]
            return [*data, trained(p, "idk_it"), trained(p, "ca_dpo")]
        case "paper_vs_ours":
            return _before_paper_vs_ours(p)
        case _:
            return []


def _before_composition(p: Params) -> list[Job]:
    """Return the data of the model and, where another model balances the test set, of that one."""
    jobs = [("confidence", p), ("unanswerable", p)]
    if p.test_model != p.model:
        other = p.replace(model=p.test_model)
        jobs += [("confidence", other), ("unanswerable", other)]
    return jobs


def _before_paper_vs_ours(p: Params) -> list[Job]:
    if not has_sweeps(p):
        return _evaluations(main_cells(p))
    sweeps = over_seeds([*generator_cells(p), *sample_cells(p)])
    cells = [*main_cells(p), *table4_cells(p), *sweeps]
    probes = [("probing", cell) for cell in probe_cells(p)]
    return [*_evaluations(cells), ("heatmaps", p), *probes]


def _evaluations(cells: list[Params]) -> list[Job]:
    return [("evaluation", cell) for cell in cells]


def trained(p: Params, method: str) -> Job:
    """Return the training job that makes `method`."""
    if method in TUNED:
        return "idk_it", p.replace(tuning=method, pair_ratio=INSTRUCTIONS_RATIO)
    return "ca_dpo", p.replace(preference=method)


def fingerprint(stage: str, p: Params) -> str:
    """Return eight hex digits that identify a stage's artefact.

    They follow from the stage's own parameters and from the fingerprints of everything that it is
    made from.
    """
    made_from = [fingerprint(*job) for job in dependencies(stage, p)]
    identity = json.dumps([stage, _own_values(stage, p), made_from], sort_keys=True)
    return hashlib.sha256(identity.encode()).hexdigest()[:8]


def _own_values(stage: str, p: Params) -> dict[str, Any]:
    """Return everything beside its dependencies on which a stage's result depends."""
    own = {}
    for name in OWN[stage]:
        value = getattr(p, name)
        if name not in NEUTRAL or value != NEUTRAL[name]:
            own[name] = value
    if stage == "confidence":  # of the out-of-domain sets, it samples A-OKVQA alone
        own["ood_sources"] = [source for source in p.ood_sources if source == "aokvqa"]
        own["ood_questions"] = p.ood_questions if own["ood_sources"] else 0
        if p.dataset == "micro":
            own["world"] = micro.VERSION
    if stage == "unanswerable" and (rejected := review.rejected(p)):
        own["rejected"] = rejected
    return own


def path(stage: str, p: Params) -> Path:
    """Return the artefact's folder, which need not exist yet.

    Its name is a few words for people and the fingerprint.
    """
    return paths.runs() / stage / "-".join([*_slug(stage, p), fingerprint(stage, p)])


def _slug(stage: str, p: Params) -> list[str]:
    """Return the words of a folder's name."""
    if stage == "paper_vs_ours":
        return [p.profile]
    words = [Path(params.pinned(p.model)[0]).name.replace(":", "-")]
    if p.dataset != "micro":
        words.append(Path(p.dataset).name)
    one_method = p.methods[0] if len(p.methods) == 1 else f"{len(p.methods)}-methods"
    made = {"idk_it": p.tuning, "ca_dpo": p.preference, "evaluation": one_method}
    if stage in made:
        words += [made[stage], f"seed{p.seed}"]
    return words


def complete(stage: str, p: Params) -> bool:
    """Return whether the stage's artefact is complete."""
    return finished(path(stage, p))


def finished(folder: Path) -> bool:
    """Return whether an artefact's folder is complete: its metrics.json is written last."""
    return (folder / "metrics.json").is_file()


def plan(stage: str, p: Params) -> dict[str, Job]:
    """Return every job that `stage` needs, itself last.

    Returns
    -------
    dict[str, Job]
        The artefact's path relative to `paths.runs()` -> the job that makes it.
    """
    jobs: dict[str, Job] = {}
    for job in dependencies(stage, p):
        jobs |= plan(*job)
    return jobs | {str(path(stage, p).relative_to(paths.runs())): (stage, p)}


def missing(stage: str, p: Params) -> list[Job]:
    """Return the jobs that must run before a stage can, in their order; of complete ones, none."""
    jobs: dict[Path, Job] = {}
    for job in dependencies(stage, p):
        if not complete(*job):
            jobs |= {path(*one): one for one in [*missing(*job), job]}
    return list(jobs.values())


def check_endpoint(stage: str, p: Params) -> None:
    """Refuse an endpoint as the model of a stage that needs weights, or that is made from one.

    Raises
    ------
    ParameterError
        If the model is an endpoint and weights are needed; the message names the notebook that
        needs them.
    """
    for name, job_params in plan(stage, p).values():
        if name in WEIGHTS and job_params.model.startswith("endpoint:"):
            raise ParameterError(
                f"model: given {job_params.model!r}, but {NOTEBOOKS[name]} needs weights, which an "
                "endpoint does not give; name a folder or a Hugging Face id. An endpoint can be "
                f"the model of 00 to 03 and, with methods [{', '.join(PROMPTED)}], of 06"
            )

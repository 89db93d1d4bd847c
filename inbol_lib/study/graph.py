"""The stage graph: which parameters identify a stage's artefact, what it is made from, and where it lies.

An artefact is a folder `runs/<stage>/<slug>-<hash8>/`. Its `metrics.json` is written last, so a folder that has one is
complete. Work in progress lies in its `partial/` folder, which a finished stage removes."""

import hashlib
import json
from pathlib import Path

from inbol_lib import micro, params, paths
from inbol_lib.boundary import review
from inbol_lib.errors import ParameterError
from inbol_lib.params import Params
from inbol_lib.study.experiments import (
    generator_cells,
    has_sweeps,
    main_cells,
    over_seeds,
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
    "confidence": ("dataset", "model", "sources", "ood_sources", "data_seed", "train_questions", "validation_questions",
                   "test_questions", "ood_questions", "num_samples", "temperature", "top_p", "choice_answer", "max_new_tokens", "judge"),
    "unanswerable": ("unanswerable_generator", "verifier", "num_unanswerable", "swap_share", "test_unanswerable", "test_per_source",
                     "validation_per_source"),
    "composition": ("delta_known", "delta_unknown", "num_instructions", "known_share", "num_pairs", "pair_ratio", "short_class",
                    "confidence_samples"),
    "idk_it": ("tuning", "seed", "lora_rank", "lora_alpha", "lora_dropout", "batch_size", "learning_rate", "epochs", "warmup_ratio"),
    "ca_dpo": ("preference", "dpo_learning_rate", "beta"),
    "evaluation": ("methods", "model", "seed", "ood_sources", "ood_questions"),
    "heatmaps": ("threshold_levels", "known_shares", "pair_ratios", "data_sizes", "sweep_seeds", "sweep_instructions", "sweep_pairs",
                 "sweep_dpo_learning_rate"),
    "probing": ("probe_train", "probe_test"),
    "paper_vs_ours": ("profile", "models", "seeds", "table4_methods", "control_methods", "sample_counts", "second_generator"),
}  # fmt: skip
#: Values at which a parameter changes nothing; it is then left out of the fingerprint, so that artefacts older than it keep their names.
NEUTRAL = {"confidence_samples": 0}
PROMPTED, TUNED = ("original", "refusal_prompt"), ("sft", "idk_it")
WEIGHTS = ("idk_it", "ca_dpo", "probing")  # stages that train the model or read its states

Job = tuple[str, Params]


def dependencies(stage: str, p: Params) -> list[Job]:
    """The artefacts that a stage reads."""
    match stage:
        case "unanswerable":
            return [("confidence", p)]
        case "composition":
            other = [] if p.test_model == p.model else [p.replace(model=p.test_model)]
            return [(s, q) for q in (p, *other) for s in ("confidence", "unanswerable")]
        case "idk_it":
            return [("composition", p)]
        case "ca_dpo":
            return [("composition", p), ("idk_it", p.replace(tuning="idk_it"))]
        case "evaluation":
            return [
                ("composition", p),
                ("confidence", p),
                *(trained(p, m) for m in p.methods if m not in PROMPTED),
            ]
        case "heatmaps":
            return [
                ("evaluation", q)
                for q in over_seeds(
                    [*threshold_cells(p), *share_cells(p), *ratio_cells(p), *size_cells(p)]
                )
            ]
        case "probing":
            return [
                ("composition", p),
                ("confidence", p),
                ("unanswerable", p),
                trained(p, "idk_it"),
                trained(p, "ca_dpo"),
            ]
        case "paper_vs_ours":
            if not has_sweeps(p):
                return [("evaluation", q) for q in main_cells(p)]
            cells = [
                *main_cells(p),
                *table4_cells(p),
                *over_seeds([*generator_cells(p), *sample_cells(p)]),
            ]
            return [*(("evaluation", q) for q in cells), ("heatmaps", p), ("probing", p)]
        case _:
            return []


def trained(p: Params, method: str) -> Job:
    """The training stage that makes `method`."""
    return (
        ("idk_it", p.replace(tuning=method))
        if method in TUNED
        else ("ca_dpo", p.replace(preference=method))
    )


def fingerprint(stage: str, p: Params) -> str:
    """Eight hex digits over the stage's own parameters and those of everything it is made from."""
    own = {k: v for k in OWN[stage] if (v := getattr(p, k)) != NEUTRAL.get(k, ...)}
    if stage == "confidence":  # only A-OKVQA of the out-of-domain sets is sampled there
        own["ood_sources"] = [s for s in p.ood_sources if s == "aokvqa"]
        own["ood_questions"] = p.ood_questions if own["ood_sources"] else 0
    if stage == "confidence" and p.dataset == "micro":
        own["world"] = micro.VERSION
    if stage == "unanswerable" and (rejected := review.rejected(p)):
        own["rejected"] = rejected
    made_from = [fingerprint(*job) for job in dependencies(stage, p)]
    return hashlib.sha256(json.dumps([stage, own, made_from], sort_keys=True).encode()).hexdigest()[
        :8
    ]


def path(stage: str, p: Params) -> Path:
    """The artefact's folder (not created): a few words for people, and the fingerprint."""
    words = [
        Path(params.pinned(p.model)[0]).name.replace(":", "-"),
        *([] if p.dataset == "micro" else [Path(p.dataset).name]),
    ]
    methods = p.methods[0] if len(p.methods) == 1 else f"{len(p.methods)}-methods"
    made = {"idk_it": p.tuning, "ca_dpo": p.preference, "evaluation": methods}
    if stage in made:
        words += [made[stage], f"seed{p.seed}"]
    elif stage == "paper_vs_ours":
        words = [p.profile]
    return paths.runs() / stage / "-".join([*words, fingerprint(stage, p)])


def complete(stage: str, p: Params) -> bool:
    return (path(stage, p) / "metrics.json").is_file()


def plan(stage: str, p: Params) -> dict[str, Job]:
    """Every job that `stage` needs, itself last: artefact path relative to runs -> job."""
    jobs: dict[str, Job] = {}
    for job in dependencies(stage, p):
        jobs |= plan(*job)
    return jobs | {str(path(stage, p).relative_to(paths.runs())): (stage, p)}


def check_endpoint(stage: str, p: Params) -> None:
    """Refuse an endpoint as the model of a stage that needs its weights, or that is made from such a stage."""
    for name, q in plan(stage, p).values():
        if name in WEIGHTS and q.model.startswith("endpoint:"):
            raise ParameterError(f"model: given {q.model!r}, but {NOTEBOOKS[name]} needs weights, which an endpoint does not give; name a "
                                 "folder or a Hugging Face id. An endpoint can be the model of 00 to 03 and, with methods "
                                 f"[{', '.join(PROMPTED)}], of 06")  # fmt: skip

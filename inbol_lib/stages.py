"""The stage graph: which parameters identify a stage's artefact, what it is made from, and where it lies.

An artefact is a folder `runs/<stage>/<slug>-<hash8>/`. Its `metrics.json` is written last, so a folder that has one is
complete. Work in progress lies in its `partial/` folder, which a finished stage removes."""

import hashlib
import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inbol_lib import hub, micro, paths, review
from inbol_lib.params import ParameterError, Params

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
            return [("composition", p), ("confidence", p), *(trained(p, m) for m in p.methods if m not in PROMPTED)]
        case "heatmaps":
            return [("evaluation", q) for q in over_seeds([*threshold_cells(p), *share_cells(p), *ratio_cells(p), *size_cells(p)])]
        case "probing":
            return [("composition", p), ("confidence", p), ("unanswerable", p), trained(p, "idk_it"), trained(p, "ca_dpo")]
        case "paper_vs_ours":
            if not has_sweeps(p):
                return [("evaluation", q) for q in main_cells(p)]
            cells = [*main_cells(p), *table4_cells(p), *over_seeds([*generator_cells(p), *sample_cells(p)])]
            return [*(("evaluation", q) for q in cells), ("heatmaps", p), ("probing", p)]
        case _:
            return []


def trained(p: Params, method: str) -> Job:
    """The training stage that makes `method`."""
    return ("idk_it", p.replace(tuning=method)) if method in TUNED else ("ca_dpo", p.replace(preference=method))


def has_sweeps(p: Params) -> bool:
    """Whether 09 gathers Tables 4 to 7 and Figs. 10 and 11 as well: not for a folder of one's own, which has no out-of-domain sets."""
    return not p.dataset.startswith("folder:")


def main_cells(p: Params) -> list[Params]:
    """Tables 1 to 3: the model under study with every training seed, the others with those of the sweeps."""
    return [p.replace(model=m, seed=s) for m in p.models for s in (p.seeds if m == p.model else p.sweep_seeds)]


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
    return [swept(p).replace(delta_known=k / 10, delta_unknown=u / 10, methods=["idk_it"]) for k in levels for u in levels if k > u]


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
    return [swept(p).replace(num_samples=max(p.sample_counts), confidence_samples=n, methods=both) for n in p.sample_counts]


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
    return hashlib.sha256(json.dumps([stage, own, made_from], sort_keys=True).encode()).hexdigest()[:8]


def path(stage: str, p: Params) -> Path:
    """The artefact's folder (not created): a few words for people, and the fingerprint."""
    words = [Path(hub.pinned(p.model)[0]).name.replace(":", "-"), *([] if p.dataset == "micro" else [Path(p.dataset).name])]
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


def ensure(stage: str, p: Params) -> Path:
    """The folder of a complete artefact; runs its notebook first (and those it needs) when it is missing."""
    from filelock import FileLock

    from inbol_lib.run import execute

    folder = path(stage, p)
    if complete(stage, p):
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):
        if not complete(stage, p):  # another process may have made it meanwhile
            print(f"making {stage}/{folder.name} first ({NOTEBOOKS[stage]})", file=sys.stderr)
            execute(stage, p)
    return folder


@dataclass
class Stage:
    """A stage at work inside its notebook."""

    name: str
    p: Params
    folder: Path
    partial: Path  # where progress is kept until the stage is saved

    def upstream(self, name: str) -> Path:
        """The complete artefact of the stage `name` that this one reads (the first, where it reads several)."""
        jobs = dict(reversed(dependencies(self.name, self.p)))
        if name not in jobs:
            raise ValueError(f"{self.name} reads no {name!r}; it reads {sorted(jobs)}")
        return ensure(name, jobs[name])

    def save(self, metrics: dict[str, Any]) -> Path:
        """Write `metrics.json` last of all: from now on the artefact is complete. No timings belong in it. It ends with hub.loaded."""
        metrics = metrics | hub.loaded(self.p.dataset, [*self.p.sources, *self.p.ood_sources])
        (self.folder / "params.json").write_text(self.p.model_dump_json(indent=1))
        unnamed = self.folder / f".metrics.{os.getpid()}"
        unnamed.write_text(json.dumps(metrics, indent=1, sort_keys=True) + "\n")
        target = unnamed.replace(self.folder / "metrics.json")
        shutil.rmtree(self.partial, ignore_errors=True)
        return target


def open(name: str, p: Params) -> Stage:  # noqa: A001
    """Begin a stage in its notebook: makes its folder, hides the bars of loading and saving, and sets the number of threads
    (INBOL_THREADS, default 1, because another number of threads may change the last digits of a result)."""
    import datasets
    import torch
    from transformers.utils import logging

    check_endpoint(name, p)
    torch.set_num_threads(int(os.environ.get("INBOL_THREADS", "1")))
    datasets.disable_progress_bars()
    logging.set_tqdm_hook(lambda bar, args, options: bar(*args, **{**options, "disable": True}))  # downloads keep theirs
    folder = path(name, p)
    (folder / "partial").mkdir(parents=True, exist_ok=True)
    return Stage(name, p, folder, folder / "partial")

"""The study as one graph: read from top to bottom, this is the pipeline.

`make study` runs it, `make smoke` runs it small, and this runs it with a profile of your choice:

    snakemake --cores 2 --config profile=micro

An artefact's folder is named after the parameters that made it, so changing a parameter makes new
artefacts beside the old ones. Every rule runs its stage's notebook with `inbol run`; the executed
notebook is the rule's log. A rule's inputs are the artefacts that the stage reads and the code on
which its result depends.
"""

import shlex
import sys
from pathlib import Path

from inbol_lib import params, paths, values
from inbol_lib.errors import ParameterError
from inbol_lib.study import graph, running
from inbol_lib.study import workflow as runs_of_it
from inbol_lib.study.workflow import changes, sweep

PROFILE = config.get("profile", "micro")
CHANGES = {
    key: value for key, value in config.items() if key not in ("profile", "only", "grid")
}
P = params.load(PROFILE, **params.of_snakemake(CHANGES))
GOAL = config.get("only", "paper_vs_ours")
running.check_dataset(GOAL, P)  # before anything starts
WANTED = sweep.wanted(GOAL, P, sweep.grid_of(config.get("grid", [])))
JOBS = {name: job for goal in WANTED for name, job in graph.plan(*goal).items()}
RUNS = str(paths.runs())
if set(RUNS) & set("{}"):  # Snakemake would take them for wildcards
    raise ParameterError(f"INBOL_RUNS: given {RUNS!r}, a path without {{ and }} is needed")
if workflow.is_main_process:  # not in the jobs of a cluster
    ALIVE = runs_of_it.begin(Path(".snakemake"))


onstart:
    runs_of_it.claim(ALIVE, getattr(workflow.persistence, "_lockfile", {}).values())


#: What others wait for begins first, so that no chain of stages is left for the end.
URGENT = list(reversed(graph.NOTEBOOKS))


def job(wildcards):
    """Return the stage and the parameters behind an artefact's folder."""
    return JOBS[f"{wildcards.stage}/{wildcards.folder}"]


def made_from(wildcards):
    """Return the stage's notebook and the artefacts that it reads."""
    stage, p = job(wildcards)
    artefacts = [graph.path(*upstream) for upstream in graph.dependencies(stage, p)]
    notebook = f"notebooks/{graph.NOTEBOOKS[stage]}.ipynb"
    return [notebook, *(f"{artefact}/metrics.json" for artefact in artefacts)]


def code(*places):
    """Return the library's files on which a stage's result depends: of rooms, or single modules."""
    found = []
    for place in ("data/records.py", "data/templates.py", *places):
        path = Path("inbol_lib", place)
        files = [path] if path.is_file() else sorted(path.rglob("*.py"))
        assert files, f"{path}: no such code"
        found += files
    return [str(path) for path in found]


def weights(wildcards):
    """Return the weights of the packaged models that answer and that judge."""
    stage, p = job(wildcards)
    packaged = [name for name in (p.model, p.judge) if name.startswith("micro-")]
    return [f"inbol_lib/micro/weights/{name}/model.safetensors" for name in packaged]


def command(wildcards):
    """Return the arguments of `inbol run`: stage, profile, and what this job changes in it."""
    stage, p = job(wildcards)
    changed = {key: value for key, value in p.model_dump().items() if value != getattr(P, key)}
    words = [stage, "-f", str(PROFILE)]
    for key, value in (changed | CHANGES).items():
        words += ["-p", f"{key}={values.written(value)}"]
    return shlex.join(words)


rule study:
    input:
        [f"{RUNS}/{name}/metrics.json" for name in JOBS],


rule stage:
    """Any stage; the rules below say which code each one depends on."""
    input:
        made_from,
    output:
        RUNS + "/{stage}/{folder}/metrics.json",
    log:
        RUNS + "/{stage}/{folder}/notebook.ipynb",
    params:
        command=command,
    shell:
        "python -m inbol_lib.run {params.command} --plain"


use rule stage as confidence with:  # 01: how sure is the model?
    priority: URGENT.index("confidence")
    input:
        made_from,
        weights,
        code(
            "mllm",
            "judging",
            "boundary/classes.py",
            "boundary/confidence.py",
            "study/question_pools.py",
        ),
    output:
        RUNS + "/{stage,confidence}/{folder}/metrics.json",


use rule stage as unanswerable with:  # 02: questions that the image cannot answer
    priority: URGENT.index("unanswerable")
    input:
        made_from,
        code(
            "mllm/adapters.py",
            "mllm/picture_features.py",
            "mllm/sampling",
            "judging",
            "boundary/asking.py",
            "boundary/generated_text.py",
            "boundary/making.py",
            "boundary/review.py",
            "boundary/unanswerable.py",
        ),
    output:
        RUNS + "/{stage,unanswerable}/{folder}/metrics.json",


use rule stage as composition with:  # 03: instructions, preference pairs, test sets
    priority: URGENT.index("composition")
    input:
        made_from,
        code("boundary/composition.py", "boundary/test_sets.py"),
    output:
        RUNS + "/{stage,composition}/{folder}/metrics.json",


use rule stage as idk_it with:  # 04: IDK instruction tuning, SFT
    priority: URGENT.index("idk_it")
    input:
        made_from,
        code(
            "mllm/grouping.py",
            "mllm/picture_features.py",
            "mllm/sampling/prompts.py",
            "training/collating.py",
            "training/idk_it.py",
            "training/layout.py",
            "training/lora.py",
            "training/packing.py",
            "training/passes",
            "training/steps.py",
        ),
    output:
        RUNS + "/{stage,idk_it}/{folder}/metrics.json",


use rule stage as ca_dpo with:  # 05: confidence-aware DPO and its variants
    priority: URGENT.index("ca_dpo")
    input:
        made_from,
        code(
            "mllm/grouping.py",
            "mllm/picture_features.py",
            "mllm/sampling/prompts.py",
            "training",
        ),
    output:
        RUNS + "/{stage,ca_dpo}/{folder}/metrics.json",


use rule stage as evaluation with:  # 06: outcomes of every method
    priority: URGENT.index("evaluation")
    input:
        made_from,
        code(
            "evaluation",
            "judging",
            "mllm/adapters.py",
            "mllm/picture_features.py",
            "mllm/sampling",
            "report/diagnostics.py",
            "report/plots",
            "report/tables",
        ),
    output:
        RUNS + "/{stage,evaluation}/{folder}/metrics.json",


use rule stage as heatmaps with:  # 07: thresholds and mixtures
    input:
        made_from,
        code("report/gathering.py", "report/plots", "report/tables"),
    output:
        RUNS + "/{stage,heatmaps}/{folder}/metrics.json",


use rule stage as probing with:  # 08: intrinsic or extrinsic?
    input:
        made_from,
        code("evaluation/probe_designs.py", "evaluation/probing.py"),
    output:
        RUNS + "/{stage,probing}/{folder}/metrics.json",


use rule stage as paper_vs_ours with:  # 09: every table and figure
    input:
        made_from,
        code("report"),
    output:
        RUNS + "/{stage,paper_vs_ours}/{folder}/metrics.json",


use rule stage as tour with:  # 00: the method on one page
    input:
        made_from,
    output:
        RUNS + "/{stage,tour}/{folder}/metrics.json",


ruleorder: confidence > unanswerable > composition > idk_it > ca_dpo > evaluation > heatmaps > \
    probing > paper_vs_ours > tour > stage


if workflow.is_main_process:
    CODE = {
        one.name: [str(file) for file in one.input if isinstance(file, str)]
        + [f"notebooks/{graph.NOTEBOOKS[one.name]}.ipynb"]
        for one in workflow.rules
        if one.name in graph.NOTEBOOKS
    }
    READS = {}
    for name, p in JOBS.values():
        READS.setdefault(name, set()).update(read for read, _ in graph.dependencies(name, p))
    for old in changes.age(Path(".snakemake"), paths.runs(), CODE, READS):
        print(f"{old}: its code has changed, though not by the clock", file=sys.stderr)

"""The study as one graph: read top to bottom, this is the pipeline.

`make study` runs it; `make smoke` runs it small.

    snakemake --cores 2 --config profile=micro

A rule's folder is named after the parameters that made it, so changing a parameter makes new
artefacts beside the old. Every rule calls the strict wrapper, which runs the stage's notebook; the
executed notebook is the rule's log.
"""

from pathlib import Path

from inbol_lib import params, paths
from inbol_lib.study import graph

PROFILE = config.get("profile", "micro")
CHANGES = {k: v for k, v in config.items() if k not in ("profile", "only")}
P = params.load(PROFILE, **CHANGES)
GOAL = config.get("only", "paper_vs_ours")
JOBS = graph.plan(GOAL, P) | graph.plan("tour", P)
RUNS = str(paths.runs())


def job(w):
    return JOBS[f"{w.stage}/{w.folder}"]


def made_from(w):
    """The notebook, and the artefacts that the stage reads."""
    stage, p = job(w)
    artefacts = [graph.path(*upstream) for upstream in graph.dependencies(stage, p)]
    return [f"notebooks/{graph.NOTEBOOKS[stage]}.ipynb", *(f"{a}/metrics.json" for a in artefacts)]


def code(*places):
    """The library's files that a stage's result rests on: rooms, and modules of rooms."""
    found = []
    for place in ("data/records.py", "data/templates.py", *places):
        path = Path("inbol_lib", place)
        found += [path] if path.is_file() else sorted(path.rglob("*.py"))
    return [str(path) for path in found]


def weights(w):
    """The packaged models that answer, and that judge."""
    p = job(w)[1]
    packaged = [name for name in (p.model, p.judge) if name.startswith("micro-")]
    return [f"inbol_lib/micro/weights/{name}/model.safetensors" for name in packaged]


def command(w):
    """The wrapper's arguments: the profile, and what this job changes of it."""
    stage, p = job(w)
    changed = {k: v for k, v in p.model_dump().items() if v != getattr(P, k)}
    changed |= CHANGES
    settings = (f"-p '{k}={str(v).replace(chr(39), chr(34))}'" for k, v in changed.items())
    return f"{stage} -f {PROFILE} " + " ".join(settings)


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
        "python -m inbol_lib.run {params.command}"


use rule stage as confidence with:  # 01: how sure is the model?
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


use rule stage as unanswerable with:  # 02: questions that the image can not answer
    input:
        made_from,
        code(
            "mllm/continuation.py",
            "mllm/sampling.py",
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
    input:
        made_from,
        code("boundary/composition.py", "boundary/test_sets.py"),
    output:
        RUNS + "/{stage,composition}/{folder}/metrics.json",


use rule stage as idk_it with:  # 04: IDK instruction tuning, SFT
    input:
        made_from,
        code("training/collating.py", "training/idk_it.py", "training/lora.py"),
    output:
        RUNS + "/{stage,idk_it}/{folder}/metrics.json",


use rule stage as ca_dpo with:  # 05: confidence-aware DPO and its variants
    input:
        made_from,
        code("training"),
    output:
        RUNS + "/{stage,ca_dpo}/{folder}/metrics.json",


use rule stage as evaluation with:  # 06: outcomes of every method
    input:
        made_from,
        code(
            "evaluation",
            "judging",
            "mllm/continuation.py",
            "mllm/sampling.py",
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

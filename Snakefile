"""The study as one graph: read top to bottom, this is the pipeline. `make study` runs it; `make smoke` runs it small.

    snakemake --cores 2 --config profile=micro

A rule's folder is named after the parameters that made it, so changing a parameter makes new artefacts beside the old.
Every rule calls the strict wrapper, which runs the stage's notebook; the executed notebook is the rule's log.
"""

from pathlib import Path

from inbol_lib import params, paths, stages

PROFILE = config.get("profile", "micro")
P = params.load(PROFILE, **{k: v for k, v in config.items() if k not in ("profile", "only")})
GOAL = config.get("only", "paper_vs_ours")
JOBS = stages.plan(GOAL, P) | stages.plan("tour", P)
RUNS = str(paths.runs())


def job(w):
    return JOBS[f"{w.stage}/{w.folder}"]


def made_from(w):
    """The notebook, and the artefacts that the stage reads."""
    stage, p = job(w)
    return [f"notebooks/{stages.NOTEBOOKS[stage]}.ipynb"] + [f"{stages.path(*j)}/metrics.json" for j in stages.dependencies(stage, p)]


def code(*modules):
    return [f"inbol_lib/{m}.py" for m in ("records", *modules)]


def weights(w):
    """The packaged models that answer, and that judge."""
    p = job(w)[1]
    return [f"inbol_lib/micro/weights/{m}/model.safetensors" for m in (p.model, p.judge) if m.startswith("micro-")]


def command(w):
    """The wrapper's arguments: the profile, and what this job changes of it."""
    stage, p = job(w)
    changed = {k: v for k, v in p.model_dump().items() if v != getattr(P, k)} | {k: config[k] for k in config if k not in ("profile", "only")}
    return f"{stage} -f {PROFILE} " + " ".join(f"-p '{k}={str(v).replace(chr(39), chr(34))}'" for k, v in changed.items())


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
        made_from, weights, code("models", "sampling", "matching", "refusals", "choices", "judging", "confidence", "questions"),
    output:
        RUNS + "/{stage,confidence}/{folder}/metrics.json",


use rule stage as unanswerable with:  # 02: questions that the image can not answer
    input:
        made_from, code("sampling", "matching", "refusals", "unanswerable", "review"),
    output:
        RUNS + "/{stage,unanswerable}/{folder}/metrics.json",


use rule stage as composition with:  # 03: instructions, preference pairs, test sets
    input:
        made_from, code("composition"),
    output:
        RUNS + "/{stage,composition}/{folder}/metrics.json",


use rule stage as idk_it with:  # 04: IDK instruction tuning, SFT
    input:
        made_from, code("idk_it"),
    output:
        RUNS + "/{stage,idk_it}/{folder}/metrics.json",


use rule stage as ca_dpo with:  # 05: confidence-aware DPO and its variants
    input:
        made_from, code("idk_it", "packing", "ca_dpo"),
    output:
        RUNS + "/{stage,ca_dpo}/{folder}/metrics.json",


use rule stage as evaluation with:  # 06: outcomes of every method
    input:
        made_from, code("evaluation", "judging", "matching", "refusals", "choices", "sampling", "metrics", "intervals", "tables", "plots",
                        "agreement", "selective", "reports"),
    output:
        RUNS + "/{stage,evaluation}/{folder}/metrics.json",


use rule stage as heatmaps with:  # 07: thresholds and mixtures
    input:
        made_from, code("tables", "plots"),
    output:
        RUNS + "/{stage,heatmaps}/{folder}/metrics.json",


use rule stage as probing with:  # 08: intrinsic or extrinsic?
    input:
        made_from, code("probing"),
    output:
        RUNS + "/{stage,probing}/{folder}/metrics.json",


use rule stage as paper_vs_ours with:  # 09: every table and figure
    input:
        made_from, code("study", "claims", "illustrations", "tables", "plots", "paper"),
    output:
        RUNS + "/{stage,paper_vs_ours}/{folder}/metrics.json",


use rule stage as tour with:  # 00: the method on one page
    input:
        made_from,
    output:
        RUNS + "/{stage,tour}/{folder}/metrics.json",


ruleorder: confidence > unanswerable > composition > idk_it > ca_dpo > evaluation > heatmaps > probing > paper_vs_ours > tour > stage

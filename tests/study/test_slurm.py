"""The graph on a real cluster of one node: munged, slurmctld and slurmd of this machine, and the profile in params/slurm as it stands.

The node claims more memory, cores and GPUs than there are (`config_overrides`), so that the profile's requests are granted."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import yaml

from inbol_lib import params, paths
from inbol_lib.study import experiments, graph, plan

SBIN = os.environ["PATH"] + ":/usr/sbin:/sbin"
LINKED = Path("/etc/slurm/slurm.conf")  # where the job step's srun looks, whatever SLURM_CONF says
SMALL = {"train_questions": 60, "validation_questions": 20, "test_questions": 20, "num_unanswerable": 20, "test_per_source": 5,
         "test_unanswerable": 5, "validation_per_source": 5, "ood_sources": [], "verifier": "program", "judge": "string"}  # fmt: skip

CONF = """
ClusterName=inbol
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser=root
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
MinJobAge=3600
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs=16 RealMemory=256000 Gres=gpu:2 State=UNKNOWN
PartitionName=main Nodes={host} Default=YES State=UP
"""


def free_ports(n):
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [s.getsockname()[1] for s in held]
    for s in held:
        s.close()
    return ports


def until(done, seconds, what):
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, f"{what} took longer than {seconds} s"
        time.sleep(0.2)


def call(*command, **more):
    return subprocess.run(
        [shutil.which(command[0], path=SBIN), *map(str, command[1:])],
        capture_output=True,
        text=True,
        **more,
    )


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    """A cluster of one node with all its files in a folder of its own; its daemons are stopped by the ids in their pid files."""
    lacking = [
        tool
        for tool in ("munged", "slurmctld", "slurmd", "sbatch")
        if not shutil.which(tool, path=SBIN)
    ]
    if lacking:
        pytest.skip(
            f"{', '.join(lacking)}: not installed (Debian: apt-get install slurm-wlm munge)"
        )
    if os.geteuid() or LINKED.exists() or LINKED.is_symlink():
        pytest.skip("needs root, and no cluster that this machine already belongs to")
    pytest.importorskip("snakemake_executor_plugin_slurm")
    folder, host = tmp_path / "cluster", socket.gethostname().split(".")[0]
    for part in ("state", "spool"):
        (folder / part).mkdir(parents=True)
    (folder / "munge.key").write_bytes(os.urandom(64))
    (folder / "munge.key").chmod(0o400)
    (folder / "slurm.conf").write_text(CONF.format(folder=folder, host=host, ports=free_ports(2)))
    (folder / "gres.conf").write_text("Name=gpu File=/dev/null\nName=gpu File=/dev/zero\n")
    monkeypatch.setenv("SLURM_CONF", str(folder / "slurm.conf"))
    LINKED.parent.mkdir(exist_ok=True)
    LINKED.symlink_to(folder / "slurm.conf")
    files = {"key": "munge.key", "pid": "munged.pid", "log": "munged.log", "seed": "munged.seed"}
    munged = [f"--{k}-file={folder / v}" for k, v in files.items()]
    try:
        for daemon in (
            ["munged", "--force", f"--socket={folder / 'munge.socket'}", *munged],
            ["slurmctld"],
            ["slurmd"],
        ):
            done = call(*daemon)
            assert done.returncode == 0, (daemon, done.stderr)
        until(
            lambda: call("sinfo", "-h", "-o", "%t").stdout.strip() == "idle",
            30,
            "starting the node",
        )
        yield folder
    finally:
        LINKED.unlink()
        for name in ("slurmd", "slurmctld", "munged"):
            if (file := folder / f"{name}.pid").is_file():
                daemon = psutil.Process(int(file.read_text()))
                daemon.terminate()
                until(
                    lambda d=daemon: not d.is_running() or d.status() == "zombie",
                    20,
                    f"stopping {name}",
                )


def jobs():
    """The stage of every job that the cluster was given, in turn, and whether it asked for a GPU."""
    lines = call("scontrol", "show", "jobs", "-o").stdout.splitlines()
    said = [re.search(r"JobId=(\d+).*/rule_(\w+)/", line) for line in lines]
    return [
        (m[2], "gres:gpu" in line)
        for m, line in sorted(zip(said, lines, strict=True), key=lambda pair: int(pair[0][1]))
    ]


def test_every_stage_that_reads_a_model_has_a_gpu_and_twice_the_time_that_it_is_planned_to_take():
    limits = yaml.safe_load((paths.PARAMS / "slurm" / "config.yaml").read_text())["set-resources"]
    made = plan.plan(params.load("llava-1.5-7b"), "a100")["stages"]
    reading = {row["stage"] for row in made if row["questions"]} | {"probing", "tour"}
    assert {stage for stage, limit in limits.items() if limit["gpu"]} == reading
    for row in made:
        if row["questions"]:
            assert limits[row["stage"]]["runtime"] >= 2 * 60 * row["hours"] / row["jobs"], row[
                "stage"
            ]


def test_a_cell_that_fails_leaves_the_others_and_a_rerun_makes_it_alone(cluster, runs, monkeypatch):
    p = params.load("smoke", **SMALL)
    cells = [graph.path("composition", c) for c in experiments.threshold_cells(p)]
    broken, *others = cells
    broken.mkdir(parents=True)
    (broken / "partial").write_text("a file where the stage wants a folder")
    settings = [f"{k}={str(v).replace(chr(39), chr(34))}" for k, v in SMALL.items()]
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    command = [sys.executable, "-m", "snakemake", *(c / "metrics.json" for c in cells), "--workflow-profile", "params/slurm", "--jobs", 2,
               "--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", 2, "--seconds-between-status-checks", 2,
               "--latency-wait", 10, "--nolock", "--config", "profile=smoke", "only=heatmaps", *settings]  # fmt: skip
    first = call(*command, cwd=paths.ROOT)
    assert first.returncode == 1, first.stderr
    assert [(c / "metrics.json").is_file() for c in cells] == [False] + [True] * len(others), (
        first.stderr
    )
    assert "FileExistsError" in (broken / "notebook.ipynb").read_text()
    assert jobs() == [("confidence", True), ("unanswerable", True)] + [
        ("composition", False)
    ] * len(cells)

    made = {c: (c / "metrics.json").stat().st_mtime_ns for c in others}
    (broken / "partial").unlink()
    second = call(*command, cwd=paths.ROOT)
    assert second.returncode == 0, second.stderr
    assert (broken / "metrics.json").is_file()
    assert {c: (c / "metrics.json").stat().st_mtime_ns for c in others} == made
    assert jobs()[2 + len(cells) :] == [("composition", False)], "one more job, the broken cell"

"""The graph on a real cluster of one node: munged, slurmctld and slurmd of this machine.

The profile is params/slurm as it stands. The node claims more memory, cores and GPUs than there are
(`config_overrides`), so that the profile's requests are granted.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pandas as pd
import psutil
import pytest
import yaml

from inbol_lib import params, paths
from inbol_lib.study import experiments, graph, plan

SBIN = os.environ["PATH"] + ":/usr/sbin:/sbin"
LINKED = Path("/etc/slurm/slurm.conf")  # where the job step's srun looks, whatever SLURM_CONF says
SMALL = {
    "train_questions": 60,
    "validation_questions": 20,
    "test_questions": 20,
    "num_unanswerable": 20,
    "test_per_source": 5,
    "test_unanswerable": 5,
    "validation_per_source": 5,
    "ood_sources": [],
    "verifier": "program",
    "judge": "string",
}

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
    ports = [server.getsockname()[1] for server in held]
    for server in held:
        server.close()
    return ports


def until(done, seconds, what):
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, f"{what} took longer than {seconds} s"
        time.sleep(0.2)


def call(*command, **more):
    program = shutil.which(command[0], path=SBIN)
    arguments = [str(word) for word in command[1:]]
    return subprocess.run([program, *arguments], capture_output=True, text=True, **more)


def configure(folder):
    """Write what the daemons read into `folder`."""
    for part in ("state", "spool"):
        (folder / part).mkdir(parents=True)
    (folder / "munge.key").write_bytes(os.urandom(64))
    (folder / "munge.key").chmod(0o400)
    host = socket.gethostname().split(".")[0]
    (folder / "slurm.conf").write_text(CONF.format(folder=folder, host=host, ports=free_ports(2)))
    (folder / "gres.conf").write_text("Name=gpu File=/dev/null\nName=gpu File=/dev/zero\n")


def start(folder):
    files = {"key": "munge.key", "pid": "munged.pid", "log": "munged.log", "seed": "munged.seed"}
    munged = ["munged", "--force", f"--socket={folder / 'munge.socket'}"]
    munged += [f"--{kind}-file={folder / name}" for kind, name in files.items()]
    for daemon in (munged, ["slurmctld"], ["slurmd"]):
        done = call(*daemon)
        assert done.returncode == 0, (daemon, done.stderr)
    until(node_is_idle, 30, "starting the node")


def node_is_idle():
    return call("sinfo", "-h", "-o", "%t").stdout.strip() == "idle"


def stop(folder):
    """End the daemons by the ids in their pid files."""
    for name in ("slurmd", "slurmctld", "munged"):
        file = folder / f"{name}.pid"
        if file.is_file():
            daemon = psutil.Process(int(file.read_text()))
            daemon.terminate()
            until(partial(ended, daemon), 20, f"stopping {name}")


def ended(daemon):
    return not daemon.is_running() or daemon.status() == "zombie"


def forget_a_killed_run():
    """Remove the link that a killed run of these tests left: every Snakemake would wait for it."""
    if LINKED.is_symlink():
        folder = LINKED.readlink().parent
        ours = folder.name == "cluster" and "pytest" in str(folder)
        pid = folder / "slurmctld.pid"
        running = pid.is_file() and psutil.pid_exists(int(pid.read_text()))
        if ours and not running:
            LINKED.unlink()


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    """A cluster of one node with all its files in a folder of its own."""
    tools = ("munged", "slurmctld", "slurmd", "sbatch")
    lacking = [tool for tool in tools if not shutil.which(tool, path=SBIN)]
    if lacking:
        pytest.skip(
            f"{', '.join(lacking)}: not installed (Debian: apt-get install slurm-wlm munge)"
        )
    forget_a_killed_run()
    if os.geteuid() or LINKED.exists() or LINKED.is_symlink():
        pytest.skip("needs root, and no cluster that this machine already belongs to")
    pytest.importorskip("snakemake_executor_plugin_slurm")
    folder = tmp_path / "cluster"
    configure(folder)
    monkeypatch.setenv("SLURM_CONF", str(folder / "slurm.conf"))
    try:
        start(folder)
        LINKED.parent.mkdir(exist_ok=True)
        LINKED.symlink_to(folder / "slurm.conf")  # last: who finds it waits for the controller
        yield folder
    finally:
        LINKED.unlink(missing_ok=True)
        stop(folder)


def jobs():
    """The stage of every job that the cluster was given, in turn, and whether it wanted a GPU."""
    found = []
    for line in call("scontrol", "show", "jobs", "-o").stdout.splitlines():
        number, stage = re.search(r"JobId=(\d+).*/rule_(\w+)/", line).groups()
        found.append((int(number), stage, "gres:gpu" in line))
    return [(stage, gpu) for _, stage, gpu in sorted(found)]


def test_every_stage_that_reads_a_model_has_a_gpu_and_twice_the_time_that_it_is_planned_to_take():
    limits = yaml.safe_load((paths.PARAMS / "slurm" / "config.yaml").read_text())["set-resources"]
    made = plan.plan(params.load("llava-1.5-7b"), "a100")["stages"]
    asking = [row for row in made if row["questions"]]
    reading = {row["stage"] for row in asking} | {"probing", "tour"}
    assert {stage for stage, limit in limits.items() if limit["gpu"]} == reading
    for row in asking:
        minutes = 60 * row["hours"] / row["jobs"]
        assert limits[row["stage"]]["runtime"] >= 2 * minutes, row["stage"]


def snakemake(targets):
    """Make the targets on the cluster, with the smoke profile and the sizes in SMALL."""
    settings = [f"{key}={value}".replace("'", '"') for key, value in SMALL.items()]
    command = [sys.executable, "-m", "snakemake", *targets, "--nolock", "--jobs", 2]
    command += ["--workflow-profile", "params/slurm", "--slurm-status-command", "squeue"]
    command += ["--slurm-init-seconds-before-status-checks", 2]
    command += ["--seconds-between-status-checks", 2, "--latency-wait", 10]
    command += ["--config", "profile=smoke", "only=heatmaps", *settings]
    return call(*command, cwd=paths.ROOT)


def test_a_cell_that_fails_leaves_the_others_and_a_rerun_makes_it_alone(cluster, runs, monkeypatch):
    p = params.load("smoke", **SMALL)
    cells = [graph.path("composition", cell) for cell in experiments.threshold_cells(p)]
    targets = [cell / "metrics.json" for cell in cells]
    broken, *others = cells
    broken.mkdir(parents=True)
    (broken / "partial").write_text("a file where the stage wants a folder")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    first = snakemake(targets)
    assert first.returncode == 1, first.stderr
    made = [target.is_file() for target in targets]
    assert made == [False] + [True] * len(others), first.stderr
    assert "FileExistsError" in (broken / "notebook.ipynb").read_text()
    before = [("confidence", True), ("unanswerable", True)]
    assert jobs() == before + [("composition", False)] * len(cells)

    times = [target.stat().st_mtime_ns for target in targets[1:]]
    (broken / "partial").unlink()
    second = snakemake(targets)
    assert second.returncode == 0, second.stderr
    assert targets[0].is_file()
    assert [target.stat().st_mtime_ns for target in targets[1:]] == times
    rerun = jobs()[len(before) + len(cells) :]
    assert rerun == [("composition", False)], "one more job, the broken cell"


def polled_often(folder):
    """Return a copy of params/slurm for a cluster that has no accounting, and jobs of seconds."""
    profile = yaml.safe_load((paths.PARAMS / "slurm" / "config.yaml").read_text())
    profile |= {"slurm-status-command": "squeue", "slurm-init-seconds-before-status-checks": 2}
    profile |= {"seconds-between-status-checks": 2, "latency-wait": 10}
    folder.mkdir()
    (folder / "config.yaml").write_text(yaml.safe_dump(profile))
    return folder


def test_a_grid_of_the_command_line_runs_on_the_cluster_and_becomes_one_table(
    cluster, runs, tmp_path
):
    words = ["run", "03", "-f", "smoke", "--grid", "num_pairs=20,40"]
    words += ["--cluster", polled_often(tmp_path / "profile")]
    for key, value in SMALL.items():
        words += ["-p", f"{key}={value}".replace("'", '"')]
    made = call(sys.executable, "-m", "inbol_lib", *words, cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    table = pd.read_csv(Path(made.stdout.splitlines()[-1]) / "table.csv")
    assert list(table["num_pairs"]) == [20, 40]
    assert list(table["preferences.pairs"]) == [20, 40]
    asked = [("confidence", True), ("unanswerable", True)]
    assert jobs() == asked + [("composition", False)] * 2

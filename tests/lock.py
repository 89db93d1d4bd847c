"""Lock what the environment installs: every version, every file's hash, and an inventory of it.

    make lock            # writes requirements*.lock, tests/*.lock and sbom.cdx.json
    make audit           # asks which locked versions have known vulnerabilities

requirements.lock has everything but torch, which comes in two builds: requirements-cuda.lock has
the one of the package index (for Linux with CUDA's libraries, for macOS without), and
requirements-cpu.lock the one for Linux without CUDA. The latter lies on PyTorch's own index alone,
so its hashes are written by hand, into CPU_WHEELS, as `pip hash FILE` shows them. `make env` takes
it where pip is shown one (PIP_FIND_LINKS, PIP_EXTRA_INDEX_URL), else the other.

What only the site or the tests in a browser need has locks of its own, on top of the others, so
that the environment of the study stays lean.

Versions that are locked stay, unless pyproject.toml asks for others; delete a line to move one.
The tools come from tests/tools.lock, into an environment of their own.
"""

import json
import re
import subprocess
import sys
import tempfile
import venv
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
#: torch with CUDA's libraries, and without
CUDA_LOCK, CPU_LOCK = ROOT / "requirements-cuda.lock", ROOT / "requirements-cpu.lock"
#: extra of pyproject.toml -> the lock of what it needs beyond the environment
EXTRAS = {
    "site": ROOT / "requirements-site.lock",
    "browser": ROOT / "tests" / "browser.lock",
    "fuzz": ROOT / "tests" / "fuzz.lock",
}
INVENTORY = ROOT / "sbom.cdx.json"
TOOLS = ROOT / "tests" / "tools.lock"
TOOLS_ENVIRONMENT = ROOT / ".venv" / "tools"
#: what locks, lists and audits
WANTED_TOOLS = ("cyclonedx-bom", "pip-audit", "uv")
#: wheels of PyTorch's own index, which the package index does not have -> their SHA-256
CPU_WHEELS = {
    "torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl": (
        "6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b"
    )
}
#: torch, and what only its build for CUDA needs
FOR_CUDA = re.compile(r"(nvidia|cuda|triton|torch)\b")
HEAD = """\
# Every package, pinned, with the hashes of its files; `make lock` writes this file.
# Install with: pip install --require-hashes --no-deps -r {name}
"""
#: What says that an advisory database was not asked, in pip-audit's words or the network's.
UNASKED = re.compile("ConnectionError|could not be audited|Failed to (resolve|upgrade)|Timeout")


def entries(text: str) -> list[str]:
    """Return a lock's requirements, each with its lines of hashes."""
    return re.findall(r"(?m)^[A-Za-z0-9].*(?:\n[ \t]+--hash.*)*\n?", text)


def name_of(entry: str) -> str:
    """Return the name of a requirement as the package index writes it."""
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", entry)[0]).lower()


def versions(text: str) -> dict[str, str]:
    """Return name -> version of a lock's requirements."""
    return {name_of(entry): re.search(r"==([^\s;\\]+)", entry)[1] for entry in entries(text)}


def hashes(entry: str) -> set[str]:
    """Return the hashes of a requirement's files."""
    return set(re.findall(r"--hash=sha256:([0-9a-f]{64})(?!\S)", entry))


def tool(name: str) -> Path:
    """Return one of the tools, installed first where it is not."""
    program = TOOLS_ENVIRONMENT / "bin" / name
    if not program.exists():
        venv.create(TOOLS_ENVIRONMENT, with_pip=True)
        pip = [TOOLS_ENVIRONMENT / "bin" / "pip", "install", "--quiet"]
        locked = ["--require-hashes", "--no-deps", "-r", TOOLS]
        subprocess.run([*pip, *(locked if TOOLS.exists() else WANTED_TOOLS)], check=True)
    return program


def compiled(sources: Sequence[str | Path], old: str) -> str:
    """Return a lock of what sources ask for, on every system, with the versions of an old lock."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "lock")
        target.write_text(old)
        options = ["--universal", "--python-version", "3.11", "--generate-hashes", "--quiet"]
        options += ["--no-header", "--no-annotate", "--no-cache", "-o", target]
        subprocess.run([tool("uv"), "pip", "compile", *options, *sources], check=True)
        return target.read_text()


def cpu_build(torch: str) -> str:
    """Return the requirement of torch without CUDA, given the one of the package index."""
    lines = "".join(f" \\\n    --hash=sha256:{sha}" for sha in CPU_WHEELS.values())
    return f"torch=={versions(torch)['torch']}+cpu{lines}\n"


def kept(*files: Path) -> str:
    """Return the text of those of the files that are there."""
    return "".join(file.read_text() for file in files if file.exists())


def beyond(extra: str, made: str, build: Path) -> list[str]:
    """Return what an extra needs beyond a lock, with versions that go with it.

    Raises
    ------
    ValueError
        If the extra and the lock can not be installed together.
    """
    sources = ["--extra", "dev", "--extra", extra, ROOT / "pyproject.toml", build]
    both = entries(compiled(sources, made + kept(EXTRAS[extra])))
    there = versions(made)
    moved = [
        name
        for name, version in versions("".join(both)).items()
        if there.get(name, version) != version
    ]
    if moved:
        raise ValueError(f"the extra {extra} asks for other versions of {', '.join(moved)}")
    return [entry for entry in both if name_of(entry) not in there]


def write_locks() -> None:
    """Write all locks."""
    old = kept(LOCK, CUDA_LOCK)
    with tempfile.TemporaryDirectory() as folder:
        build, tools = Path(folder, "build.in"), Path(folder, "tools.in")
        build.write_text("setuptools>=77\n")  # builds the project itself
        tools.write_text("\n".join(WANTED_TOOLS) + "\n")
        made = compiled(["--extra", "dev", ROOT / "pyproject.toml", build], old)
        of_tools = entries(compiled([tools], kept(TOOLS)))
        of_extras = {file: beyond(extra, made, build) for extra, file in EXTRAS.items()}
    cuda = [entry for entry in entries(made) if FOR_CUDA.match(entry)]
    rest = [entry for entry in entries(made) if not FOR_CUDA.match(entry)]
    cpu = [cpu_build(entry) for entry in cuda if name_of(entry) == "torch"]
    written = {LOCK: rest, CUDA_LOCK: cuda, CPU_LOCK: cpu, TOOLS: of_tools, **of_extras}
    for file, lines in written.items():
        file.write_text(HEAD.format(name=file.relative_to(ROOT)) + "".join(lines))


def write_inventory() -> None:
    """Write a CycloneDX inventory of what can be installed; the hashes stay in the locks."""
    together = versions(kept(LOCK, CUDA_LOCK, *EXTRAS.values()))
    pinned = "".join(f"{name}=={version}\n" for name, version in sorted(together.items()))
    options = ["--output-reproducible", "--of", "JSON", "--pyproject", ROOT / "pyproject.toml", "-"]
    command = [tool("cyclonedx-py"), "requirements", *options]
    told = subprocess.run(command, input=pinned, stdout=subprocess.PIPE, text=True, check=True)
    listed = json.loads(told.stdout)
    for component in listed["components"]:
        del component["description"], component["externalReferences"]  # this machine's index
    INVENTORY.write_text(json.dumps(listed, indent=1, sort_keys=True) + "\n")


def audit() -> int:
    """Ask for known vulnerabilities; say so, and pass, where no database can be reached."""
    options = ["--disable-pip", "--require-hashes", "--progress-spinner", "off"]
    status = 0
    for file in (LOCK, CUDA_LOCK, *EXTRAS.values(), TOOLS):
        command = [tool("pip-audit"), *options, "-r", file]
        told = subprocess.run(command, capture_output=True, text=True)
        if UNASKED.search(told.stdout + told.stderr) and "Fix Versions" not in told.stdout:
            print(f"audit of {file.name}: skipped, no advisory database can be reached")
            continue
        print(told.stdout + told.stderr)
        status = max(status, told.returncode)
    return status


def main(task: str) -> int:
    """Lock, or audit what is locked."""
    if task == "audit":
        return audit()
    write_locks()
    write_inventory()
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

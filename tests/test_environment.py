import re
import tomllib

from inbol_lib.paths import ROOT

INSTRUMENTS = ("refusals", "choices", "matching", "judging", "agreement", "metrics", "intervals", "selective", "score")
REPORTING = ("tables", "plots", "reports", "study", "claims", "paper", "archive", "illustrations")
SCALE = ("endpoints", "journal", "plan", "launch", "hub", "review", "unpacked")


def pins(text):
    return dict(re.findall(r"(?m)^\s*-?\s*([A-Za-z0-9_.-]+)==([\w.]+)", text))


def test_pyproject_lock_and_conda_agree():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    locked = {k.lower(): v for k, v in pins((ROOT / "requirements.lock").read_text()).items()} | pins(
        (ROOT / "environment.yml").read_text()
    )
    for line in project:
        name, _, version = line.partition("==")
        assert name.lower() in locked, f"{name} is not pinned"
        if version:
            assert locked[name.lower()] == version, name
    assert "-r requirements.lock" in (ROOT / "environment.yml").read_text()


def test_the_lock_names_versions_alone():
    lines = (ROOT / "requirements.lock").read_text().split()
    assert all(re.fullmatch(r"[\w.\[\]-]+==[\w.+!]+", line) for line in lines)
    assert not [line for line in lines if line.startswith(("nvidia", "triton"))]


def test_the_library_stays_thin():
    """Four budgets: the measuring instruments, which serve any responses; tables, figures and claims; what only large
    studies need (and hands: reviewing); and the method itself."""
    lines = {file.stem: len(file.read_text().splitlines()) for file in (ROOT / "inbol_lib").glob("*.py")}
    groups = [{name: lines.pop(name, 0) for name in group} for group in (INSTRUMENTS, REPORTING, SCALE)]
    for budget, part in zip((2300, 1000, 1300, 950), (lines, *groups), strict=True):
        assert sum(part.values()) <= budget, (sum(part.values()), sorted(part.items(), key=lambda entry: -entry[1]))

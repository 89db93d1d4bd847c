"""The environment: all three ways to set it up pin the same versions."""

import re
import tomllib

from inbol_lib.paths import ROOT


def pins(text):
    return dict(re.findall(r"(?m)^\s*-?\s*([A-Za-z0-9_.-]+)==([\w.]+)", text))


def test_pyproject_lock_and_conda_agree():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    conda = (ROOT / "environment.yml").read_text()
    locked = pins((ROOT / "requirements.lock").read_text())
    locked = {name.lower(): version for name, version in locked.items()} | pins(conda)
    for line in project:
        name, _, version = line.partition("==")
        assert name.lower() in locked, f"{name} is not pinned"
        if version:
            assert locked[name.lower()] == version, name
    assert "-r requirements.lock" in conda


def test_the_lock_pins_what_the_tests_import():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    locked = pins((ROOT / "requirements.lock").read_text())
    tools = [line.partition("[")[0] for line in project["optional-dependencies"]["dev"]]
    assert set(tools) | {"grimp"} <= set(locked)


def test_the_lock_names_versions_alone():
    lines = (ROOT / "requirements.lock").read_text().split()
    assert all(re.fullmatch(r"[\w.\[\]-]+==[\w.+!]+", line) for line in lines)
    assert not [line for line in lines if line.startswith(("nvidia", "triton"))]

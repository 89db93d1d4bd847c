"""The environment: all ways to set it up pin the same versions and files, and all are listed."""

import json
import re
import tomllib
from importlib import metadata

import lock
import pytest

PROJECT = tomllib.loads((lock.ROOT / "pyproject.toml").read_text())
LOCKS = (lock.LOCK, lock.CUDA_LOCK, lock.CPU_LOCK, *lock.EXTRAS.values(), lock.TOOLS)


def locked():
    """What can be installed into the environment, with and without the extras."""
    return lock.versions(lock.kept(lock.LOCK, lock.CUDA_LOCK, *lock.EXTRAS.values()))


def asked():
    """The requirements of the project, of its development and of its extras."""
    more = PROJECT["project"]["optional-dependencies"].values()
    return [*PROJECT["project"]["dependencies"], *(line for lines in more for line in lines)]


def test_pyproject_lock_and_conda_agree():
    pinned = locked()
    for line in asked():
        name, _, version = re.sub(r"\[.*?\]", "", line).partition("==")
        assert name in pinned, f"{name} is not pinned"
        assert version in ("", pinned[name]), name
    conda = (lock.ROOT / "environment.yml").read_text()
    assert re.findall(r"-r (\S+)", conda) == ["requirements-cuda.lock", "requirements.lock"]
    assert "--require-hashes" in conda


def test_torch_comes_in_two_builds_of_one_version():
    (cpu,) = lock.entries(lock.CPU_LOCK.read_text())
    assert lock.versions(cpu)["torch"] == locked()["torch"] + "+cpu"
    assert lock.hashes(cpu) == set(lock.CPU_WHEELS.values())
    assert all(f"-{lock.versions(cpu)['torch']}-" in wheel for wheel in lock.CPU_WHEELS)
    assert "torch" not in lock.versions(lock.LOCK.read_text())


@pytest.mark.parametrize("file", LOCKS, ids=lambda file: file.name)
def test_every_locked_package_has_its_files_hashes_and_nothing_else(file):
    text = file.read_text()
    assert lock.entries(text)
    rest = text
    for entry in lock.entries(text):
        assert re.match(r"[\w.\[\],-]+==[\w.+!]+(?= ;| \\\n)", entry), entry
        assert lock.hashes(entry), f"{lock.name_of(entry)} has no hash"
        rest = rest.replace(entry, "")
    assert all(line.startswith("#") for line in rest.split("\n") if line), "no index, no address"


def test_extras_add_to_the_environment_and_change_nothing_in_it():
    own = set(lock.versions(lock.kept(lock.LOCK, lock.CUDA_LOCK)))
    for extra, file in lock.EXTRAS.items():
        added = set(lock.versions(file.read_text()))
        assert not added & own, extra
        wanted = PROJECT["project"]["optional-dependencies"][extra]
        assert {lock.name_of(line) for line in wanted} <= added, extra


def test_cuda_s_libraries_come_with_torch_alone():
    names = lock.versions(lock.LOCK.read_text())
    assert [name for name in names if lock.FOR_CUDA.match(name)] == []


def test_the_inventory_lists_what_is_locked():
    listed = json.loads(lock.INVENTORY.read_text())
    assert listed["bomFormat"] == "CycloneDX"
    assert {one["name"]: one["version"] for one in listed["components"]} == locked()
    for one in listed["components"]:
        assert one["purl"] == f"pkg:pypi/{one['name']}@{one['version']}"


def test_what_is_installed_is_what_is_locked():
    installed = {one.name: one.version for one in metadata.distributions()}
    installed = {re.sub(r"[-_.]+", "-", name).lower(): v for name, v in installed.items()}
    other = {
        name: (installed[name], version)
        for name, version in locked().items()
        if installed.get(name, version).partition("+")[0] != version and name != "setuptools"
    }
    assert other == {}


def test_an_advisory_database_that_is_out_of_reach_is_told_from_a_finding():
    assert lock.UNASKED.search("Dependency not found on PyPI and could not be audited: x (1.0)")
    assert not lock.UNASKED.search("Found 1 known vulnerability in 1 package\nFix Versions")

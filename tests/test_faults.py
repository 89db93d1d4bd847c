"""Every planted fault still has its place in the source, and a test that is there."""

import ast
import re
from collections import Counter

import faults
import planted
import pytest

from inbol_lib.paths import ROOT


@pytest.mark.parametrize("fault", planted.FAULTS, ids=lambda fault: fault.name)
def test_a_fault_can_be_planted_at_one_place(fault):
    changed = fault.planted((ROOT / fault.file).read_text())
    if fault.file.endswith(".py"):
        ast.parse(changed)
    assert fault.tests
    assert all((ROOT / test).is_file() for test in fault.tests.split())


def test_a_fault_whose_place_is_gone_is_refused():
    fault = planted.FAULTS[0]
    with pytest.raises(ValueError, match="0 places"):
        fault.planted("")
    with pytest.raises(ValueError, match="2 places"):
        fault.planted(fault.old * 2)
    with pytest.raises(ValueError, match="changes nothing"):
        fault._replace(new=fault.old).planted(fault.old)


def test_faults_have_names_of_their_own():
    names = Counter(fault.name for fault in planted.FAULTS)
    assert max(names.values()) == 1
    assert len(names) >= 40


def test_the_table_lists_every_fault_and_none_survives():
    text = faults.README.read_text()
    rows = re.findall(r"(?m)^\| ([^|]+) \| [^|]+ \| ([^|]+) \| \d+ \|$", text)
    assert [name for name, _ in rows] == [fault.name for fault in planted.FAULTS]
    for name, red in rows:
        file, _, test = red.partition(" ")
        assert red != "**nothing**", f"{name}: no test sees it"
        assert f"def {test}(" in (ROOT / "tests" / file).read_text() or "(import)" in red, name


def test_a_row_is_written_and_the_others_stay():
    one, other = planted.FAULTS[:2]
    found = [faults.Seen(fault, ["tests/x.py::test_y[1]"], 2.4, 1) for fault in (one, other)]
    text = faults.written(f"a {faults.START}{faults.END} b", found)
    assert text.startswith("a ")
    assert text.endswith(" b")
    again = faults.written(text, [faults.Seen(other, [], 7.0, 0)])
    assert f"| {one.name} | {one.file.removeprefix('inbol_lib/')} | x.py test_y | 2 |" in again
    assert f"| {other.name} | {other.file.removeprefix('inbol_lib/')} | **nothing** | 7 |" in again

"""The house rules: what keeps the library readable, checked."""

import ast
import re

from importlinter import cli

from inbol_lib import paths
from inbol_lib.paths import ROOT

LIBRARY = ROOT / "inbol_lib"
MODULES = sorted(LIBRARY.rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
TEST_FILES = [file for file in TESTS if file.name.startswith("test_")]
ROOMS = sorted(file.parent for file in LIBRARY.rglob("__init__.py"))
#: columns of a line
WIDTH = 100


def name_of(path):
    return str(path.relative_to(ROOT))


def test_rooms_import_one_way_only(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    assert cli.lint_imports(no_cache=True, no_logo=True) == 0, capsys.readouterr().out


def test_every_module_and_every_room_says_what_lives_in_it():
    for file in MODULES:
        doc = ast.get_docstring(ast.parse(file.read_text())) or "(nothing)"
        first = doc.splitlines()[0]
        assert re.fullmatch(r"(?!TODO).+[.?]", first), f"{name_of(file)}: {first}"


def test_no_line_is_too_long():
    long = []
    for file in [*MODULES, *TESTS, ROOT / "Snakefile", *sorted(paths.PARAMS.rglob("*.yaml"))]:
        for number, line in enumerate(file.read_text().splitlines(), 1):
            if len(line) > WIDTH:
                long.append(f"{name_of(file)}:{number}")
    assert long == []


def test_the_formatter_is_rarely_told_to_keep_out():
    lines = [line for file in [*MODULES, *TESTS] for line in file.read_text().splitlines()]
    assert len([line for line in lines if line.endswith("# fmt: skip")]) <= 10


def imported(node):
    """The modules that a statement imports; none if it is not an import."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [node.module or "."]
    return []


def late_imports(tree):
    """Yield every import of the library's own modules inside a function."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for node in ast.walk(function):
                if any(name.startswith(("inbol_lib", ".")) for name in imported(node)):
                    yield node


def test_an_import_inside_a_function_says_why():
    """A comment stands on its lines or on the line above."""
    silent = []
    for file in MODULES:
        lines = file.read_text().splitlines()
        for node in late_imports(ast.parse(file.read_text())):
            around = lines[node.lineno - 2 : node.end_lineno]
            if not any("# " in line for line in around):
                silent.append(f"{name_of(file)}:{node.lineno}")
    assert silent == []


def test_a_folder_holds_at_most_ten_modules():
    sizes = {name_of(room): len(list(room.glob("*.py"))) for room in ROOMS}
    assert {name: size for name, size in sizes.items() if size > 10} == {}


def test_the_ground_floor_has_at_most_eleven_rooms():
    folders = {file.relative_to(LIBRARY).parts[0] for file in MODULES if file.parent != LIBRARY}
    assert len(folders) <= 11
    assert folders == {room.name for room in ROOMS if room.parent == LIBRARY}


def test_test_files_are_short_and_have_names_of_their_own():
    sizes = {name_of(file): len(file.read_text().splitlines()) for file in TEST_FILES}
    assert {name: size for name, size in sizes.items() if size > 350} == {}
    assert len({file.name for file in TEST_FILES}) == len(TEST_FILES)


def variables(files):
    """The environment variables of the project that files mention."""
    text = "".join(file.read_text() for file in files)
    return set(re.findall(r"\bINBOL_[A-Z_]+\b", text))


def test_the_table_of_environment_variables_is_complete():
    rows = [line.split()[0] for line in paths.__doc__.splitlines() if line.strip()]
    assert variables(MODULES) <= set(rows)

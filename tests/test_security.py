"""Nothing runs what it reads: no code in data, no foreign shell, no open door."""

import ast
import json
import re

import pytest

from inbol_lib.paths import NOTEBOOKS, ROOT

#: modules whose files run code when they are read
CODE_IN_DATA = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
#: calls that run text as code or as a shell's command, or name a file that others may make
RUNS_TEXT = {"eval", "exec", "compile", "os.system", "os.popen", "tempfile.mktemp"}
#: readers of pandas, NumPy and YAML that run what they read
UNSAFE_READERS = {"read_pickle", "to_pickle", "unsafe_load", "full_load"}
#: keyword -> the only value that it may have
KEYWORDS = {"shell": False, "trust_remote_code": False, "allow_pickle": False, "verify": True}
EVERYWHERE = re.compile(r"0\.0\.0\.0|::0")
#: (file, finding) -> why it may stay
ALLOWED = {
    ("inbol_lib/values.py", "yaml.load"): "its loader is a SafeLoader, checked below",
    ("tests/mllm/test_architecture_notebooks.py", "exec"): "runs the project's own cells",
    ("tests/mllm/test_architecture_notebooks.py", "compile"): "the same",
    ("tests/data/test_folder.py", "shell="): "runs the command that a message of ours advises",
}


def dotted(node):
    """The name that an expression spells out, such as "os.system"."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def of_import(node):
    """Yield modules that are imported and hold code in data."""
    names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
    names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
    yield from (name for name in names if name.split(".")[0] in CODE_IN_DATA)


def of_call(node):
    """Yield what is wrong with a call."""
    name = dotted(node.func)
    if name in RUNS_TEXT or name.rpartition(".")[2] in UNSAFE_READERS or name == "yaml.load":
        yield name
    given = {keyword.arg: keyword.value for keyword in node.keywords}
    if name == "torch.load" and getattr(given.get("weights_only"), "value", None) is not True:
        yield name
    for key, safe in KEYWORDS.items():
        if key in given and getattr(given[key], "value", None) is not safe:
            yield f"{key}="


def findings(source):
    """Return everything in a source that runs what it reads, or listens to everybody."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            found += of_import(node)
        elif isinstance(node, ast.Call):
            found += of_call(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found += ["every address"] if EVERYWHERE.fullmatch(node.value) else []
    return found


def listening(source):
    """Return the addresses at which a source lets servers listen; None for one not spelled out."""
    for node in ast.walk(ast.parse(source)):
        serving = isinstance(node, ast.Call) and re.search(r"(Server|\.bind)$", dotted(node.func))
        if serving and isinstance(node.args[0], ast.Tuple):
            yield getattr(node.args[0].elts[0], "value", None)


def sources():
    """Yield (name, source) of every module, test, and cell of code."""
    for file in [*(ROOT / "inbol_lib").rglob("*.py"), *(ROOT / "tests").rglob("*.py")]:
        yield str(file.relative_to(ROOT)), file.read_text()
    yield "notebooks/conftest.py", (NOTEBOOKS / "conftest.py").read_text()
    for book in sorted(NOTEBOOKS.glob("*.ipynb")):
        for number, cell in enumerate(json.loads(book.read_text())["cells"]):
            if cell["cell_type"] == "code":
                yield f"{book.name}, cell {number}", "".join(cell["source"])


def test_nothing_runs_what_it_reads_and_nothing_listens_to_everybody():
    found = {(name, finding) for name, source in sources() for finding in findings(source)}
    assert found - set(ALLOWED) == set(), "mend it, or allow it with a reason"
    assert set(ALLOWED) - found == set(), "allowed, but no longer there"


def test_servers_listen_on_this_machine_alone():
    hosts = [(name, host) for name, source in sources() for host in listening(source)]
    assert hosts, "the tests have servers"
    assert {host for _, host in hosts} == {"127.0.0.1"}, hosts


def test_the_server_of_kernels_has_no_address_in_a_network():
    from inbol_lib.study.kernels import messages

    with messages.new_socket() as socket:
        assert socket.family.name == "AF_UNIX"
    assert messages.address("x") == "\0x", "no file, no port: Linux's own names"


def test_the_snakefile_hands_a_shell_words_that_are_quoted():
    text = (ROOT / "Snakefile").read_text()
    assert not re.search(r"\b(eval|exec|pickle|os\.system)\b", text)
    shells = re.findall(r"shell:\s*\"(.*)\"", text)
    assert shells == ["python -m inbol_lib.run {params.command} --plain"]
    assert "return shlex.join(words)" in text


def test_yaml_makes_plain_values_alone():
    import yaml

    from inbol_lib import values

    assert issubclass(values._Loader, yaml.SafeLoader)
    with pytest.raises(ValueError, match="python/object"):
        values.read_value("!!python/object/apply:os.system ['true']")


@pytest.mark.parametrize(
    ("source", "finding"),
    [
        ("import pickle", "pickle"),
        ("from joblib import load", "joblib"),
        ("eval('1')", "eval"),
        ("import os\nos.system('ls')", "os.system"),
        ("pd.read_pickle('x')", "pd.read_pickle"),
        ("subprocess.run('ls', shell=True)", "shell="),
        ("torch.load('x')", "torch.load"),
        ("torch.load('x', weights_only=False)", "torch.load"),
        ("AutoModel.from_pretrained('x', trust_remote_code=True)", "trust_remote_code="),
        ("np.load('x', allow_pickle=True)", "allow_pickle="),
        ("yaml.load('x', Loader)", "yaml.load"),
        ("serve(host='0.0.0.0')", "every address"),
    ],
)
def test_the_check_finds_what_it_looks_for(source, finding):
    assert findings(source) == [finding]


def test_the_check_leaves_the_harmless_alone():
    safe = "model.eval()\ntorch.load('x', weights_only=True)\nrun(shell=False)\nre.compile('x')"
    assert findings(safe) == []

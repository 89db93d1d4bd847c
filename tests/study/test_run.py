import ast
import re

import nbformat
import pytest
from accelerate.commands.config.config_args import ClusterConfig, load_config_from_file
from builders import question_folder
from trl import SFTTrainer

from inbol_lib import params, paths
from inbol_lib.data.records import save_table
from inbol_lib.micro import world
from inbol_lib.mllm import loading
from inbol_lib.study import graph, launch, question_pools, running, stages
from inbol_lib.training import idk_it


@pytest.mark.parametrize("name", ["tour", "00_tour", "00", "notebooks/00_tour.ipynb"])
def test_a_notebook_goes_by_many_names(name):
    assert running.stage_of(name) == "tour"


def test_parameters_are_read_as_yaml_in_both_spellings():
    assert running.overrides([["seed", "1"], ["beta=0.5"], ["sources", "[vqav2]"]]) == {
        "seed": 1,
        "beta": 0.5,
        "sources": ["vqav2"],
    }


@pytest.mark.parametrize(
    "arguments",
    [
        ["nope"],
        ["tour", "-p", "seeds=1"],
        ["tour", "-p", "nope=1"],
        ["tour", "-f", "nope"],
        ["confidence", "-p", "dataset=folder:/does/not/exist"],
        ["01", "-p", "model", "micro-xl"],
        ["01", "-p", "seed"],
        ["06", "--train"],
    ],
)
def test_bad_input_stops_before_a_kernel_starts(arguments, runs, capsys):
    assert running.main(arguments) == 2
    assert capsys.readouterr().err.strip()
    assert not runs.exists()


GENERATOR = "unanswerable_generator=micro-s"


@pytest.mark.parametrize(
    ("stage", "asked", "named"),
    [
        ("confidence", [], ""),
        ("tour", [], ""),
        ("unanswerable", [GENERATOR], ""),
        ("unanswerable", ["verifier=program", GENERATOR], "verifier: "),
        ("paper_vs_ours", [], "unanswerable_generator: "),
        ("composition", ["verifier=program"], "unanswerable_generator, verifier: "),
    ],
)
def test_the_program_is_refused_on_a_folder_wherever_it_would_be_asked(
    stage, asked, named, tmp_path, monkeypatch, capsys
):
    question_folder(tmp_path, pictures=2)
    monkeypatch.setattr(graph, "missing", lambda *_: [])
    monkeypatch.setattr(stages, "execute", lambda *_: "executed")
    arguments = [stage, "--plain"]
    for setting in [f"dataset=folder:{tmp_path}", *asked]:
        arguments += ["-p", setting]
    code = running.main(arguments)
    said = capsys.readouterr()
    assert (code, said.out.strip()) == ((2, "") if named else (0, "executed"))
    assert said.err.startswith(named)
    assert ("program only knows the micro world" in said.err) == bool(named)


def test_a_relative_data_folder_is_found_from_where_the_user_stands(
    tmp_path, monkeypatch, runs, capsys
):
    mine = tmp_path / "mine"
    mine.mkdir()
    question_folder(mine)
    monkeypatch.chdir(tmp_path)
    p = params.load("smoke", dataset="folder:mine")
    assert p == params.load("smoke", dataset=f"folder:{mine}") == p.replace(seed=p.seed)
    monkeypatch.chdir("/")  # a kernel or a job of a cluster stands elsewhere
    assert question_pools.load(p, "mine", "train", 5)["id"] == ["train"]
    assert p.replace(beta=0.2).dataset == f"folder:{mine}"
    assert running.main(["01", "-p", "dataset=folder:mine"]) == 2
    assert "/mine/questions.jsonl does not exist" in capsys.readouterr().err


def test_a_training_alone_is_found_finished_by_its_notebook(tiny, runs, smoke, monkeypatch):
    rows = world.questions("vqav2", "train", 24)
    table = rows.select_columns(["image"]).add_column("prompt", rows["question"])
    table = table.add_column("response", [answers[0] for answers in rows["answers"]])
    p = smoke.replace(model=str(tiny[2]), test_model=str(tiny[2]), batch_size=8)
    composition = stages.open("composition", p)
    save_table(table, composition.folder / "instructions_idk_it.parquet")
    composition.save({})
    made = launch.train("idk_it", p)
    assert not graph.complete("idk_it", p)
    files = [made / "adapter" / "adapter_model.safetensors", made / "history.csv"]
    trained = [file.read_bytes() for file in files]

    monkeypatch.setattr(SFTTrainer, "training_step", lambda *_: pytest.fail("trained again"))
    idk_it.train(p, *loading.load(p.model), table, made)  # what the notebook does
    assert [file.read_bytes() for file in files] == trained


@pytest.mark.parametrize("name", ["fsdp", "deepspeed_zero2"])
def test_accelerate_reads_its_configurations(name):
    file = paths.PARAMS / "accelerate" / f"{name}.yaml"
    config = load_config_from_file(str(file))  # refuses keys that it does not know
    assert isinstance(config, ClusterConfig)
    assert config.num_processes == 4
    assert params.load("llava-1.5-13b").batch_size % config.num_processes == 0


IMPORT = re.compile(r"(import|from) ")


@pytest.mark.parametrize("stage", graph.NOTEBOOKS)
def test_notebooks_keep_their_contract(stage):
    book = nbformat.read(paths.NOTEBOOKS / f"{graph.NOTEBOOKS[stage]}.ipynb", 4)
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    tagged = [cell for cell in code if "parameters" in cell.metadata.get("tags", [])]
    assert len(tagged) == 1
    exercises = {"exercise", "solution"}
    assert len([cell for cell in code if not exercises & set(cell.metadata.get("tags", []))]) <= 20
    for cell in code:
        if cell is not tagged[0]:
            lines = [line for line in cell.source.splitlines() if not IMPORT.match(line)]
            assert len(lines) <= 12, cell.source
    outputs = [output for cell in code for output in cell.outputs]
    assert outputs, "without stored outputs nbval proves nothing"
    assert not any(output.output_type == "error" for output in outputs)
    assert any("NBVAL_CHECK_OUTPUT" in cell.source for cell in code)
    assert "widgets" not in book.metadata, "the state of progress bars hides what a change changed"


@pytest.mark.parametrize("stage", graph.NOTEBOOKS)
def test_notebook_defaults_are_demo_s(stage):
    book = nbformat.read(paths.NOTEBOOKS / f"{graph.NOTEBOOKS[stage]}.ipynb", 4)
    cell = next(cell for cell in book.cells if "parameters" in cell.metadata.get("tags", []))
    demo = params.load("demo").model_dump()
    given = {}
    for line in cell.source.splitlines()[1:]:
        name, value = line.split("  # ")[0].split(" = ", 1)
        given[name] = ast.literal_eval(value)
        assert "  # " in line, line
    assert given == {name: demo[name] for name in given}
    assert given

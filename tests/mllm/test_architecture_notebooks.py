"""Three families of models go through notebooks 01 to 06 from folders on disk."""

import json
import os
from importlib.util import find_spec

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from families import SMALL, qwen2_5_vl
from papermill.engines import Engine, papermill_engines

from inbol_lib.mllm import loading
from inbol_lib.study import running


class Here(Engine):
    """Runs a notebook's cells in this process.

    A kernel's start would take longer than the stage. INBOL_KERNELS=1 starts kernels.
    """

    @classmethod
    def execute_managed_notebook(cls, nb_man, kernel_name, **kwargs):
        scope = {}
        for cell in nb_man.nb.cells:
            if cell.cell_type == "code":
                exec(compile(cell.source, "cell", "exec"), scope)
        plt.close("all")


@pytest.mark.filterwarnings("ignore")
def test_notebooks_01_to_06_take_a_folder(saved, runs, monkeypatch, capsys):
    name, folder = saved
    plt.switch_backend("agg")
    if not os.environ.get("INBOL_KERNELS"):
        monkeypatch.setitem(papermill_engines._engines, None, Here)
    given = {**SMALL, "model": str(folder), "test_model": str(folder)}
    pairs = [word for key, value in given.items() for word in ("-p", key, json.dumps(value))]
    assert running.main(["06_evaluation", "-f", "smoke", *pairs, "--ensure"]) == 0
    stages = ("confidence", "unanswerable", "composition", "idk_it", "ca_dpo", "evaluation")
    made = {file.parts[-3]: json.loads(file.read_text()) for file in runs.glob("*/*/metrics.json")}
    assert sorted(made) == sorted(stages)
    kinds = made["composition"]["preferences"]
    assert min(kinds["known"], kinds["mixed"], kinds["unknown"]) > 0
    table = pd.read_parquet(next(runs.glob("evaluation/*/outcomes.parquet")))
    assert set(table.method) == {"original", "ca_dpo"}
    assert len(table) == 2 * made["evaluation"]["questions"]
    assert set(table.outcome) <= {"correct", "refusal", "incorrect"}
    assert (table[(table.method == "original") & table.answerable].outcome == "correct").any()


@pytest.mark.skipif(find_spec("torchvision") is not None, reason="torchvision is installed")
def test_what_qwen_s_own_processor_lacks_is_named(tmp_path):
    config, processor = qwen2_5_vl()
    for part in (config, processor.tokenizer, processor.image_processor):
        part.save_pretrained(tmp_path)
    (tmp_path / "processor_config.json").write_text('{"processor_class": "Qwen2_5_VLProcessor"}')
    with pytest.raises(ImportError, match="requires the Torchvision library"):
        loading.load(str(tmp_path))

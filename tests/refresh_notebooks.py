"""Run every notebook with its own parameters, and store what it shows: `make notebooks`.

Notebooks run in their order in one folder of fresh artefacts, as a reader of them would; what
depends on the machine alone (times, the state of progress bars) is not stored.
"""

import os
import re
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from tqdm import tqdm

from inbol_lib import paths
from inbol_lib.study.kernels import AsyncForkingManager, serving

#: the name of a styled table
STYLED = re.compile(r"\bT_[0-9a-f]{5}(?=[_\"\s])")


def executed(book: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Return the notebook with the outputs of a fresh run; raises nbclient's errors."""
    with tempfile.TemporaryDirectory() as sockets:
        client = NotebookClient(
            book,
            timeout=None,
            kernel_name="python3",
            kernel_manager_class=AsyncForkingManager,
            resources={"metadata": {"path": str(paths.NOTEBOOKS)}},
            record_timing=False,
            store_widget_state=False,
        )
        client.create_kernel_manager()
        client.km.transport, client.km.ip = "ipc", f"{sockets}/kernel"
        client.execute()
    return book


def cleaned(book: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Return the notebook without what libraries say on standard error.

    The names that pandas draws by chance for styled tables are numbered, so that they stay.
    """
    for place, cell in enumerate(book.cells):
        if cell.cell_type == "code":
            cell.outputs = [out for out in cell.outputs if out.get("name") != "stderr"]
            for number, out in enumerate(cell.outputs):
                if "text/html" in out.get("data", {}):
                    named = f"T_{place:03}{number:02}"
                    out.data["text/html"] = STYLED.sub(named, out.data["text/html"])
    book.metadata.pop("widgets", None)
    return book


def refresh(file: Path) -> None:
    """Run a notebook, and store what it shows in its place."""
    book = cleaned(executed(nbformat.read(file, nbformat.NO_CONVERT)))
    unfinished = Path(f"{file}.new")
    nbformat.write(book, unfinished)
    unfinished.replace(file)


def main(names: list[str]) -> None:
    """Refresh the notebooks whose names begin with one of `names`; all without any."""
    files = sorted(paths.NOTEBOOKS.glob("*.ipynb"))
    wanted = [file for file in files if not names or file.name.startswith(tuple(names))]
    with tempfile.TemporaryDirectory() as runs:
        quiet = {"INBOL_QUIET": "1", "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
        os.environ.update(quiet | {"INBOL_RUNS": os.environ.get("INBOL_RUNS") or runs})
        with serving():
            for file in tqdm(wanted, "notebooks"):
                refresh(file)


if __name__ == "__main__":
    main(sys.argv[1:])

"""Where things lie, and which environment variables the library reads.

No path depends on the working directory of a kernel or a shell.

====================  =====================================================  ==================
Variable              Meaning                                                Default
====================  =====================================================  ==================
INBOL_RUNS            folder of all artefacts                                runs/
INBOL_REVIEWS         folder of the decisions made in reviews                params/reviews/
INBOL_DEVICE          where models run: cpu, cuda, cuda:1, ...               a GPU if there is
                                                                             one, else the CPU
INBOL_THREADS         PyTorch's CPU threads in a stage; another number may   1
                      change the last digits of a result
INBOL_QUIET           any value hides progress bars and the live table of a  unset
                      run, as CI does
INBOL_REQUEST_LIMIT   most requests that a stage sends to endpoints          no limit
                      (`inbol run --limit`)
INBOL_DRY_RUN         any value: show what an endpoint would be asked and    unset
                      send nothing (`inbol run --dry-run`)
INBOL_CONCURRENCY     requests to an endpoint at a time                      8
INBOL_TIMEOUT         seconds after which a request has failed               300
INBOL_PRICE           US dollars for a million prompt tokens and a million   unset: no prices
                      completion tokens, such as "2.5 10"
OPENAI_BASE_URL       address of the endpoints' server                       OpenAI's
OPENAI_API_KEY        key for that server; any word for a local one          unset
HF_HUB_OFFLINE        1 keeps Hugging Face libraries from the network; the   1 under `make`
                      Makefile and the tests set it
WORLD_SIZE            processes of a training; `accelerate launch` sets it   1
INBOL_KERNEL_SERVER   socket of the process that forks kernels;              unset: none is
                      `python -m inbol_lib.study.kernels` sets it            forked
INBOL_KERNELS         any value: tests/mllm runs notebooks in real kernels   unset
====================  =====================================================  ==================
"""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: the profile whose results the README shows
PUBLISHED = "micro-full"
NOTEBOOKS = ROOT / "notebooks"
PARAMS = ROOT / "params"
#: the packaged models
WEIGHTS = Path(__file__).resolve().parent / "micro" / "weights"


def runs() -> Path:
    """Return the folder of artefacts: INBOL_RUNS, or `runs/`."""
    return Path(os.environ.get("INBOL_RUNS") or ROOT / "runs").resolve()


def figures(profile: str, dataset: str = "micro") -> Path:
    """Return the folder to which notebook 09 writes its tables and figures.

    It is `figures/` for the profile that the README shows, a folder in it for any other profile,
    and a folder under `runs()` for smoke and demo, whose results mean little, and for a folder of
    one's own data, whose results are not the study's.
    """
    if dataset.startswith("folder:"):
        return runs() / f"figures-{Path(dataset).name}-{profile}"
    if profile in ("smoke", "demo"):
        return runs() / f"figures-{profile}"
    if profile == PUBLISHED:
        return ROOT / "figures"
    return ROOT / "figures" / profile

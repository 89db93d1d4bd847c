"""Several processes train one model: each takes a part of every batch, and gradients are summed.

Small matrices leave a second core idle; a second process does not.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
import torch.multiprocessing
from torch import distributed, nn


def part() -> tuple[int, int]:
    """Return the number of this process, from zero on, and how many there are."""
    if not distributed.is_initialized():
        return 0, 1
    return distributed.get_rank(), distributed.get_world_size()


def total(values: torch.Tensor) -> torch.Tensor:
    """Return the sum of a tensor over all processes."""
    if distributed.is_initialized():
        values = values.clone()
        distributed.all_reduce(values)
    return values


def sum_gradients(module: nn.Module) -> None:
    """Replace each gradient of a module by its sum over all processes.

    A weight that only some processes have used counts as zero in the others.
    """
    if not distributed.is_initialized():
        return
    weights = list(module.parameters())
    flat = [torch.zeros_like(w) if w.grad is None else w.grad for w in weights]
    used = total(torch.tensor([float(w.grad is not None) for w in weights]))
    summed = total(torch.cat([gradient.flatten() for gradient in flat]))
    for weight, gradient, users in zip(
        weights, summed.split([w.numel() for w in weights]), used, strict=True
    ):
        weight.grad = gradient.view_as(weight).clone() if users else None


def launch(train: Callable[..., None], *args: object, processes: int = 2) -> None:
    """Call `train(*args)` in each of several processes that see each other.

    Each computes with one thread. An error in one of them ends all, and is raised here.
    """
    if processes == 1:
        train(*args)
        return
    with tempfile.TemporaryDirectory() as folder:
        meeting = (Path(folder) / "meeting").as_uri()
        torch.multiprocessing.start_processes(
            _join, (processes, meeting, train, args), nprocs=processes, start_method="spawn"
        )


def _join(rank: int, processes: int, meeting: str, train: Callable[..., None], args: tuple) -> None:
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", meeting, world_size=processes, rank=rank)
    try:
        train(*args)
    finally:
        distributed.destroy_process_group()

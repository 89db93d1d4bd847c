"""Checkpoints of a pretraining, so that one that is cut goes on instead of beginning again."""

import os
from pathlib import Path

import torch
from torch import nn


def keep(
    path: Path,
    recipe: dict,
    step: int,
    log: list[dict],
    model: nn.Module,
    opts: list[torch.optim.Optimizer],
) -> None:
    """Write a checkpoint; a reader finds the old one or the new one, never half of it.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    recipe : dict
        What the training follows from.
    step : int
        Number of steps that are done.
    log : list of dict
        Validation so far.
    model : torch.nn.Module
        The model.
    opts : list of torch.optim.Optimizer
        Its optimizers.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {
        "recipe": recipe,
        "step": step,
        "log": log,
        "model": model.state_dict(),
        "optimizers": [opt.state_dict() for opt in opts],
    }
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def restore(
    path: Path, recipe: dict, model: nn.Module, opts: list[torch.optim.Optimizer]
) -> tuple[int, list[dict]]:
    """Load a checkpoint into a model and its optimizers, if there is one.

    Returns
    -------
    tuple of int and list of dict
        Number of steps that are done, and the validation so far; 0 and an empty list without a
        checkpoint.

    Raises
    ------
    ValueError
        If the checkpoint belongs to another recipe.
    """
    if not path.exists():
        return 0, []
    state = torch.load(path, weights_only=True)
    if state["recipe"] != recipe:
        raise ValueError(
            f"{path} is the checkpoint of {state['recipe']}, not of {recipe}; "
            "delete it to begin anew"
        )
    model.load_state_dict(state["model"])
    for opt, saved in zip(opts, state["optimizers"], strict=True):
        opt.load_state_dict(saved)
    return state["step"], state["log"]

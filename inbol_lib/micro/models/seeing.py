"""A vision tower learns to see before the language model learns to speak, as LLaVA's has (CLIP).

The world knows what each picture shows, so the tower is taught directly: linear heads read from
its tokens what lies in each cell of the grid, or what flag, chart or sign it is. The heads are
thrown away afterwards. Every picture so gives feedback about everything in it, which captions give
only through a language model that cannot speak yet.
"""

from collections.abc import Sequence

import torch
from PIL import Image
from torch import nn
from torch.nn import functional
from tqdm import trange
from transformers import LlavaForConditionalGeneration
from transformers.image_processing_utils import BaseImageProcessor

from inbol_lib.micro.models import together
from inbol_lib.micro.models.optimization import optimizers, schedule, set_learning_rate, update
from inbol_lib.micro.world.drawing import render
from inbol_lib.micro.world.entities import COLOURS, EMBLEMS, LAYOUTS
from inbol_lib.micro.world.randomness import rng_of
from inbol_lib.micro.world.scenes import PATTERNS, SHAPES, TALLEST, Scene, scene_of

IGNORE = -100
CELLS, PATCHES, SIDE = 9, 36, 6
_COLOUR_NAMES = tuple(COLOURS)
#: What a head tells about each cell -> number of classes.
OF_CELLS = {
    "shape": 2 + len(SHAPES),  # nothing, a digit, or a shape
    "colour": len(COLOURS),
    "pattern": len(PATTERNS),
    "large": 2,
    "digit": 10,
}
#: What a head tells about the picture as a whole -> number of classes.
OF_PICTURES = {
    "kind": 5,
    "layout": len(LAYOUTS),
    **{f"band{number}": len(COLOURS) for number in range(3)},
    "emblem": len(EMBLEMS),
    "emblem_colour": len(COLOURS),
    **{f"bar{place}": 1 + len(COLOURS) for place in range(4)},
    **{f"height{place}": TALLEST for place in range(4)},
    "board": len(COLOURS),
    **{f"letter{place}": 26 for place in range(3)},
}
#: Kinds of pictures that the tower is shown; what is named twice is shown more often.
KINDS = (
    *["scene"] * 6,
    "free",
    "free",
    "pair",
    "sum",
    "sum",
    "chart",
    "sign",
    *["flag"] * 3,
    "far",
)


def targets(scene: Scene) -> tuple[dict[str, list[int]], dict[str, int]]:
    """Return what the heads should tell: for each cell, and for the picture.

    Classes that do not apply are `IGNORE`.
    """
    cells = {name: [IGNORE] * CELLS for name in OF_CELLS}
    whole = dict.fromkeys(OF_PICTURES, IGNORE)
    if scene.country:
        whole |= {"kind": 1, "layout": LAYOUTS.index(scene.country.layout)}
        whole |= {f"band{k}": _colour(name) for k, name in enumerate(scene.country.colours)}
        whole["emblem"] = EMBLEMS.index(scene.country.emblem)
        if scene.things:
            whole["emblem_colour"] = _colour(scene.country.emblem_colour)
    elif scene.bars:
        whole["kind"] = 2
        whole |= {f"bar{place}": 0 for place in range(4)}
        whole |= {f"bar{bar.cell}": 1 + _colour(bar.colour) for bar in scene.bars}
        whole |= {f"height{bar.cell}": bar.height - 1 for bar in scene.bars}
    elif scene.word:
        whole |= {"kind": 3, "board": _colour(scene.things[0].colour)}
        whole |= {f"letter{k}": ord(letter) - ord("A") for k, letter in enumerate(scene.word)}
    else:
        whole["kind"] = 0
        _see_objects(scene, cells)
    return cells, whole


def _colour(name: str) -> int:
    return _COLOUR_NAMES.index(name)


def _see_objects(scene: Scene, cells: dict[str, list[int]]) -> None:
    """Write what lies in each cell of a picture with objects."""
    cells["shape"][:] = [0] * CELLS
    for thing in scene.shown:
        if thing.shape == "digit":
            cells["shape"][thing.cell] = 1
            cells["digit"][thing.cell] = thing.digit
            continue
        cells["shape"][thing.cell] = 2 + SHAPES.index(thing.shape)
        cells["colour"][thing.cell] = _colour(thing.colour)
        cells["pattern"][thing.cell] = PATTERNS.index(thing.pattern)
        cells["large"][thing.cell] = int(thing.large)


class Heads(nn.Module):
    """Linear readers of a tower's tokens.

    Parameters
    ----------
    width : int
        Of the tower's tokens.
    """

    def __init__(self, width: int):
        super().__init__()
        self.of_cells = nn.Linear(4 * width, sum(OF_CELLS.values()))
        self.of_pictures = nn.Linear(PATCHES * width, sum(OF_PICTURES.values()))

    def forward(self, tokens: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return logits `(batch, classes)` of pictures and `(batch, cells, classes)` of cells.

        `tokens` has the shape `(batch, PATCHES, width)`, in reading order.
        """
        batch, _, width = tokens.shape
        grid = tokens.view(batch, 3, 2, 3, 2, width).permute(0, 1, 3, 2, 4, 5)
        cells = self.of_cells(grid.reshape(batch, CELLS, 4 * width))
        whole = self.of_pictures(tokens.reshape(batch, -1))
        logits = dict(zip(OF_CELLS, cells.split(list(OF_CELLS.values()), -1), strict=True))
        names = zip(OF_PICTURES, whole.split(list(OF_PICTURES.values()), -1), strict=True)
        return logits | dict(names)


def loss_of(logits: dict[str, torch.Tensor], scenes: Sequence[Scene]) -> torch.Tensor:
    """Return the sum over all heads of their mean cross-entropies (nats).

    Where several processes share a batch, the means are over the whole batch, and this is the
    part of these scenes.
    """
    seen = [targets(scene) for scene in scenes]
    wanted = {
        name: torch.tensor([both[name not in OF_CELLS][name] for both in seen]).flatten()
        for name in logits
    }
    counts = together.total(torch.tensor([(told != IGNORE).sum() for told in wanted.values()]))
    loss = torch.zeros(())
    for (name, predicted), count in zip(logits.items(), counts, strict=True):
        if count:
            flat = predicted.float().flatten(0, -2)
            summed = functional.cross_entropy(
                flat, wanted[name], ignore_index=IGNORE, reduction="sum"
            )
            loss = loss + summed / count
    return loss


def learn_to_see(
    net: LlavaForConditionalGeneration,
    image_processor: BaseImageProcessor,
    steps: int,
    batch: int = 96,
    lr: float = 2e-3,
    seed: int = 0,
) -> list[float]:
    """Train the vision tower of a model in place, and return the losses of all steps (nats).

    The tower's last layer, which LLaVA does not read, stays as it is.
    """
    tower = net.model.vision_tower
    learner = nn.ModuleDict({"tower": tower, "heads": Heads(tower.config.hidden_size)}).train()
    opts, losses = optimizers(learner, lr), []
    for step in trange(steps, desc="seeing", mininterval=10):
        set_learning_rate(opts, lr * schedule(step, steps))
        mine, processes = together.part()
        scenes = _scenes(step, batch, seed)[mine::processes]
        pixels = _pixels(image_processor, [render(scene) for scene in scenes])
        with torch.autocast("cpu", dtype=torch.bfloat16):
            hidden = tower(pixels, output_hidden_states=True).hidden_states[-2][:, 1:]
        loss = loss_of(learner["heads"](hidden.float()), scenes)
        loss.backward()
        together.sum_gradients(learner)
        torch.nn.utils.clip_grad_norm_(learner.parameters(), 1.0)
        update(opts)
        losses.append(float(together.total(loss.detach())))
    return losses


def _scenes(step: int, batch: int, seed: int) -> list[Scene]:
    kinds = rng_of("seeing", seed, step).choice(KINDS, batch)
    return [scene_of(f"{kind}:pretrain:see-{seed}.{step}-{i}") for i, kind in enumerate(kinds)]


def _pixels(image_processor: BaseImageProcessor, pictures: list[Image.Image]) -> torch.Tensor:
    return image_processor(pictures, return_tensors="pt")["pixel_values"]

"""The tower is taught what the world knows of its pictures."""

import pytest
import torch
from world_samples import RED_CIRCLE, scene

from inbol_lib.micro.models import architecture, pretrain, seeing
from inbol_lib.micro.world.entities import COLOURS, LAYOUTS
from inbol_lib.micro.world.scenes import SHAPES, scene_of


def test_objects_are_told_cell_by_cell():
    cells, whole = seeing.targets(scene(RED_CIRCLE))
    assert cells["shape"] == [2 + SHAPES.index("circle"), *[0] * 8]
    assert cells["colour"] == [list(COLOURS).index("red"), *[seeing.IGNORE] * 8]
    assert whole["kind"] == 0
    assert {value for name, value in whole.items() if name != "kind"} == {seeing.IGNORE}


def test_flags_charts_and_signs_are_told_as_a_whole():
    for kind, place in (("flag", 1), ("chart", 2), ("sign", 3)):
        shown = scene_of(f"{kind}:train:0")
        cells, whole = seeing.targets(shown)
        assert whole["kind"] == place
        assert {value for row in cells.values() for value in row} == {seeing.IGNORE}
        if kind == "flag":
            assert LAYOUTS[whole["layout"]] == shown.country.layout
        if kind == "chart":
            heights = [whole[f"height{bar.cell}"] + 1 for bar in shown.bars]
            assert heights == [bar.height for bar in shown.bars]
        if kind == "sign":
            assert "".join(chr(65 + whole[f"letter{k}"]) for k in range(3)) == shown.word


def test_every_class_fits_its_head():
    for kind in set(seeing.KINDS):
        for number in range(40):
            cells, whole = seeing.targets(scene_of(f"{kind}:train:{number}"))
            for name, count in seeing.OF_CELLS.items():
                assert all(value == seeing.IGNORE or 0 <= value < count for value in cells[name])
            for name, count in seeing.OF_PICTURES.items():
                assert whole[name] == seeing.IGNORE or 0 <= whole[name] < count


@pytest.fixture
def model():
    tokenizer = architecture.train_tokenizer(pretrain.tokenizer_texts())
    net = architecture.build("tiny", tokenizer, seed=0)
    return net, architecture.processor(tokenizer).image_processor


def test_the_tower_learns_and_nothing_else_does(model):
    net, image_processor = model
    before = {name: weight.clone() for name, weight in net.state_dict().items()}
    losses = seeing.learn_to_see(net, image_processor, steps=80, batch=24)
    assert sum(losses[-15:]) < 0.8 * sum(losses[:15])
    after = net.state_dict()
    changed = {name for name in after if not torch.equal(after[name], before[name])}
    assert changed
    assert all("vision_tower" in name for name in changed)

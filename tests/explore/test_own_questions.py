"""Pictures from words, files and the world, and questions to the packaged model."""

import io

import numpy as np
import pytest
from PIL import Image

from inbol_lib import explore
from inbol_lib.boundary.classes import classify, confidence
from inbol_lib.errors import ParameterError
from inbol_lib.explore.asking import panel, shapes, showing, words
from inbol_lib.explore.asking.answering import Asker, Shown, checked, truth
from inbol_lib.micro import world
from inbol_lib.micro.world.entities import COLOURS
from inbol_lib.micro.world.scenes import PATTERNS, POSITIONS, SHAPES

HOSTILE = "<script>alert(1)</script> $x^2$ &"


def centre(picture, colour):
    """(x, y), as shares of the edge, of the pixels that are nearest to a colour of all colours."""
    pixels = np.asarray(picture, float)
    palette = np.array([*COLOURS.values(), shapes.PAPER], float)
    nearest = ((pixels[:, :, None] - palette) ** 2).sum(-1).argmin(-1)
    rows, columns = np.nonzero(nearest == list(COLOURS).index(colour))
    return columns.mean() / picture.width, rows.mean() / picture.height


@pytest.mark.parametrize(
    ("relation", "axis", "sign"),
    [("left of", 0, -1), ("right of", 0, 1), ("above", 1, -1), ("below", 1, 1), ("under", 1, 1)],
)
def test_a_relation_holds_in_the_picture(relation, axis, sign):
    for text in (
        f"a red circle {relation} a blue square",
        f"red circle is to the {relation} blue star",
    ):
        picture = showing.of_words(text).picture
        red, blue = centre(picture, "red"), centre(picture, "blue")
        assert sign * (red[axis] - blue[axis]) > 0.2
        assert abs(red[1 - axis] - blue[1 - axis]) < 0.05, "things in a row lie in line"


def test_places_and_sizes_hold_in_the_picture():
    for place, name in enumerate(POSITIONS):
        row, column = divmod(place, words.SIDE)
        found = centre(showing.of_words(f"a green heart {name}").picture, "green")
        expected = (column + 0.5) / words.SIDE, (row + 0.5) / words.SIDE
        assert np.allclose(found, expected, atol=0.05), name
    areas = [
        (np.asarray(showing.of_words(f"{size} red square").picture) != shapes.PAPER).any(-1).mean()
        for size in words.SIZES
    ]
    assert areas[0] == areas[1] > areas[2] == areas[3] > 0


def test_every_shape_and_colour_of_the_world_can_be_drawn():
    for shape in SHAPES:
        for colour in COLOURS:
            things, relations = words.read(f"a {colour} {shape}")
            assert (things[0].shape, things[0].colour, relations) == (shape, colour, [])
    pictures = {showing.of_words(f"a red {shape}").picture.tobytes() for shape in SHAPES}
    assert len(pictures) == len(SHAPES)


def test_patterns_hold_in_the_picture():
    """... and belong to the next shape alone."""
    pictures = [showing.of_words(f"a {name} red star").picture for name in PATTERNS]
    assert len({picture.tobytes() for picture in pictures}) == len(PATTERNS)
    assert pictures[0].tobytes() == showing.of_words("a red star").picture.tobytes()
    things, _ = words.read("a striped red star left of a blue ring")
    assert [one.pattern for one in things] == ["striped", "plain"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a redd circle", "did you mean 'red'"),
        ("a red hexagram", "Shapes: circle"),
        ("a circle", "circle: no colour is named; allowed are red"),
        ("a red circle left of", "ends before its last shape"),
        ("left of a red circle", "needs a shape before it"),
        ("", "names 0 shapes; 1 to 4 are allowed"),
        ("a red star " * 5, "names 5 shapes"),
        ("a red star top left of a blue ring top left and a red ring top left", "contradict"),
    ],
)
def test_words_that_cannot_be_drawn_say_what_can(text, message):
    with pytest.raises(ParameterError, match=message):
        showing.of_words(text)


def test_files_are_read_upright_and_broken_ones_explained(tmp_path):
    Image.new("RGBA", (30, 20), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    assert showing.of_file(tmp_path / "clear.png").picture.getpixel((0, 0)) == (255, 255, 255)
    (tmp_path / "text.png").write_text("no picture")
    for file, said in ((tmp_path / "text.png", "is not a picture"), (tmp_path / "x", "not exist")):
        with pytest.raises(ParameterError, match=said):
            showing.of_file(file)
    packed = io.BytesIO()
    Image.new("RGB", (5, 5)).save(packed, "PNG")
    assert showing.of_file(packed.getvalue(), "sent.png").name == "sent.png"


def test_pictures_of_the_world_come_with_their_questions_and_truth():
    for source in ("vqav2", "beyondvisqa"):
        rows = world.questions(source, "test", 45)
        for number in (1, 45):
            shown, question = showing.of_world(source, number)
            row = rows[number - 1]
            assert (question, shown.image_id) == (row["question"], row["image_id"])
            assert (np.asarray(shown.picture) == np.asarray(row["image"])).all()
            assert truth(shown.image_id, question) == row["answers"]
    assert truth(shown.image_id, "Who are you?") is None
    assert truth("", question) is None
    with pytest.raises(ParameterError, match="numbers 1 to"):
        showing.of_world("vqav2", 0)


@pytest.mark.parametrize("text", ["", " ", "x" * 301, "What is <image>?"])
def test_questions_that_no_model_should_get_are_refused(text):
    with pytest.raises(ParameterError):
        checked(text)


@pytest.fixture(scope="module")
def asker(tmp_path_factory):
    from inbol_lib import params

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INBOL_RUNS", str(tmp_path_factory.mktemp("runs")))
        yield Asker(params.load("smoke", judge="string"))


def test_an_answer_has_samples_confidence_class_and_methods(asker):
    shown, question = showing.of_world("vqav2", 3)
    row, notes = asker.ask(shown, question)
    p = asker.p
    assert len(row["responses"]) == len(row["verdicts"]) == p.num_samples
    assert row["confidence"] == confidence(row["verdicts"])
    assert row["kind"] == classify(row["confidence"], p.delta_known, p.delta_unknown)
    assert [name for name, _, _ in row["methods"]] == ["original", "refusal_prompt"]
    assert "Not trained here: SFT, IDK-IT, CA-DPO" in notes[-1]
    assert asker.ask(shown, question)[0] == row, "asked again, the same is said"


def test_a_question_that_the_picture_cannot_answer_is_never_right(asker):
    shown, question = showing.of_world("beyondvisqa", 1)
    row, notes = asker.ask(shown, question)
    assert row["answerable"] is False
    assert row["confidence"] == 0
    assert "a refusal is right" in notes[0]


def test_without_a_right_answer_nothing_is_judged(asker):
    shown = showing.of_words("a red circle left of a blue square")
    row, notes = asker.ask(shown, "What color is the circle?")
    assert set(row["verdicts"]) <= {"unjudged", "refusal"}
    assert row["kind"] == "not estimated"
    assert "came" in notes[0]
    right, _ = asker.ask(shown, "What color is the circle?", "red, crimson")
    assert right["answers"] == ["red", "crimson"]
    assert set(right["verdicts"]) <= {"correct", "incorrect", "refusal"}


def test_the_widget_asks_and_shows_texts_escaped(asker):
    shown = panel.Panel(asker, Shown(Image.new("RGB", (48, 48)), HOSTILE), HOSTILE, "", "")
    assert "<script" not in shown.card.value
    shown.ask()
    assert "<script" not in shown.card.value
    assert "&lt;script&gt;" in shown.card.value
    assert "Original" in shown.card.value
    shown.words.value = HOSTILE
    assert "<script" not in shown.notice.value
    assert "is not understood" in shown.notice.value
    shown.question.value = ""
    shown.ask()
    assert "1 to 300 are allowed" in shown.notice.value


def test_the_widget_takes_pictures_from_everywhere(asker, tmp_path):
    shown = panel.Panel(asker, showing.of_words("a red star"), "What?", "a red star", "")
    shown.words.value = "a teal ring"
    assert shown.shown.name == "drawn from: a teal ring"
    shown.origin.value = panel.WORLD
    assert shown.shown.image_id == showing.of_world("vqav2", 1)[0].image_id
    shown.number.value = 2
    assert shown.question.value == showing.of_world("vqav2", 2)[1]
    Image.new("RGB", (9, 9)).save(tmp_path / "own.png")
    shown.path.value = str(tmp_path / "own.png")
    assert shown.shown.name == "own.png"
    shown.path.value = str(tmp_path / "none.png")
    assert "does not exist" in shown.notice.value
    assert shown.shown.name == "own.png"


def test_without_widgets_one_question_is_answered_in_a_table(smoke, runs, capsys):
    table = explore.ask(smoke.replace(judge="string"), answer="red").data
    assert table.who.tolist() == ["samples", "Original", "Refusal prompt"]
    assert "a plain table, because widgets are absent here" in capsys.readouterr().out

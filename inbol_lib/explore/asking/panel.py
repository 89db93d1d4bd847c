"""The widget of `explore.ask`: where the picture comes from, the question, and the answers."""

from collections.abc import Callable

import ipywidgets

from inbol_lib.errors import DiskFull, EndpointError, ParameterError
from inbol_lib.explore.asking import showing
from inbol_lib.explore.asking.answering import Asker, Shown
from inbol_lib.explore.browsing import card
from inbol_lib.explore.parts import panels, rendered
from inbol_lib.micro import world
from inbol_lib.report.tables.layout import NAMES

WORLD, FILE, WORDS = "micro world", "file", "words"
#: nothing has been asked about the picture yet
OPEN = {"answers": [], "answerable": None, "choices": [], "responses": [], "verdicts": []}
OPEN |= {"confidence": float("nan"), "kind": "not estimated", "methods": []}


def widget(asker: Asker, shown: Shown, question: str, words: str, answer: str) -> ipywidgets.VBox:
    """Return the widget that asks; the other arguments are what it begins with."""
    return Panel(asker, shown, question, words, answer).box


class Panel:
    """The fields for picture and question, and the page with the answers.

    Attributes
    ----------
    box
        The widget.
    shown
        The picture that is asked about.
    """

    def __init__(self, asker: Asker, shown: Shown, question: str, words: str, answer: str):
        self.asker, self.shown = asker, shown
        self.origin = ipywidgets.ToggleButtons(
            options=[WORLD, FILE, WORDS],
            value=WORDS,
            description="picture from",
            style={"description_width": "auto", "button_width": "110px"},
        )
        self.source = panels.choice("source", _sources(), 230)
        self.number = ipywidgets.BoundedIntText(
            value=1, min=1, max=showing.MOST, description="number", layout={"width": "160px"}
        )
        self.path = panels.words("path", "of a picture on this machine", 420)
        self.upload = ipywidgets.FileUpload(accept="image/*", multiple=False, description="Upload")
        self.words = panels.words("words", "a red circle left of a blue square", 560)
        self.question = panels.words("question", "what to ask", 430)
        self.answer = panels.words("right answer", "if you know it; commas between several", 400)
        self.words.value, self.question.value, self.answer.value = words, question, answer
        self.notice, self.card = ipywidgets.HTML(), ipywidgets.HTML()
        self.places = {
            WORLD: panels.row(
                self.source,
                self.number,
                panels.button(
                    "Previous", lambda: self._turn(-1), "inbol-previous", icon="chevron-left"
                ),
                panels.button("Next", lambda: self._turn(1), "inbol-next", icon="chevron-right"),
            ),
            FILE: panels.row(self.path, self.upload),
            WORDS: panels.row(self.words),
        }
        press = panels.button("Ask", self.ask, icon="comment")
        press.button_style = "primary"
        fields = panels.row(self.question, self.answer, press)
        parts = [self.origin, *self.places.values(), fields, self.notice, self.card]
        self.box = panels.box(parts, "a question of your own")
        self._watch()
        self._offer()
        self._open()

    def _watch(self) -> None:
        self.origin.observe(lambda _: self._offer(), "value")
        panels.watch([self.source, self.number], self._from_world)
        panels.watch([self.path], lambda: self._take(lambda: showing.of_file(self.path.value)))
        panels.watch([self.upload], self._from_upload)
        panels.watch([self.words], lambda: self._take(lambda: showing.of_words(self.words.value)))

    def _offer(self) -> None:
        """Show the fields of the chosen origin alone."""
        for origin, place in self.places.items():
            place.layout.display = "" if origin == self.origin.value else "none"
        if self.origin.value == WORLD:
            self._from_world()

    def _turn(self, step: int) -> None:
        """Go on to another question of the world; keys press these buttons unseen as well."""
        if self.origin.value == WORLD:
            self.number.value = min(max(self.number.value + step, 1), showing.MOST)

    def _from_world(self) -> None:
        seed = self.asker.p.data_seed

        def find() -> Shown:
            found, self.question.value = showing.of_world(
                self.source.value, self.number.value, seed
            )
            self.answer.value = ""
            return found

        self._take(find)

    def _from_upload(self) -> None:
        if self.upload.value:
            file = self.upload.value[0]
            self._take(lambda: showing.of_file(bytes(file["content"]), file["name"]))

    def _take(self, find: Callable[[], Shown]) -> None:
        """Show another picture, or say why there is none."""
        try:
            self.shown = find()
        except ParameterError as error:
            self.notice.value = rendered("notice.html", text=str(error))
            return
        self.notice.value = ""
        self._open()

    def _open(self) -> None:
        """Show the picture with a question that nobody has answered yet."""
        row = OPEN | {"question": self.question.value}
        self.card.value = card.page(row, self.shown.picture, self.shown.name, "Press Ask.")

    def ask(self) -> None:
        """Ask the question in the field, and show what all answer."""
        self.notice.value = rendered("notice.html", text="Asking …")
        try:
            row, notes = self.asker.ask(self.shown, self.question.value, self.answer.value)
        except (ParameterError, EndpointError, DiskFull, ValueError, OSError) as error:
            self.notice.value = rendered("notice.html", text=str(error))
            return
        self.card.value = card.page(row, self.shown.picture, self.shown.name, *notes)
        self.notice.value = ""


def _sources() -> list[tuple[str, str]]:
    return [(NAMES.get(name, name), name) for name in (*world.SOURCES, *world.OOD_SOURCES)]

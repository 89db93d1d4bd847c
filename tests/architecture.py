"""Draw the rooms of `inbol_lib` and their imports: `python tests/architecture.py`.

The picture, figures/architecture.svg, follows from the imports and the rooms' docstrings alone;
tests/test_architecture.py draws it again and compares.
"""

import ast
import textwrap
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path

import grimp

from inbol_lib.paths import ROOT

PICTURE = ROOT / "figures" / "architecture.svg"
LIBRARY = ROOT / "inbol_lib"
#: room -> left edge and top of its box, in pixels; arrows then point downwards
PLACES = {
    "explore": (330, 20),
    "report": (330, 162),
    "study": (330, 304),
    "teaching": (670, 304),
    "evaluation": (180, 446),
    "training": (610, 588),
    "boundary": (180, 588),
    "judging": (345, 730),
    "mllm": (520, 872),
    "micro": (20, 872),
    "data": (330, 1014),
}
FLOOR = 1142  # top of the ground floor
WIDTH, HEIGHT, PAGE = 330, 104, (1010, FLOOR + 110)
GROUND = ("params", "paths", "errors", "progress")
LINES = {"purpose": 50, "contents": 56, "ground": 130}  # letters that fit on one line

Edges = set[tuple[str, str]]


def imports() -> Edges:
    """Return every pair (room, room that it imports)."""
    graph = grimp.build_graph("inbol_lib")
    found = set()
    for module in graph.modules:
        for imported in graph.find_modules_directly_imported_by(module):
            found.add((room_of(module), room_of(imported)))
    return {(a, b) for a, b in found if a != b and {a, b} <= PLACES.keys()}


def room_of(module: str) -> str:
    """Return the name behind `inbol_lib.`: a room, or a module of the ground floor."""
    return (module.split(".") + [""])[1]


def reaches(edges: Edges, start: str) -> set[str]:
    """Return all rooms that `start` imports, directly or through others."""
    direct = {b for a, b in edges if a == start}
    return direct.union(*(reaches(edges, room) for room in direct))


def reduced(edges: Edges) -> Edges:
    """Return the arrows that do not already follow from two others (transitive reduction)."""

    def follows(a: str, b: str) -> bool:
        others = {c for x, c in edges if x == a and c != b}
        return any(b in reaches(edges, c) for c in others)

    return {(a, b) for a, b in edges if not follows(a, b)}


def purpose(room: str) -> str:
    """Return the first line of the room's docstring."""
    doc = ast.get_docstring(ast.parse((LIBRARY / room / "__init__.py").read_text())) or ""
    return doc.splitlines()[0]


def contents(room: str) -> str:
    """Return the names of the modules and folders in a room."""
    files = [path.stem for path in (LIBRARY / room).glob("[!_]*.py")]
    folders = [f"{path.parent.name}/" for path in (LIBRARY / room).glob("*/__init__.py")]
    return ", ".join(sorted(files) + sorted(folders))


def box(room: str) -> Iterable[str]:
    """Yield a room's rectangle, name, purpose and contents."""
    left, top = PLACES[room]
    yield f'<rect x="{left}" y="{top}" width="{WIDTH}" height="{HEIGHT}" rx="8" class="room"/>'
    yield text(left + 12, top + 20, room + "/", "name")
    small = [("purpose", line) for line in textwrap.wrap(purpose(room), LINES["purpose"])]
    small += [("contents", line) for line in textwrap.wrap(contents(room), LINES["contents"])]
    for number, (kind, line) in enumerate(small):
        yield text(left + 12, top + 38 + 13 * number, line, kind)


def text(x: float, y: float, words: str, kind: str) -> str:
    """Return one line of text."""
    return f'<text x="{x}" y="{y}" class="{kind}">{escape(words)}</text>'


def arrow(above: str, below: str) -> str:
    """Return an arrow from the bottom of one box to the top of another."""
    (x1, y1), (x2, y2) = PLACES[above], PLACES[below]
    start, end = x1 + WIDTH / 2, x2 + WIDTH / 2
    shift = 0.3 * (end - start) if y2 - y1 < 220 else 0.35 * (end - start)
    return f'<path d="M {start + shift / 2} {y1 + HEIGHT} L {end - shift / 2} {y2 - 7}"/>'


STYLE = """\
<style>
text { font-family: Helvetica, Arial, sans-serif; fill: #222222; }
.name { font-size: 15px; font-weight: bold; }
.purpose { font-size: 11.5px; }
.contents { font-size: 10.5px; fill: #666666; }
.room { fill: #eef3f8; stroke: #0072b2; stroke-width: 1.4; }
.ground { fill: #f4f1e6; stroke: #b8a800; stroke-width: 1.4; }
path { stroke: #444444; stroke-width: 1.6; fill: none; marker-end: url(#tip); }
</style>
<marker id="tip" viewBox="0 0 8 8" refX="4" refY="4" markerWidth="7" markerHeight="7" orient="auto">
<polygon points="0,0 8,4 0,8" fill="#444444"/>
</marker>"""


def drawn(edges: Edges, ground: Mapping[str, str]) -> str:
    """Return the whole picture as SVG."""
    width, height = PAGE
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">'
    lines = [head, STYLE, f'<rect width="{width}" height="{height}" fill="white"/>']
    lines += [arrow(*edge) for edge in sorted(reduced(edges))]
    for room in PLACES:
        lines += box(room)
    lines.append(f'<rect x="20" y="{FLOOR}" width="920" height="96" rx="8" class="ground"/>')
    lines.append(text(32, FLOOR + 20, "ground floor: every room may import these", "name"))
    for number, (name, said) in enumerate(ground.items()):
        words = textwrap.shorten(f"{name}: {said}", LINES["ground"], placeholder=" …")
        lines.append(text(32, FLOOR + 39 + 16 * number, words, "purpose"))
    return "\n".join([*lines, "</svg>"]) + "\n"


def ground_floor() -> dict[str, str]:
    """Return module -> the first line of its docstring, for the ground floor."""
    trees = {name: ast.parse((LIBRARY / f"{name}.py").read_text()) for name in GROUND}
    docs = {name: ast.get_docstring(tree) or "" for name, tree in trees.items()}
    return {name: doc.splitlines()[0] for name, doc in docs.items()}


def picture() -> str:
    """Return the picture as the imports give it now."""
    return drawn(imports(), ground_floor())


def linked(page: Path) -> list[tuple[str, str]]:
    """Return (label, target) of every Markdown link in a page."""
    pieces = page.read_text().split("](")
    return [
        (before.rpartition("[")[2], after.partition(")")[0])
        for before, after in zip(pieces, pieces[1:], strict=False)
    ]


if __name__ == "__main__":
    PICTURE.write_text(picture())

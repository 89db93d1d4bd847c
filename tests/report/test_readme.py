import sys

from inbol_lib.paths import ROOT

sys.path.insert(0, str(ROOT / "tests"))
import readme  # noqa: E402


def test_the_readme_shows_what_figures_hold():
    text = readme.README.read_text()
    assert readme.filled(text) == text
    assert text.count("micro-s | ") >= 5

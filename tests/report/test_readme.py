import readme


def test_the_readme_shows_what_figures_hold():
    text = readme.README.read_text()
    assert readme.filled(text) == text
    assert text.count("micro-s | ") >= 5

"""Build the site: `make site`, or `python docs/site/building.py [FOLDER [OPTION ...]]`.

More options are those of `sphinx-build`, such as --fail-on-warning.

It is made of what is in the repository: the notebooks with their stored outputs, figures/, the
docstrings and the texts. Nothing is executed and nothing is fetched.
"""

import shutil
import sys
import tempfile
from pathlib import Path

import staging

HERE = Path(__file__).resolve().parent
SITE = HERE.parent.parent / "build" / "site"


def build(source: Path, target: Path, *options: str) -> int:
    """Build staged sources into a folder, which is replaced; returns Sphinx's exit status.

    Parameters
    ----------
    source, target : Path
    *options : str
        More options of `sphinx-build`.
    """
    # Late, so that a module without Sphinx can be imported, and say what is missing.
    from sphinx.cmd.build import build_main

    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder, "html")
        settings = ["-q", "-b", "html", "-c", HERE, "-d", Path(folder, "seen")]
        settings += ["-D", f"html_extra_path={source / 'extra'}", *options]
        status = build_main([str(each) for each in (*settings, source, made)])
        if status == 0:
            shutil.rmtree(target, ignore_errors=True)
            # Maps lead a debugger to the sources of the theme's scripts; they weigh 3 MB.
            shutil.copytree(made, target, ignore=shutil.ignore_patterns("*.map", ".buildinfo"))
    return status


def main(target: str = str(SITE), *options: str) -> int:
    """Build the whole site, and say where its first page is."""
    with tempfile.TemporaryDirectory() as folder:
        staging.stage(Path(folder))
        status = build(Path(folder), Path(target).resolve(), *options)
    if status == 0:
        print(f"open {Path(target).resolve() / 'index.html'}")
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

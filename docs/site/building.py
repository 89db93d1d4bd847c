"""Build the site: `make site`, or `python docs/site/building.py [FOLDER]`.

It is made of what is in the repository: the notebooks with their stored outputs, figures/, the
docstrings and the texts. Nothing is executed and nothing is fetched.
"""

import shutil
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
SITE = HERE.parent.parent / "build" / "site"


def build(target: Path, *options: str) -> int:
    """Build the site into a folder, which is replaced; returns Sphinx's exit status.

    Parameters
    ----------
    target : Path
    *options : str
        More options of `sphinx-build`, such as "--fail-on-warning".
    """
    from sphinx.cmd.build import build_main  # late: an environment without Sphinx can say so

    import staging  # late: it needs the library

    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "source")
        staging.stage(source)
        made = Path(folder, "html")
        settings = ["-q", "-b", "html", "-c", HERE, "-d", Path(folder, "seen")]
        settings += ["-D", f"html_extra_path={source / 'extra'}"]
        status = build_main([str(each) for each in (*settings, *options, source, made)])
        if status == 0:
            shutil.rmtree(target, ignore_errors=True)
            # Maps lead a debugger to the sources of the theme's scripts; they weigh 3 MB.
            shutil.copytree(made, target, ignore=shutil.ignore_patterns("*.map", ".buildinfo"))
    return status


def main() -> int:
    """Build, and say where the first page is."""
    target = Path(sys.argv[1]).resolve() if sys.argv[1:] else SITE
    status = build(target)
    if status == 0:
        print(f"open {target / 'index.html'}")
    return status


if __name__ == "__main__":
    sys.exit(main())

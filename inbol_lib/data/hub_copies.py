"""Folders that `hf download` filled, and the commit of the Hugging Face Hub that they hold."""

from pathlib import Path


def commits(folder: Path) -> str:
    """Return the commit that `hf download --local-dir` recorded in a folder.

    The text is empty where no commit was recorded, and lists several, separated by commas, where
    the files come from several.
    """
    notes = (folder / ".cache" / "huggingface" / "download").rglob("*.metadata")
    return ", ".join(sorted({note.read_text().split("\n")[0] for note in notes}))

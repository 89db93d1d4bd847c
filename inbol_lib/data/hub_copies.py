"""Folders that `hf download` filled: which commit of the Hugging Face Hub they hold."""

from pathlib import Path


def commits(folder: Path) -> str:
    """The commit that `hf download --local-dir` noted in a folder ("" where it noted none; several where the files are of several)."""
    notes = (folder / ".cache" / "huggingface" / "download").rglob("*.metadata")
    return ", ".join(sorted({file.read_text().split("\n")[0] for file in notes}))

"""TODO."""

from pathlib import Path

import pandas as pd


def save_table_files(table: pd.DataFrame, folder: Path, name: str, note: str = "") -> None:
    """`name`.csv, .md and .tex in `folder`; the note (such as a reduced size) stands under the Markdown and LaTeX tables."""
    folder.mkdir(parents=True, exist_ok=True)
    shown = table.round(2)
    shown.to_csv(folder / f"{name}.csv", index=False)
    (folder / f"{name}.md").write_text(
        shown.to_markdown(index=False, floatfmt=".2f") + (f"\n\n{note}\n" if note else "\n")
    )
    tex = (
        shown.style.hide(axis="index")
        .format(precision=2, na_rep="--", escape="latex")
        .to_latex(hrules=True)
    )
    (folder / f"{name}.tex").write_text(tex + (f"% {note}\n" if note else ""))


def save_figure(figure, folder: Path, name: str, data: pd.DataFrame | None = None) -> None:
    """`name`.svg and .png in `folder`, and the data behind the figure as `name`.csv."""
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
    figure.savefig(folder / f"{name}.png")
    if data is not None:
        data.round(4).to_csv(folder / f"{name}.csv", index=False)

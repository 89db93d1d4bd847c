"""Tables and figures as files."""

import re
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

#: what a Markdown table has where there is no number
MISSING = re.compile(r"(?<= )nan(?= +\|)")


def save_table_files(table: pd.DataFrame, folder: Path, name: str, note: str = "") -> None:
    """Write a table to `folder` as `name`.csv, .md and .tex, rounded to two decimals.

    Parameters
    ----------
    table : pd.DataFrame
    folder : Path
        Made where it does not exist.
    name : str
        The files' name without its ending.
    note : str
        Stands under the Markdown and the LaTeX table, such as that sizes are reduced.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rounded = table.round(2)
    rounded.to_csv(folder / f"{name}.csv", index=False)
    markdown = MISSING.sub("  –", rounded.to_markdown(index=False, floatfmt=".2f"))
    (folder / f"{name}.md").write_text(markdown + (f"\n\n{note}\n" if note else "\n"))
    styled = rounded.style.hide(axis="index").format(precision=2, na_rep="--", escape="latex")
    latex = styled.to_latex(hrules=True)
    (folder / f"{name}.tex").write_text(latex + (f"% {note}\n" if note else ""))


def save_figure(
    figure: plt.Figure, folder: Path, name: str, data: pd.DataFrame | None = None
) -> None:
    """Write a figure to `folder` as `name`.svg and .png, and the data behind it as `name`.csv."""
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
    figure.savefig(folder / f"{name}.png")
    if data is not None:
        data.round(4).to_csv(folder / f"{name}.csv", index=False)

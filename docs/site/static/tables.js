// Published tables: a click on a heading sorts, words in the field keep the rows that have them.
document.addEventListener("DOMContentLoaded", () => {
  for (const box of document.querySelectorAll(".published-table")) {
    const table = box.querySelector("table");
    for (const button of table.querySelectorAll("thead button")) {
      button.addEventListener("click", () => sort(table, button.parentElement));
    }
    const field = box.querySelector("input");
    if (field) field.addEventListener("input", () => filter(box, field.value));
  }
});

function sort(table, heading) {
  const down = heading.getAttribute("aria-sort") === "descending";
  // Numbers begin with the largest, words with the first of the alphabet.
  const fresh = !heading.hasAttribute("aria-sort");
  const direction = fresh ? (heading.classList.contains("number") ? -1 : 1) : down ? 1 : -1;
  for (const other of table.querySelectorAll("th[aria-sort]")) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", direction < 0 ? "descending" : "ascending");
  const column = heading.cellIndex;
  const body = table.tBodies[0];
  const rows = [...body.rows].sort((a, b) => compare(value(a, column), value(b, column), direction));
  body.append(...rows);
}

function value(row, column) {
  const cell = row.cells[column];
  const given = cell.dataset.value;
  if (given === undefined) return cell.textContent.trim();
  return given === "" ? null : Number(given);
}

// Empty cells stay at the end, whichever way one sorts.
function compare(a, b, direction) {
  if (a === null || b === null) return (a === null) - (b === null);
  return direction * (typeof a === "number" ? a - b : a.localeCompare(b));
}

function filter(box, words) {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  let kept = 0;
  for (const row of box.querySelectorAll("tbody tr")) {
    const text = row.textContent.toLowerCase();
    row.hidden = !wanted.every((word) => text.includes(word));
    kept += !row.hidden;
  }
  box.querySelector("[role=status]").textContent = wanted.length ? `${kept} rows` : "";
}

// Sets every formula of the page with KaTeX; a formula that it cannot read stays as text.
document.addEventListener("DOMContentLoaded", () => {
  for (const place of document.querySelectorAll(".formula")) {
    const displayMode = place.dataset.block === "yes";
    katex.render(place.textContent, place, { displayMode, throwOnError: false, trust: false });
  }
});

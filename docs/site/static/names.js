// The theme's buttons that unfold a part of the contents have no name for those who hear the page.
document.addEventListener("DOMContentLoaded", () => {
  for (const button of document.querySelectorAll("nav summary")) {
    const part = button.closest("li")?.querySelector("a")?.textContent.trim();
    button.setAttribute("aria-label", `Pages of ${part}`);
  }
});

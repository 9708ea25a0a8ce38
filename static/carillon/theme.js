// Light, dark, or as the system says: kept in this browser only. Loaded in the head, so that no page flashes.
{
  const root = document.documentElement;

  function apply(theme) {
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    else delete root.dataset.theme;
  }

  function stored() {
    try {
      return localStorage.getItem("carillon-theme") ?? "";
    } catch {
      return "";
    }
  }

  apply(stored());

  document.addEventListener("DOMContentLoaded", () => {
    for (const choice of document.querySelectorAll("[data-theme-choice]")) {
      choice.hidden = false;
      const select = choice.querySelector("select");
      select.value = stored();
      select.addEventListener("change", () => {
        apply(select.value);
        try {
          localStorage.setItem("carillon-theme", select.value);
        } catch {
          // Private windows may refuse storage: the choice then lasts for this page.
        }
      });
    }
  });
}

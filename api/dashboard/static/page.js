// What a page does beyond its links: remembers the theme, and closes menus that lose interest.
"use strict";

const themes = document.querySelector("[data-themes]");

function remembered() {
  return document.documentElement.dataset.theme ?? "";
}

function choose(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  document.cookie = `theme=${theme}; path=/; max-age=${theme ? 31536000 : 0}; samesite=lax`;
  mark();
  document.dispatchEvent(new Event("themechange"));
}

function mark() {
  for (const button of themes.querySelectorAll("button"))
    button.setAttribute("aria-pressed", String(button.dataset.themeChoice === remembered()));
}

if (themes) {
  themes.hidden = false;
  themes.addEventListener("click", ({ target }) => {
    const button = target.closest("button");
    if (button) choose(button.dataset.themeChoice);
  });
  mark();
}

function closeMenus(except) {
  for (const menu of document.querySelectorAll("details.menu[open], details.method[open]"))
    if (!menu.contains(except)) menu.open = false;
}

document.addEventListener("click", ({ target }) => closeMenus(target));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const open = document.activeElement?.closest("details.menu[open], details.method[open]");
  closeMenus(null);
  open?.querySelector("summary")?.focus();
});

// Corrections without leaving the list: the mention's own page, opened and sent within its card.
"use strict";

async function paged(address, options) {
  const answer = await fetch(address, options);
  const parsed = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (!answer.ok) throw new Error(parsed.querySelector(".empty p")?.textContent ?? answer.statusText);
  return parsed;
}

function tell(card, words) {
  const told = card.querySelector(".told") ?? card.appendChild(document.createElement("p"));
  told.className = "told quiet";
  told.setAttribute("role", "status");
  told.textContent = words;
}

async function open(link) {
  const card = link.closest("article.mention");
  const present = card.querySelector("form.correct");
  if (present) return present.remove();
  const form = document.importNode((await paged(link.href)).querySelector("form.correct"), true);
  card.append(form);
  form.querySelector("select").focus();
}

async function send(form, button) {
  const card = form.closest("article.mention");
  const body = new URLSearchParams(new FormData(form, button));
  const parsed = await paged(form.action, { method: "POST", body });
  const fresh = document.importNode(parsed.querySelector("article.mention"), true);
  card.replaceWith(fresh);
  tell(fresh, parsed.querySelector(".notice[role=status]:has(+ article.mention)")?.textContent ?? "");
  fresh.querySelector("a.fix").focus();
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-fix]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  open(link).catch(() => location.assign(link.href));
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("article.mention form.correct")) return;
  event.preventDefault();
  send(form, event.submitter).catch((error) => tell(form.closest("article.mention"), error.message));
});

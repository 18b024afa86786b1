// Keeps what is marked data-live as it is now: asks for the page again while there is such a part on it.
"use strict";

const EVERY_MS = 2000;

async function renew() {
  const parts = document.querySelectorAll("[data-live]");
  if (!parts.length) return;
  try {
    const answer = document.hidden ? null : await fetch(location.href);
    if (answer?.ok) replaceAll(parts, await answer.text());
  } catch {
    // the server is away for a moment: what is shown stays, and the next turn tries again
  }
  setTimeout(renew, EVERY_MS);
}

function replaceAll(parts, text) {
  const fresh = new DOMParser().parseFromString(text, "text/html");
  for (const part of parts) {
    const now = fresh.getElementById(part.id);
    const busy = part.contains(document.activeElement) && now?.hasAttribute("data-live");
    if (now && !busy) part.replaceWith(document.adoptNode(now));
  }
}

setTimeout(renew, EVERY_MS);

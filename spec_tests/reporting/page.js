"use strict";
// Filters, kept in the address; links into what is folded; buttons that copy. Without it all is visible.
(() => {
  const filters = document.getElementById("filters");
  const fields = [...filters.querySelectorAll("[name]")];
  const [implementation] = fields.filter((field) => field.name === "implementation");
  const shown = filters.querySelector("output");
  const FAILING = filters.dataset.failing.split(" ");
  const COPIED = 2000; // milliseconds that a button says so

  const clauses = [...document.querySelectorAll("tr[data-clause]")].map((row) => {
    const detail = document.getElementById(row.dataset.clause);
    return {
      row,
      detail,
      stage: row.parentElement.dataset.stage,
      level: row.dataset.level,
      outcomes: [...row.querySelectorAll("td")].map((cell) => cell.dataset.outcome),
      text: `${row.textContent} ${detail.textContent}`.toLowerCase(),
    };
  });

  function apply() {
    const wanted = Object.fromEntries(fields.map((field) => [field.name, field.value]));
    const column = implementation.selectedIndex - 1;
    const words = wanted.text.toLowerCase().split(/\s+/);
    const matches = (clause) => {
      const outcomes = column < 0 ? clause.outcomes : [clause.outcomes[column]];
      const outcome = wanted.outcome === "failing" ? FAILING : [wanted.outcome];
      return (
        (!wanted.stage || clause.stage === wanted.stage) &&
        (!wanted.level || clause.level === wanted.level) &&
        (!wanted.outcome || outcomes.some((one) => outcome.includes(one))) &&
        words.every((word) => clause.text.includes(word))
      );
    };
    for (const clause of clauses) clause.row.hidden = clause.detail.hidden = !matches(clause);
    for (const part of document.querySelectorAll("[data-column]")) {
      part.hidden = column >= 0 && Number(part.dataset.column) !== column;
    }
    hideWhatIsEmpty();
    const left = clauses.filter((clause) => !clause.row.hidden).length;
    shown.textContent = `${left} of ${clauses.length} clauses`;
  }

  function hideWhatIsEmpty() {
    const stages = new Set();
    for (const family of document.querySelectorAll("tbody[data-family]")) {
      family.hidden = !family.querySelector("tr[data-clause]:not([hidden])");
      if (!family.hidden) stages.add(family.dataset.stage);
    }
    for (const stage of document.querySelectorAll("tbody:not([data-family])[data-stage]")) {
      stage.hidden = !stages.has(stage.dataset.stage);
    }
    // A stage that is not claimed is folded, but for a filter that asks for some of it.
    const asked = fields.some((field) => field.value && field.name !== "implementation");
    for (const stage of document.querySelectorAll("details.left-out")) {
      const matching = [...stage.querySelectorAll("tr[data-clause], .clause")].some((part) => !part.hidden);
      stage.hidden = !matching;
      stage.open = matching && asked;
    }
    for (const section of document.querySelectorAll("[data-section]")) {
      const inside = section.querySelectorAll(".clause");
      section.hidden = inside.length > 0 && ![...inside].some((detail) => !detail.hidden);
    }
  }

  // The address is #target&stage=layers&outcome=failing, each part as far as there is one.
  function read() {
    const parts = [...new URLSearchParams(location.hash.slice(1))];
    const names = fields.map((field) => field.name);
    const [target] = parts.find(([name]) => !names.includes(name)) ?? [""];
    const state = Object.fromEntries(parts.filter(([name]) => names.includes(name)));
    if (!target || Object.keys(state).length) set(state);
    apply();
    if (target) reveal(target);
    write(target);
  }

  function write(target) {
    const state = new URLSearchParams(fields.filter((field) => field.value).map((field) => [field.name, field.value]));
    const hash = [target, state.toString()].filter(Boolean).join("&");
    history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search);
  }

  function set(state) {
    for (const field of fields) {
      field.value = state[field.name] ?? "";
      if (field.selectedIndex < 0) field.selectedIndex = 0; // what the address names is not on this page
    }
  }

  function reveal(target) {
    const element = document.getElementById(target);
    if (!element) return;
    if (element.closest("[hidden]")) {
      set({});
      apply();
    }
    for (let outer = element.closest("details"); outer; outer = outer.parentElement.closest("details")) outer.open = true;
    element.scrollIntoView();
    element.focus({ preventScroll: true });
  }

  async function copy(text, button) {
    try {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(text);
      button.textContent = document.execCommand("copy") ? "Copied" : "Press Ctrl+C";
    }
    setTimeout(() => (button.textContent = "Copy"), COPIED);
  }

  for (const text of document.querySelectorAll("pre.snippet")) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy";
    button.setAttribute("aria-live", "polite");
    button.addEventListener("click", () => copy(text, button));
    text.previousElementSibling.append(button);
  }
  function changed() {
    apply();
    write("");
  }

  filters.addEventListener("input", changed);
  filters.addEventListener("change", changed); // all that some tools send for a list
  filters.querySelector("button").addEventListener("click", () => {
    set({});
    changed();
  });
  addEventListener("hashchange", read);
  filters.hidden = false;
  read();
})();

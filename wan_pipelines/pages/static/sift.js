"use strict";

// Filter by outcome and text, sort, and size of the cards.
{
  const buttons = [...document.querySelectorAll(".states button")];
  const search = document.querySelector("input[type=search]");
  const sort = document.querySelector("select");
  const size = document.querySelector("input[type=range]");
  const matches = document.querySelector(".matches");
  const nothing = document.querySelector(".nothing");
  const texts = new Map();
  const count = (number) => number.toLocaleString("en");
  let state = "";

  function text(card) {
    if (!texts.has(card)) texts.set(card, card.textContent.toLowerCase());
    return texts.get(card);
  }

  function sift() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (card) =>
      (!state || card.dataset.state === state) && words.every((word) => text(card).includes(word));
    const found = deck.all.filter(fits).sort(orders[sort.value]);
    deck.deal(found);
    nothing.hidden = found.length > 0;
    const all = `${count(deck.all.length)} shot${deck.all.length === 1 ? "" : "s"}`;
    matches.textContent = found.length < deck.all.length ? `${count(found.length)} of ${all}` : all;
  }

  function choose(chosen) {
    state = chosen;
    for (const button of buttons) button.ariaPressed = String(button.dataset.state === state);
    sift();
  }

  const name = (card) => card.querySelector(".name").textContent;
  const figure = (card, key) => (card.dataset[key] ? Number(card.dataset[key]) : -1);
  const collator = new Intl.Collator("en", { numeric: true });
  const orders = {
    at: (a, b) => figure(a, "at") - figure(b, "at"),
    cost: (a, b) => figure(b, "cost") - figure(a, "cost"),
    seconds: (a, b) => figure(b, "seconds") - figure(a, "seconds"),
    name: (a, b) => collator.compare(name(a), name(b)),
  };

  for (const button of buttons) button.addEventListener("click", () => choose(button.dataset.state));
  search.addEventListener("input", sift);
  sort.addEventListener("change", sift);
  size.addEventListener("input", () => deck.list.style.setProperty("--card", `${size.value}rem`));
  nothing.querySelector("button").addEventListener("click", () => {
    search.value = "";
    choose("");
    search.focus();
  });
  addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.target.closest("input, select, dialog[open]")) return;
    event.preventDefault();
    search.focus();
  });
}

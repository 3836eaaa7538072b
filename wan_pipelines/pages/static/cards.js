"use strict";

// The cards of the page, and which of them are dealt out: those that match, in order. Only what has
// been scrolled to is in the document; laying out thousands of cards at every key stroke is slow.
const deck = (() => {
  const list = document.querySelector(".cards");
  const end = document.querySelector(".end");
  const all = [...list.children];
  const portion = 120;
  const names = new Map(all.map((card) => [card.querySelector(".name").textContent, card]));
  let dealt = all;
  let shown = all.length;

  function more(number = portion) {
    list.append(...dealt.slice(shown, shown + number));
    shown = Math.min(shown + number, dealt.length);
  }

  function deal(cards) {
    dealt = cards;
    shown = 0;
    list.replaceChildren();
    more();
  }

  function reveal(card) {
    while (dealt.includes(card) && !card.isConnected) more();
  }

  const watch = new IntersectionObserver(
    ([{ isIntersecting }]) => {
      if (!isIntersecting || shown === dealt.length) return;
      more();
      watch.unobserve(end); // so that it reports again if the end is still in sight
      watch.observe(end);
    },
    { rootMargin: "1500px" },
  );
  deal(all);
  watch.observe(end);
  addEventListener("beforeprint", () => more(dealt.length));
  const named = (name) => names.get(name);
  return { list, all, named, deal, reveal, dealt: () => dealt };
})();

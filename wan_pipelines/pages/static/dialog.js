"use strict";

// One shot in full: the video, what was asked, what it cost, its files. The address of the page
// names the open shot, so that it can be passed on.
{
  const dialog = document.querySelector("dialog");
  const video = dialog.querySelector("video");
  const still = dialog.querySelector(".viewer img");
  const absent = dialog.querySelector(".absent");
  const pill = dialog.querySelector(".pill");
  const copy = dialog.querySelector("[data-copy]");
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const name = (card) => card.querySelector(".name").textContent;
  let sheet; // the JSON beside the cards, read when the first shot is opened
  let opened;

  function element(tag, text, attributes = {}) {
    const made = Object.assign(document.createElement(tag), attributes);
    made.append(text);
    return made;
  }

  function fill(part, ...content) {
    const filled = content.filter(Boolean);
    dialog.querySelector(`[data-slot="${part}"]`).replaceChildren(...filled);
    const section = dialog.querySelector(`[data-part="${part}"]`);
    if (section) section.hidden = filled.length === 0;
  }

  function fact([label, value]) {
    return value ? [element("dt", label), element("dd", value)] : [];
  }

  function bars(stages) {
    const whole = stages.reduce((sum, [, seconds]) => sum + seconds, 0);
    return stages.flatMap(([stage, seconds]) => {
      const bar = element("span", "");
      bar.style.width = `${(100 * seconds) / whole}%`;
      return [element("dt", stage), element("dd", bar), element("dd", `${seconds.toFixed(2)} s`)];
    });
  }

  function file(base, label, path, about) {
    const link = element("a", label, { href: base + path, download: "" });
    const item = element("li", link);
    item.append(element("span", about, { className: "quiet" }));
    return item;
  }

  function project(card, shot) {
    const poster = shot.poster ? shot.base + shot.poster : "";
    const moving = card.querySelector("img.pixel") ? "pixel" : "";
    video.className = still.className = moving;
    video.hidden = !shot.film;
    still.hidden = Boolean(shot.film) || !poster;
    if (poster) still.src = poster;
    absent.textContent = "";
    dialog.classList.toggle("bare", !shot.film && !poster);
    if (!shot.film) return;
    video.poster = poster;
    video.src = shot.base + shot.film;
    if (!calm.matches) video.play().catch(() => {}); // moving on before it began is no error
  }

  function describe(card, shot) {
    const { labels, shared, negatives, states } = sheet;
    pill.className = `pill ${card.dataset.state}`;
    pill.textContent = states[card.dataset.state];
    dialog.querySelector("h2").textContent = name(card);
    fill("prompt", card.querySelector(".prompt").textContent);
    for (const part of ["error", "reason", "hint", "key", "take"]) fill(part, shot[part]);
    fill("stage", shot.stage && `, ${shot.stage}`);
    const own = labels.map((label, place) => [label, shot.facts[place]]);
    fill("facts", ...[...own, ...shared].flatMap(fact));
    fill("stages", ...bars(shot.stages ?? []));
    const files = (shot.files ?? []).map((row) => file(shot.base, ...row));
    if (shot.manifest) files.push(file(shot.base, "manifest", shot.manifest, "JSON"));
    fill("files", ...files);
    fill("negative", negatives[shot.negative]);
    fill("parents", ...(shot.parents ?? []).map((parent) => element("li", element("code", parent))));
    copy.textContent = "Copy";
  }

  function neighbour(step) {
    const cards = deck.dealt().includes(opened) ? deck.dealt() : deck.all;
    return cards[cards.indexOf(opened) + step];
  }

  function open(card) {
    sheet ??= JSON.parse(document.querySelector("#data").textContent);
    close();
    opened = card;
    const shot = { base: "", ...sheet.shots[card.dataset.at] };
    project(card, shot);
    describe(card, shot);
    for (const button of dialog.querySelectorAll("[data-step]"))
      button.disabled = !neighbour(Number(button.dataset.step));
    if (!dialog.open) dialog.showModal();
    dialog.querySelector(".about").scrollTop = 0;
    history.replaceState(null, "", `#${new URLSearchParams({ shot: name(card) })}`);
  }

  function close() {
    video.removeAttribute("src");
    video.load();
  }

  function step(by) {
    const card = neighbour(by);
    if (card) open(card);
  }

  function follow() {
    const wanted = new URLSearchParams(location.hash.slice(1)).get("shot");
    const card = deck.named(wanted);
    if (card) open(card);
  }

  deck.list.addEventListener("click", (event) => {
    const frame = event.target.closest(".frame");
    if (!frame || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open(frame.closest(".card"));
  });
  dialog.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (event.target === dialog || button?.matches("[data-close]")) dialog.close();
    if (button?.matches("[data-step]")) step(Number(button.dataset.step));
  });
  dialog.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by && event.target !== video) step(by);
  });
  dialog.addEventListener("close", () => {
    close();
    history.replaceState(null, "", "#");
    deck.reveal(opened);
    opened.querySelector(".frame").focus();
  });
  video.addEventListener("error", () => {
    if (!video.getAttribute("src")) return;
    video.hidden = true;
    absent.textContent = "The video could not be played. It may have been moved or removed.";
  });
  copy.addEventListener("click", () => {
    const code = dialog.querySelector("[data-slot=key]");
    getSelection().selectAllChildren(code);
    const say = (text) => () => {
      copy.textContent = text;
      fill("said", text);
    };
    navigator.clipboard?.writeText(code.textContent).then(say("Copied"), say("Press Ctrl+C"));
  });
  addEventListener("hashchange", follow);
  follow();
}

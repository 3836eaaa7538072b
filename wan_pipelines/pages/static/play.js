"use strict";

// Cards play while the pointer or the keyboard is on them. One player serves all cards: posters
// stay lazy images, and never more than one video is decoded.
{
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const patience = 120; // ms on a card before it plays, so that sweeping over cards loads nothing
  const player = document.createElement("video");
  Object.assign(player, { muted: true, loop: true, playsInline: true, preload: "none", tabIndex: -1 });
  player.setAttribute("aria-hidden", "true");
  player.addEventListener("error", stop);
  let timer = 0;

  function play(frame) {
    const poster = frame.querySelector("img");
    player.className = poster ? poster.className : "";
    player.poster = poster ? poster.currentSrc : "";
    player.src = frame.href;
    frame.append(player);
    player.play().catch(() => {}); // leaving a card before its video has begun is no error
  }

  function stop() {
    clearTimeout(timer);
    if (!player.isConnected) return;
    player.remove();
    player.removeAttribute("src");
    player.load();
  }

  function enter(frame) {
    stop();
    if (frame && !still.matches) timer = setTimeout(play, patience, frame);
  }

  const filmed = (target) => target.closest?.("a.frame");
  deck.list.addEventListener("pointerover", (event) => {
    const frame = filmed(event.target);
    if (event.pointerType === "mouse" && frame && !frame.contains(event.relatedTarget)) enter(frame);
  });
  deck.list.addEventListener("pointerout", (event) => {
    const frame = filmed(event.target);
    if (frame && !frame.contains(event.relatedTarget)) stop();
  });
  deck.list.addEventListener("focusin", (event) => {
    if (event.target.matches("a.frame:focus-visible")) enter(event.target);
  });
  deck.list.addEventListener("focusout", stop);
  deck.list.addEventListener("click", stop);
}

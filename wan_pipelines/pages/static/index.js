"use strict";

// Search through editions; posters move under the pointer.
{
  const search = document.querySelector("input[type=search]");
  const matches = document.querySelector(".matches");
  const campaigns = [...document.querySelectorAll(".campaign")];
  const still = matchMedia("(prefers-reduced-motion: reduce)");

  function sift() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const campaign of campaigns) {
      const about = [...campaign.children].filter((child) => !child.matches(".editions"));
      const title = about.map((child) => child.textContent).join(" ");
      const rows = [...campaign.querySelectorAll(".edition-row")];
      for (const row of rows) {
        const text = `${title} ${row.textContent}`.toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
        shown += !row.hidden;
      }
      campaign.hidden = rows.every((row) => row.hidden);
    }
    matches.textContent = `${shown.toLocaleString("en")} edition${shown === 1 ? "" : "s"}`;
    document.querySelector("#no-match").hidden = shown > 0;
  }

  search?.addEventListener("input", sift);
  for (const picture of document.querySelectorAll("img[data-preview]")) {
    const poster = picture.src;
    picture.addEventListener("pointerenter", () => {
      if (!still.matches) picture.src = picture.dataset.preview;
    });
    picture.addEventListener("pointerleave", () => {
      picture.src = poster;
    });
  }
}

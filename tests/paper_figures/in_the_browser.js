// Put behind a report's own script by test_browser.py: uses the page, and writes down what it saw.
const seen = { errors: window.problems, images: [], filters: {}, contrast: {} };
const shown = (selector) =>
  [...document.querySelectorAll(selector)].filter((e) => e.checkVisibility()).length;
const choose = (name, value) => {
  const select = document.querySelector(`select[name=${name}]`);
  select.value = value;
  select.dispatchEvent(new Event("change", { bubbles: true }));
};

const parts = (colour) => colour.match(/[\d.]+/g).slice(0, 3).map((v) => v / 255);
const light = (colour) => {
  const linear = parts(colour).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
};
const ground = (e) => {
  const colour = getComputedStyle(e).backgroundColor;
  return colour === "rgba(0, 0, 0, 0)" && e.parentElement ? ground(e.parentElement) : colour;
};
const contrast = (e) => {
  const [low, high] = [light(getComputedStyle(e).color), light(ground(e))].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
};

function look() {
  for (const image of document.images) seen.images.push(image.naturalWidth);
  const all = ["tbody tr[data-status]", "article"];
  for (const select of document.querySelectorAll("#filters select")) {
    seen.filters[select.name] = {};
    for (const option of select.options) {
      choose(select.name, option.value);
      seen.filters[select.name][option.value] = all.map(shown);
    }
    choose(select.name, "");
  }
  choose("status", "supported");
  choose("data", "simulated");
  seen.none = [shown("#nothing"), ...all.map(shown)];
  choose("status", "");
  choose("data", "");
  for (const theme of ["light", "dark"]) {
    document.documentElement.dataset.theme = theme;
    const texts = [...document.querySelectorAll(".chip, h1, h2, p, td, a, dd, figcaption")];
    seen.contrast[theme] = Math.min(...texts.filter((e) => e.checkVisibility()).map(contrast));
  }
  delete document.documentElement.dataset.theme;
  const before = getComputedStyle(document.body).backgroundColor;
  document.getElementById("theme").click();
  seen.turned = before !== getComputedStyle(document.body).backgroundColor;
  seen.overflow = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  const result = document.createElement("script");
  result.type = "application/json";
  result.id = "seen";
  result.textContent = JSON.stringify(seen);
  document.body.append(result);
}

window.addEventListener("load", look);

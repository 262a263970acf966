const form = document.getElementById("filters");
const theme = document.getElementById("theme");

function filter() {
  const wanted = [...new FormData(form)].filter(([, value]) => value);
  const fits = (e) => wanted.every(([name, value]) => e.dataset[name] === value);
  let left = 0;
  for (const e of document.querySelectorAll("[data-status]")) {
    e.hidden = !fits(e);
    left += !e.hidden;
  }
  for (const s of document.querySelectorAll("section[data-paper]"))
    s.hidden = !s.querySelector("article:not([hidden])");
  document.getElementById("nothing").hidden = left > 0;
}

function turn() {
  const asked = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  const now = document.documentElement.dataset.theme ?? asked;
  document.documentElement.dataset.theme = now === "dark" ? "light" : "dark";
}

form.addEventListener("change", filter);
form.addEventListener("submit", (event) => event.preventDefault());
theme.addEventListener("click", turn);
form.hidden = theme.hidden = false;

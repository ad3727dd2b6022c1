// The page: its state, and what follows from a change.
import { fetchModels, predict } from "./api.js";
import { showAnswer, showSentence } from "./answer.js";
import { aboutLine, showCard } from "./card.js";
import { showCode } from "./code.js";
import { button, byId, h } from "./dom.js";
import { Place } from "./examples.js";
import { LABELS, samples } from "./samples.js";

const PAUSE = 120; // milliseconds of quiet before a request, so that typing sends few

let model;
let classes = []; // {field, place}: the name as typed, and the examples
let query;
let timer;
let running; // the AbortController of the request in flight

const nameOf = (entry) => entry.field.value.trim() || entry.field.placeholder;

/** What a request needs of each class. */
const teaching = () => classes.map((entry) => ({ name: nameOf(entry), items: entry.place.items }));

function addClass() {
  const entry = {};
  const used = new Set(classes.map(nameOf));
  let number = classes.length + 1;
  while (used.has(`Class ${number}`)) number++;
  const placeholder = `Class ${number}`;
  entry.field = h("input", { placeholder, ariaLabel: `Name of class ${number}`, oninput: changed });
  const remove = button("×", () => removeClass(entry), "icon", `Remove class ${number}`);
  const title = h("div", { className: "title" }, entry.field, remove);
  entry.place = new Place(model, { onChange: changed, title, name: () => nameOf(entry) });
  classes.push(entry);
  byId("classes").append(entry.place.element);
  return entry;
}

function removeClass(entry) {
  classes = classes.filter((other) => other !== entry);
  entry.place.element.remove();
  while (classes.length < 2) addClass();
  changed();
  byId("add-class").focus();
}

/** Empties the page for a model. */
function start(next) {
  model = next;
  classes = [];
  byId("classes").replaceChildren();
  addClass();
  addClass();
  query = new Place(model, { single: true, onChange: changed });
  byId("query").replaceChildren(query.element);
  byId("sample").textContent = LABELS[model.modality];
  byId("about").textContent = aboutLine(model);
  showCard(byId("card"), model);
  changed();
}

/** What is still missing, as a sentence; the next step first. */
function missing() {
  const given = teaching();
  const noun = query.kind.noun;
  if (given.every(({ items }) => !items.length)) {
    return `Give each class a few ${noun}s: one is enough to begin with.`;
  }
  const names = given.map(({ name }) => name);
  const double = names.find((name, i) => names.indexOf(name) < i);
  if (double) return `Two classes are called “${double}”: give each a name of its own.`;
  const empty = given.find(({ items }) => !items.length);
  if (empty) return `“${empty.name}” has no ${noun} yet: add one, or remove the class.`;
  if (!query.items.length) return `Now give a ${noun} to ask about.`;
  return "";
}

function changed() {
  clearTimeout(timer);
  running?.abort();
  const sentence = missing();
  showCode(byId("code"), model, teaching(), !sentence && query.items[0]);
  if (sentence) return showSentence(sentence, query.items.length ? "problem" : "quiet");
  if (!document.querySelector(".verdict")) showSentence("Asking the model ...", "quiet");
  timer = setTimeout(ask, PAUSE);
}

async function ask() {
  running = new AbortController();
  const { signal } = running;
  byId("answer").classList.add("busy");
  try {
    const answer = await predict(model.name, teaching(), query.items[0], signal);
    if (!signal.aborted) showAnswer(answer);
  } catch (error) {
    if (!signal.aborted) showSentence(error.message);
  } finally {
    if (!signal.aborted) byId("answer").classList.remove("busy");
  }
}

async function showSamples() {
  start(model);
  const given = await samples(model.modality, model.about.example_spec.sample_rate);
  const fill = (place, examples) =>
    model.modality === "text" ? place.setTexts(examples) : place.addFiles(examples);
  for (const [i, [name, examples]] of Object.entries(given.classes).entries()) {
    const entry = classes[i] ?? addClass();
    entry.field.value = name;
    await fill(entry.place, examples);
  }
  await fill(query, [given.query]);
}

async function main() {
  let models;
  try {
    models = await fetchModels();
  } catch (error) {
    return showSentence(error.message);
  }
  const usable = models.filter((one) => one.modality in LABELS);
  if (!usable.length) {
    return showSentence("The server has no model for this page yet. Reload once it has one.");
  }
  const select = byId("model");
  select.append(...usable.map(({ name }) => h("option", { textContent: name })));
  select.onchange = () => start(usable[select.selectedIndex]);
  byId("add-class").onclick = () => {
    addClass().field.focus();
    changed();
  };
  byId("sample").onclick = showSamples;
  start(usable[0]);
}

main();

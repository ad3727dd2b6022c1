// What is known of a model, in words.
import { h } from "./dom.js";

/** One line below the model's name. */
export function aboutLine({ about }) {
  const { modality, shape, sample_rate: rate, max_seconds: seconds } = about.example_spec;
  const kinds = {
    image: `Pictures, seen at ${shape[0]} × ${shape[1]} ${shape[2] === 1 ? "in grey" : "in colour"}`,
    audio: `Recordings${seconds ? ` of up to ${seconds} s` : ""} at ${rate} Hz`,
    text: "Texts",
  };
  return `${kinds[modality]}; classes: ${about.serves?.ways ?? "as trained"}.`;
}

/** The facts, and the card's own text if there is one. */
export function showCard(element, model) {
  const { about, card, summary } = model;
  const test = summary?.test ?? {};
  const encoder = about.encoder && `${about.encoder.name} (licence as stated: ${about.encoder.licence})`;
  const facts = {
    "Model": `${model.name}, version ${model.version}`,
    "Learner": about.learner,
    "Trained on": summary?.dataset,
    "Accuracy": test.accuracy !== undefined &&
      `${test.accuracy.toFixed(4)} ± ${test.ci95.toFixed(4)} on ${test.episodes} tasks of unseen classes (${summary.ways} classes, ${summary.shots} shot)`,
    "Examples": aboutLine(model),
    "Shots": about.serves?.shots,
    "None of these": about.none_threshold === undefined
      ? "this model has no score for it"
      : `above a score of ${about.none_threshold.toFixed(3)}`,
    "Pretrained": encoder,
  };
  const rows = Object.entries(facts).filter(([, value]) => value);
  const list = h("dl", {}, ...rows.flatMap(([name, value]) => [h("dt", { textContent: name }), h("dd", { textContent: value })]));
  element.replaceChildren(list);
  const text = card.replace(/^---\n.*?\n---\s+/s, "");
  if (text) element.append(h("pre", { className: "prose", textContent: text, tabIndex: 0 }));
}

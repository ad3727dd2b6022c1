// The answer, or a sentence in its place.
import { byId, h } from "./dom.js";

const percent = (share) => `${(100 * share).toFixed(1)} %`;

/** A sentence about what is wrong, or (`quiet`) about what comes next. */
export function showSentence(textContent, className = "problem") {
  byId("answer").classList.remove("busy");
  byId("answer").replaceChildren(h("p", { className, textContent }));
}

/** The most probable class, or "none of these", all probabilities, and the time. */
export function showAnswer({ scores, milliseconds, bytes, noneScore, noneThreshold }) {
  const none = noneScore > noneThreshold;
  const parts = [
    h("p", { className: "verdict", textContent: none ? "None of these" : scores[0].name }),
    h("ol", { className: "bars" }, ...scores.map((score, i) => bar(score, i === 0 && !none))),
  ];
  if (noneScore !== undefined) parts.push(noneLine(none, noneScore, noneThreshold));
  const size = bytes < 1e6 ? `${Math.ceil(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
  const time = `Answered in ${Math.round(milliseconds)} ms, ${size} sent.`;
  parts.push(h("p", { className: "quiet", textContent: time }));
  byId("answer").replaceChildren(...parts);
}

function bar({ name, probability }, first) {
  const fill = h("div", { className: "fill" });
  fill.style.width = percent(probability).replace(" ", "");
  return h("li", { className: first ? "first" : "" },
    h("span", { className: "name", textContent: name, title: name }),
    h("span", { className: "value", textContent: percent(probability) }),
    h("div", { className: "track", ariaHidden: "true" }, fill));
}

function noneLine(none, score, threshold) {
  const text = none
    ? `Unlike the examples: ${score.toFixed(2)}, above this model’s limit of ${threshold.toFixed(2)}.`
    : `“None of these” scores ${score.toFixed(2)}; this model says so above ${threshold.toFixed(2)}.`;
  return h("p", { className: "none quiet", textContent: text });
}

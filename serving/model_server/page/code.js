// The same request as a program would send it.
import { modelUrl, requestBody } from "./api.js";
import { button, h } from "./dom.js";

const LONGEST_INLINE = 1500; // characters of a body that stands in the command itself

/** The command for a shell; the body stands in a file where it is long. */
export function curlCommand(model, body) {
  const json = JSON.stringify(body);
  const data = json.length > LONGEST_INLINE ? "@request.json" : `'${json.replaceAll("'", `'\\''`)}'`;
  return `curl ${modelUrl(model.name)}:predict -d ${data}`;
}

/** The program; it reads the examples from files of the names that they have here. */
export function pythonProgram(model, classes, query) {
  const list = (items) => `[${items.map((item) => JSON.stringify(item.text ?? item.name)).join(", ")}]`;
  const lines = classes.map(({ name, items }) => `    ${JSON.stringify(name)}: ${list(items)},`);
  const labels = model.about.none_threshold === undefined ? "labels" : "labels_or_none()";
  return `from serving.client import FewShotClient

support = {
${lines.join("\n")}
}
with FewShotClient.connect("${new URL("..", location).href.replace(/\/$/, "")}", ${JSON.stringify(model.name)}) as client:
    answer = client.classify(support, ${list([query])})
print(answer.${labels}, answer.class_names, answer.probabilities)
`;
}

/** Shows both, and offers the request's body as a file. */
export function showCode(element, model, classes, query) {
  if (!query) {
    element.replaceChildren("Ask first.");
    return;
  }
  const body = requestBody(classes, query);
  const save = button("Save request.json", () => {
    const url = URL.createObjectURL(new Blob([JSON.stringify(body)], { type: "application/json" }));
    h("a", { href: url, download: "request.json" }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  });
  element.replaceChildren(
    ...block("curl", curlCommand(model, body), save),
    ...block("Python", pythonProgram(model, classes, query)),
  );
}

function block(title, text, ...more) {
  const copy = button("Copy", async () => {
    await navigator.clipboard.writeText(text);
    copy.textContent = "Copied";
  }, "", `Copy: ${title}`);
  const bar = h("div", { className: "heading" }, h("strong", { textContent: title }),
    h("div", { className: "tools" }, ...more, copy));
  return [bar, h("pre", { textContent: text, tabIndex: 0 })];
}

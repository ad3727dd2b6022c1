// The server: the list of its models, and TensorFlow Serving's REST API.

/** Lists the served models: name, version, what the model says of itself, its card. */
export async function fetchModels() {
  return (await send("models.json")).models;
}

/** The body of a predict request: examples as base64, texts as they are. */
export function requestBody(classes, query) {
  const value = (item) => (item.text === undefined ? { b64: item.b64 } : item.text);
  const support = classes.flatMap(({ name, items }) => items.map((item) => ({ name, item })));
  return {
    signature_name: "adapt_and_predict_encoded",
    inputs: {
      support_x: [support.map(({ item }) => value(item))],
      support_labels: [support.map(({ name }) => name)],
      query_x: [[value(query)]],
    },
  };
}

export const modelUrl = (name) => new URL(`../v1/models/${encodeURIComponent(name)}`, location).href;

/** Adapts to the classes and predicts for the query; throws an Error with a sentence. */
export async function predict(model, classes, query, signal) {
  const body = JSON.stringify(requestBody(classes, query));
  const start = performance.now();
  const headers = { "Content-Type": "application/json" };
  const options = { method: "POST", body, headers, signal };
  const { outputs } = await send(`${modelUrl(model)}:predict`, options).catch((error) => {
    throw new Error(sentence(error.message, classes, query));
  });
  const milliseconds = performance.now() - start;
  const scores = outputs.class_names[0]
    .map((name, i) => ({ name, probability: outputs.probabilities[0][0][i] }))
    .filter(({ name }) => name !== "")
    .sort((a, b) => b.probability - a.probability);
  return {
    scores,
    milliseconds,
    bytes: body.length,
    noneScore: outputs.none_score?.[0][0],
    noneThreshold: outputs.none_threshold?.[0],
  };
}

async function send(url, options) {
  const response = await fetch(url, options).catch(() => {
    throw new Error("The server does not answer. Is it still running?");
  });
  const document = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(document.error || `The server answers ${response.status}.`);
  return document;
}

/** The server's sentence without TensorFlow's names of graph nodes, with names of files. */
export function sentence(message, classes, query) {
  let text = message.split("\n\t [[")[0];
  text = text.match(/assertion failed: \[(.*)\]/s)?.[1] ?? text;
  const support = classes.flatMap(({ name, items }) =>
    items.map((item) => `“${item.name}” of the class “${name}”`));
  text = text.replace(/file (\d+) of `support_x`/i, (whole, number) => support[number] ?? whole);
  text = text.replace(/file \d+ of `query_x`/i, `The query “${query.name}”`);
  const broken = [...classes.flatMap(({ items }) => items), query].filter((item) => item.unreadable);
  if (!broken.length || broken.some(({ name }) => text.includes(`“${name}”`))) return text;
  return `${text} (This browser cannot read “${broken[0].name}” either.)`;
}

// Examples to try a model with, drawn or played here.
import { toBlob, wav } from "./media.js";

const STROKES = {
  hook: [[[0.25, 0.2], [0.85, 0.1], [0.75, 0.6], [0.3, 0.85]], [[0.3, 0.5], [0.75, 0.52]]],
  fork: [[[0.5, 0.88], [0.5, 0.45], [0.22, 0.18]], [[0.5, 0.5], [0.8, 0.18]]],
  loop: [[[0.72, 0.25], [0.3, 0.05], [0.15, 0.6], [0.5, 0.85], [0.85, 0.6], [0.45, 0.45]]],
};
const TEXTS = {
  music: ["play some jazz", "turn up the radio"],
  money: ["what is my balance", "send ten dollars to Anna"],
  weather: ["will it rain tomorrow", "how cold is it outside"],
};
const TONES = { low: [180, 180], high: [900, 900], rising: [180, 900] };


export const LABELS = {
  image: "Try it with drawings",
  text: "Try it with sentences",
  audio: "Try it with sounds",
};

/** Files (or texts) by class, and a query, for a modality. */
export async function samples(modality, rate) {
  if (modality === "text") return { classes: TEXTS, query: "is there a storm coming" };
  const [make, kinds, asked] = modality === "image" ? [draw, STROKES, "fork"] : [tone, TONES, "low"];
  const classes = {};
  for (const name of Object.keys(kinds)) {
    const numbers = [1, 2, 3];
    classes[name] = await Promise.all(numbers.map((i) => make(name, `${name}-${i}`, rate)));
  }
  return { classes, query: await make(asked, "query", rate) };
}

const vary = (size) => (Math.random() - 0.5) * size;

async function draw(name, fileName) {
  const size = 112;
  const canvas = Object.assign(document.createElement("canvas"), { width: size, height: size });
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, size, size);
  context.translate(size / 2, size / 2);
  context.rotate(vary(0.3));
  context.scale(1 + vary(0.2), 1 + vary(0.2));
  context.translate(-size / 2, -size / 2);
  Object.assign(context, { lineWidth: 4, lineCap: "round", lineJoin: "round" });
  for (const stroke of STROKES[name]) {
    const points = stroke.map((point) => point.map((value) => (value + vary(0.07)) * size));
    context.beginPath();
    context.moveTo(...points[0]);
    for (let i = 1; i < points.length - 1; i++) {
      const end = i === points.length - 2 ? points[i + 1] : middle(points[i], points[i + 1]);
      context.quadraticCurveTo(...points[i], ...end);
    }
    if (points.length === 2) context.lineTo(...points[1]);
    context.stroke();
  }
  return new File([await toBlob(canvas)], `${fileName}.png`, { type: "image/png" });
}

const middle = (a, b) => a.map((value, i) => (value + b[i]) / 2);

async function tone(name, fileName, rate) {
  const [from, to] = TONES[name].map((hertz) => hertz * (1 + vary(0.2)));
  const length = Math.round(rate * (0.45 + vary(0.2)));
  let phase = 0;
  const samples = Float32Array.from({ length }, (_, i) => {
    phase += (2 * Math.PI * (from + ((to - from) * i) / length)) / rate;
    return 0.5 * Math.sin(phase) * Math.sin((Math.PI * i) / length);
  });
  return new File([wav(samples, rate)], `${fileName}.wav`, { type: "audio/wav" });
}

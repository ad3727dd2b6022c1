// From files of any kind that the browser reads to those that the server reads.
// Others are sent as they are: the server says what is wrong with them.

/** Longest side of a picture that is sent, in pixels; larger ones are scaled down. */
export const MAX_SIDE = 512;

/** An example: its name, its bytes as base64, and a blob to show or play. */
async function example(name, blob) {
  return { name, blob, b64: await toBase64(blob) };
}

function toBase64(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}

/** A picture, upright, on white and at most MAX_SIDE wide and high. */
export async function pictureExample(file) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    return { ...(await example(file.name, file)), unreadable: true };
  }
  const scale = Math.min(1, MAX_SIDE / Math.max(bitmap.width, bitmap.height));
  const readable = file.type === "image/png" || file.type === "image/jpeg";
  if (scale === 1 && readable) return example(file.name, file);
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  const type = file.type === "image/jpeg" ? "image/jpeg" : "image/png";
  return example(file.name, await toBlob(canvas, type));
}

export const toBlob = (canvas, type = "image/png") =>
  new Promise((resolve) => canvas.toBlob(resolve, type, 0.92));

/** A recording as a wav file of one channel, 16 bits and `rate` samples a second. */
export async function soundExample(file, rate, { trimmed = false } = {}) {
  let sound;
  try {
    const bytes = await file.arrayBuffer();
    sound = await new OfflineAudioContext(1, 1, rate).decodeAudioData(bytes);
  } catch {
    return { ...(await example(file.name, file)), unreadable: true };
  }
  const samples = new Float32Array(sound.length);
  for (let channel = 0; channel < sound.numberOfChannels; channel++) {
    const values = sound.getChannelData(channel);
    for (let i = 0; i < samples.length; i++) samples[i] += values[i] / sound.numberOfChannels;
  }
  return example(file.name, wav(trimmed ? trim(samples, rate) : samples, rate));
}

/** Leaves out the quiet ends: pieces of 20 ms that stay below a twentieth of the peak. */
function trim(samples, rate) {
  const size = Math.round(rate / 50);
  const peak = samples.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const loud = (value) => Math.abs(value) > peak / 20;
  const [first, last] = [samples.findIndex(loud), samples.findLastIndex(loud)];
  if (first < 0) return samples;
  return samples.slice(first - (first % size), last + size - (last % size));
}

/** A wav file of one channel, 16 bits, from samples in -1..1. */
export function wav(samples, rate) {
  const values = Int16Array.from(samples, (value) =>
    Math.max(-32768, Math.min(32767, Math.round(value * 32768))));
  const size = values.byteLength;
  // "RIFF" size "WAVE" "fmt " 16, whole numbers of one channel, rates, 2 bytes of 16 bits, "data" size
  const header = Uint32Array.of(0x46464952, 36 + size, 0x45564157, 0x20746d66, 16, 0x10001, rate,
    2 * rate, 0x100002, 0x61746164, size);
  return new Blob([header, values], { type: "audio/wav" });
}

export const textExample = (text) => ({ name: text, text });

// Pictures and recordings made on the spot: camera, drawing, microphone. Each opens a dialog.
import { button, h } from "./dom.js";
import { toBlob } from "./media.js";
import { showSentence } from "./answer.js";

/** Opens a dialog and calls `onClose` when it is left; its buttons stand below the content. */
function open(title, onClose, content, ...buttons) {
  const tools = h("div", { className: "tools" }, ...buttons);
  const dialog = h("dialog", { ariaLabel: title }, h("h2", { textContent: title }), content, tools);
  dialog.addEventListener("close", () => {
    dialog.remove();
    onClose();
  });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** Asks for the camera or the microphone; says why where there is none. */
async function stream(constraints, what) {
  try {
    return await navigator.mediaDevices.getUserMedia(constraints);
  } catch (error) {
    const secure = window.isSecureContext ? "" : " Browsers give it to https and localhost only.";
    showSentence(`The ${what} cannot be used: ${error.message || error.name}.${secure}`);
    return null;
  }
}

/** Takes pictures with the camera until the dialog is closed; one if `single`. */
export async function takePictures(nextName, onFile, single) {
  const media = await stream({ video: { facingMode: "environment" } }, "camera");
  if (!media) return;
  const video = h("video", { srcObject: media, autoplay: true, muted: true, playsInline: true });
  const take = button("Take a picture", async () => {
    const canvas = h("canvas", { width: video.videoWidth, height: video.videoHeight });
    canvas.getContext("2d").drawImage(video, 0, 0);
    onFile(new File([await toBlob(canvas, "image/jpeg")], `${nextName()}.jpg`, { type: "image/jpeg" }));
    if (single) dialog.close();
  }, "main");
  const dialog = open("Camera", () => stop(media), video, take, button("Done", () => dialog.close()));
}

const stop = (media) => media.getTracks().forEach((track) => track.stop());

/** Takes drawings made with the pointer until the dialog is closed; one if `single`. */
export function drawPictures(nextName, onFile, single) {
  const canvas = h("canvas", { width: 280, height: 280, ariaLabel: "Draw here with the pointer" });
  const context = canvas.getContext("2d");
  const wipe = () => {
    context.fillStyle = "#fff";
    context.fillRect(0, 0, canvas.width, canvas.height);
  };
  wipe();
  Object.assign(context, { lineWidth: 10, lineCap: "round", lineJoin: "round" });
  const draw = (event) => {
    if (!event.buttons) return;
    const box = canvas.getBoundingClientRect();
    const scale = canvas.width / box.width;
    context.lineTo((event.clientX - box.left) * scale, (event.clientY - box.top) * scale);
    context.stroke();
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    context.beginPath();
    draw(event);
  });
  canvas.addEventListener("pointermove", draw);
  const add = button("Add the drawing", async () => {
    onFile(new File([await toBlob(canvas)], `${nextName()}.png`, { type: "image/png" }));
    wipe();
    if (single) dialog.close();
  }, "main");
  const done = button("Done", () => dialog.close());
  const dialog = open("Draw", () => {}, canvas, add, button("Clear", wipe), done);
}

/** Records one sound; it ends by itself after the seconds that the model takes. */
export async function recordSound(nextName, onFile, maxSeconds) {
  const media = await stream({ audio: true }, "microphone");
  if (!media) return;
  const recorder = new MediaRecorder(media);
  const parts = [];
  let wanted = true;
  recorder.addEventListener("dataavailable", ({ data }) => parts.push(data));
  recorder.addEventListener("stop", () => {
    stop(media);
    if (wanted) onFile(new File(parts, `${nextName()}.wav`, { type: recorder.mimeType }));
  });
  const seconds = maxSeconds || 10;
  const note = h("p", { textContent: `Recording, at most ${seconds} s ...`, role: "status" });
  const end = button("Stop and add", () => dialog.close(), "main");
  const cancel = button("Cancel", () => {
    wanted = false;
    dialog.close();
  });
  const finish = () => recorder.state === "recording" && recorder.stop();
  const dialog = open("Record", finish, note, end, cancel);
  recorder.start();
  setTimeout(() => dialog.isConnected && dialog.close(), 1000 * seconds - 100);
}

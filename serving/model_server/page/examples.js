// The places that take examples: a class, and the query.
import { button, count, h } from "./dom.js";
import { recordSound, takePictures, drawPictures } from "./capture.js";
import { pictureExample, soundExample, textExample } from "./media.js";

const KINDS = {
  image: { noun: "picture", accept: "image/*" },
  audio: { noun: "recording", accept: "audio/*" },
  text: { noun: "text" },
};

let active; // the place that was used last: there pasted files go

/** Adds pasted files to the place that was used last, unless something is typed. */
document.addEventListener("paste", (event) => {
  const files = [...event.clipboardData.files];
  if (!files.length || !active) return;
  event.preventDefault();
  active.addFiles(files);
});
// A file that misses a place must not replace the page.
for (const type of ["dragover", "drop"]) {
  document.addEventListener(type, (event) => event.preventDefault());
}

/** A card that holds examples of one class, or the query (`single`: a new one replaces it). */
export class Place {
  constructor(model, { single = false, onChange, title = "", name = () => "query" }) {
    Object.assign(this, { model, single, onChange, name });
    this.kind = KINDS[model.modality];
    this.items = [];
    this.list = h("ul", { className: "items" });
    this.element = h("div", { className: "card" }, title);
    this.element.append(...(model.modality === "text" ? this.textField() : this.fileTools()));
    this.element.addEventListener("pointerdown", () => (active = this));
    this.element.addEventListener("focusin", () => (active = this));
    this.show();
  }

  textField() {
    const about = this.single ? "The text to ask about" : "One text a line";
    const label = () => (this.single ? about : `Texts of ${this.name()}, one a line`);
    this.field = h("textarea", { placeholder: about, ariaLabel: label() });
    this.field.onfocus = () => (this.field.ariaLabel = label());
    this.field.oninput = () => this.readTexts();
    return [this.field];
  }

  readTexts() {
    const texts = this.single ? [this.field.value] : this.field.value.split("\n");
    this.items = texts.map((text) => text.trim()).filter(Boolean).map(textExample);
    this.onChange();
  }

  fileTools() {
    const { accept, noun } = this.kind;
    this.input = h("input", { type: "file", accept, multiple: !this.single, hidden: true });
    this.input.addEventListener("change", async () => {
      await this.addFiles([...this.input.files]);
      this.input.value = ""; // so that the same file can be chosen again
    });
    const again = this.single ? `Choose a ${noun}` : `Add ${noun}s`;
    const tools = [button(again, () => this.input.click(), this.single ? "main" : "tinted")];
    const add = (file) => this.addFiles([file], { recorded: true });
    const seconds = this.model.about.example_spec.max_seconds;
    if (this.model.modality === "image") {
      tools.push(button("Camera", () => takePictures(this.nextName("camera"), add, this.single)));
      tools.push(button("Draw", () => drawPictures(this.nextName("drawing"), add, this.single)));
    } else {
      tools.push(button("Record", () => recordSound(this.nextName("recording"), add, seconds)));
    }
    const drop = this.single ? `Drop a ${noun} here, or paste one` : `Drop ${noun}s here, or paste them`;
    this.hint = h("p", { className: "empty", textContent: drop });
    this.takeDrops();
    return [this.list, this.hint, h("div", { className: "tools" }, ...tools), this.input];
  }

  takeDrops() {
    const mark = (over) => this.element.classList.toggle("over", over);
    this.element.ondragover = () => mark(true);
    this.element.ondragleave = () => mark(false);
    this.element.ondrop = (event) => {
      mark(false);
      active = this;
      this.addFiles([...event.dataTransfer.files]);
    };
  }

  nextName = (start) => () => `${this.name()}-${start}-${this.items.length + 1}`.replace(/[\s/\\]+/g, "-");

  /** Adds files; `recorded` here, so that quiet ends of a recording are left out. */
  async addFiles(files, { recorded = false } = {}) {
    if (this.model.modality === "text") {
      const texts = await Promise.all(files.map((file) => file.text()));
      return this.setTexts([...this.items.map(({ text }) => text), ...texts]);
    }
    const rate = this.model.about.example_spec.sample_rate;
    const read = this.model.modality === "image"
      ? pictureExample
      : (file) => soundExample(file, rate, { trimmed: recorded });
    const items = await Promise.all(files.map(read));
    this.items = this.single ? items.slice(-1) : [...this.items, ...items];
    this.show();
    this.onChange();
  }

  /** Replaces the examples by these texts. */
  setTexts(texts) {
    this.field.value = texts.join("\n");
    this.readTexts();
  }

  clear() {
    if (this.field) return this.setTexts([]);
    this.items = [];
    this.show();
    this.onChange();
  }

  show() {
    if (this.field) return;
    this.hint.hidden = this.items.length > 0;
    this.list.hidden = !this.items.length;
    this.list.ariaLabel = `${count(this.items.length, this.kind.noun)} of ${this.name()}`;
    this.list.replaceChildren(...this.items.map((item) => h("li", {}, this.thumb(item), this.remover(item))));
  }

  remover(item) {
    return button("×", () => {
      this.items = this.items.filter((other) => other !== item);
      this.show();
      this.onChange();
      this.element.querySelector(".tools button").focus();
    }, "remove", `Remove ${item.name}`);
  }

  thumb(item) {
    item.url ??= URL.createObjectURL(item.blob);
    if (item.unreadable) return h("div", { className: "thumb", textContent: "unreadable", title: item.name });
    if (this.model.modality === "image") {
      return h("img", { className: "thumb", src: item.url, alt: item.name });
    }
    return button(`▶ ${item.name}`, () => new Audio(item.url).play(), "sound", `Play ${item.name}`);
  }
}

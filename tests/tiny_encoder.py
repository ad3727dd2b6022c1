"""A text encoder as small as possible, with random weights: two layers of 16 numbers."""

import json
from pathlib import Path

import numpy as np

LAYERS, SIZE, INNER = 2, 16, 32
LETTERS = "abcdefghijklmnopqrstuvwxyz"
VOCABULARY = [
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
    *("the", "play", "music", "song", "balance", "money", "table", "food", "##ing", "!"),
    *LETTERS,
    *(f"##{letter}" for letter in LETTERS),
]
CONFIG = {
    "model_type": "bert",
    "hidden_act": "gelu",
    "hidden_size": SIZE,
    "intermediate_size": INNER,
    "num_attention_heads": 4,
    "num_hidden_layers": LAYERS,
    "max_position_embeddings": 32,
    "layer_norm_eps": 1e-12,
}


def tensors(seed: int = 0) -> dict[str, np.ndarray]:
    """Random weights under the names of BERT."""
    shapes = {
        "embeddings.word_embeddings.weight": (len(VOCABULARY), SIZE),
        "embeddings.position_embeddings.weight": (32, SIZE),
        "embeddings.token_type_embeddings.weight": (2, SIZE),
        "embeddings.LayerNorm.weight": (SIZE,),
        "embeddings.LayerNorm.bias": (SIZE,),
    }
    for layer in range(LAYERS):
        dense = {
            **{f"attention.self.{part}": (SIZE, SIZE) for part in ("query", "key", "value")},
            "attention.output.dense": (SIZE, SIZE),
            "intermediate.dense": (INNER, SIZE),
            "output.dense": (SIZE, INNER),
            "attention.output.LayerNorm": (SIZE,),
            "output.LayerNorm": (SIZE,),
        }
        for name, shape in dense.items():
            shapes[f"encoder.layer.{layer}.{name}.weight"] = shape
            shapes[f"encoder.layer.{layer}.{name}.bias"] = shape[:1]
    rng = np.random.default_rng(seed)
    return {name: rng.normal(0, 0.5, shape).astype("<f4") for name, shape in shapes.items()}


def write_encoder(folder: Path, **config) -> Path:
    """Writes the encoder's folder; `config` overrides entries of config.json."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(CONFIG | config))
    (folder / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n", encoding="utf-8")
    (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\n")
    header, values, end = {}, [], 0
    for name, tensor in tensors().items():
        start, end = end, end + tensor.nbytes
        header[name] = {"dtype": "F32", "shape": tensor.shape, "data_offsets": [start, end]}
        values.append(tensor.tobytes())
    text = json.dumps(header).encode()
    with (folder / "model.safetensors").open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + b"".join(values))
    return folder

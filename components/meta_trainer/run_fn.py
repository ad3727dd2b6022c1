"""The function that the stock TFX Trainer calls: it meta-trains and exports the model."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from components.episodes.record import FILE_NAME, EpisodeSetRecord, read_record
from components.meta_trainer.build import assemble
from components.meta_trainer.export.calibration import UNCALIBRATED, fit_calibration
from components.meta_trainer.export.features import mean_statistics
from components.meta_trainer.export.phrase_list import choose_phrases
from components.meta_trainer.export.saved_model import export
from components.meta_trainer.export.warmup import first_episode, warmup_requests
from components.meta_trainer.interface_check import check_learner
from components.meta_trainer.options import TrainingOptions
from components.meta_trainer.training.distributed import join
from components.meta_trainer.training.features import features_once, on_features, stored_examples
from components.meta_trainer.training.input_pipeline import fixed_episodes, training_episodes
from components.meta_trainer.training.loop import meta_train
from components.meta_trainer.training.plateau import best_entry
from components.meta_trainer.training.start import fit_to_texts, initial_weights
from components.options import build_options
from serving import atomic
from serving.saved_model.warmup import write_warmup

HISTORY_FILE = "history.json"
SUMMARY_FILE = "meta_train.json"
VALIDATION_STACK = 50
VALIDATION_BYTES = 8_000_000
"""Bytes of stored examples in a stack of meta-validation. What a first layer gives takes 40 times
as many and more (32 channels of float32 for three of a byte)."""


def run_fn(fn_args: Any) -> None:
    """Runs `train_and_export` with TFX's FnArgs.

    `train_files`, patterns of the files of the split `train`, give the artifact's location;
    `model_run_dir` is the folder of the ModelRun artifact.
    """
    train_and_export(
        examples_uri(fn_args.train_files[0]),
        fn_args.custom_config,
        model_dir=fn_args.serving_model_dir,
        run_dir=fn_args.model_run_dir,
    )


def train_and_export(
    uri: str, config: Mapping[str, Any], *, model_dir: str, run_dir: str
) -> dict[str, Any]:
    """Meta-trains and exports, or continues where a killed run stopped.

    `config` holds the sections `learner` and `training`, the folder `checkpoint_root` and the
    `model_name` of the warm-up requests. The SavedModel goes to `model_dir`, which must not hold
    one of a run that was complete; TensorBoard logs, `history.json` and `meta_train.json` go to
    `run_dir`. Returns the content of `meta_train.json`: steps, episodes_per_second and, of a
    classifier, `calibration`; over a pretrained encoder, `encoder`; with
    `training.start_from`, `started_from`, a sentence.
    """
    record = read_record(uri)
    options = build_options(TrainingOptions, config["training"], "training")
    workers = join(options.episodes_per_step)
    assembly = assemble(record, config["learner"])
    check_learner(assembly, record)
    checkpoint_dir = os.path.join(config["checkpoint_root"], fingerprint(uri, config))

    parse = features_once(assembly, options.augment, uri, splits=("train", "eval"))
    trainable = on_features(assembly) if parse else assembly
    sizes = {"count": options.eval_episodes, "stack": validation_stack(record)}
    validation = fixed_episodes(uri, record, split="eval", parse=parse, **sizes)
    initial, taken = initial_weights(assembly, options.seed, options.start_from)
    if not taken:
        initial = fit_to_texts(assembly, initial, lambda: stored_examples(uri, "train"))
    trained = meta_train(
        trainable,
        options,
        training=lambda step: training_episodes(uri, record, options, step, parse),
        validation=validation,
        checkpoint_dir=checkpoint_dir,
        log_dir=run_dir,
        workers=workers,
        initial=initial,
    )
    per_second = trained.steps * options.episodes_per_step / max(trained.seconds, 1e-9)
    summary: dict[str, Any] = {"steps": trained.steps, "episodes_per_second": per_second}
    if not workers.is_first:
        workers.wait_for_first()
        return summary
    best = best_entry(trained.history, options)
    about = {"splits_hash": record.splits_hash, "meta_train_steps": trained.steps}
    calibration = UNCALIBRATED
    if assembly.task.classes:
        calibration, summary["calibration"] = fit_calibration(
            trainable, trained.weights, validation
        )
    about |= {"best_step": best["step"], "learner_options": dict(config["learner"])}
    about |= {"started_from": taken} if taken else {}
    summary |= {"started_from": taken} if taken else {}
    encoder = assembly.learner.network.backbone.encoder
    summary |= {"encoder": dict(encoder.about)} if encoder else {}
    statistics = mean_statistics(trainable, trained.weights, validation)
    summary_file = os.path.join(run_dir, SUMMARY_FILE)
    if tf.io.gfile.isdir(model_dir) and not tf.io.gfile.exists(summary_file):
        tf.io.gfile.rmtree(model_dir)  # of an attempt that was killed before it was complete
    phrases = choose_phrases(options.phrases, uri) if record.example_spec.phrases else ()
    export(assembly, trained.weights, model_dir, about, calibration, statistics, phrases)
    requests = warmup_requests(*first_episode(uri, record), assembly, trained.weights)
    write_warmup(Path(model_dir), config["model_name"], list(requests))
    atomic.write_json(os.path.join(run_dir, HISTORY_FILE), trained.history)
    atomic.write_json(summary_file, summary)
    workers.wait_for_first()
    return summary


def validation_stack(record: EpisodeSetRecord) -> int:
    """How many episodes meta-validation takes at once: fewer where their examples are large."""
    ways, shots, queries = record.shape_of("eval")
    size = ways * (shots + queries) * (record.example_spec.stored_bytes or 1)
    return max(1, min(VALIDATION_STACK, VALIDATION_BYTES // size))


def examples_uri(pattern: str) -> str:
    """The location of the Examples artifact with the files `uri/Split-train/*`."""
    return os.path.dirname(os.path.dirname(pattern))


def fingerprint(uri: str, config: Mapping[str, Any]) -> str:
    """The name of the checkpoints of one configuration on one set of episodes.

    A run that is started again finds them by it, although TFX gives it new output folders.
    """
    with tf.io.gfile.GFile(os.path.join(uri, FILE_NAME)) as file:
        described = json.dumps(config, sort_keys=True) + file.read()
    return hashlib.sha256(described.encode()).hexdigest()[:16]

"""Any TensorFlow Datasets builder by its name."""

import dataclasses
import os
from collections.abc import Iterator
from typing import Any

from components.episode_gen.options import DataOptions
from components.episode_gen.sources import tfds_features as features
from components.episode_gen.sources import tfds_prepare
from components.episode_gen.sources.base import CatalogueEntry, Source, Stored
from serving.errors import UserError

STANDARD_SPLITS = ("train", "validation", "test")  # others are mostly subsets of these
PART_SIZE = 5_000
BATCH_SIZE = 256


def open_source(data: DataOptions) -> Source:
    """Opens the data of the builder `data.name`; downloads and prepares them where need be.

    Raises:
      UserError: no such builder, split or feature; or the data cannot be downloaded.
    """
    directory = data.data_dir or os.environ.get("TFDS_DATA_DIR")
    names = [name.strip() for name in (data.name or "").split("+")]
    if len(names) > 1:
        # Their names are the groups: none needs a feature for it.
        alone = dataclasses.replace(data, split_by="class", eval_within=None)
        return Pooled({name: open_source(dataclasses.replace(alone, name=name)) for name in names})
    builder = tfds_prepare.find_builder(names[0], directory)
    tfds_prepare.prepare(builder, names[0])
    return TfdsSource(builder, data)


class Pooled:
    """Several sources as one, each a group of its own; ids and parts begin with its name.

    Raises:
      UserError: their examples differ in shape or kind.
    """

    def __init__(self, sources: dict[str, Source]) -> None:
        self.sources = sources
        self.spec = next(iter(sources.values())).spec
        for name, source in sources.items():
            if source.spec != self.spec:
                raise UserError(
                    f"`data.name` must join data of one kind: {name!r} holds {source.spec}, and "
                    f"{next(iter(sources))!r} {self.spec}."
                )

    def catalogue(self) -> Iterator[CatalogueEntry]:
        for name, source in self.sources.items():
            for entry in source.catalogue():
                yield CatalogueEntry(entry.class_name, name, f"{name}:{entry.example_id}")

    def parts(self) -> list[str]:
        sources = self.sources.items()
        return [f"{name}:{part}" for name, source in sources for part in source.parts()]

    def read(self, part: str) -> Iterator[Stored]:
        # A TFDS name may hold a colon, before its version; a slice, as "train[0:5]", has one too.
        name = next(name for name in self.sources if part.startswith(f"{name}:"))
        for stored in self.sources[name].read(part.removeprefix(f"{name}:")):
            yield Stored(f"{name}:{stored.example_id}", stored.content)

    def fingerprint(self) -> str:
        return " ".join(source.fingerprint() for source in self.sources.values())


class TfdsSource:
    """Reads a prepared builder. Example ids are TFDS's own slices: "train[17]"."""

    def __init__(self, builder: Any, data: DataOptions) -> None:
        self.builder = builder
        self.splits = _splits(builder, data)
        self.names = features.find_features(builder, data)
        self.reader = features.input_reader(builder.info.features[self.names.input], data)
        self.spec = self.reader.spec

    def catalogue(self) -> Iterator[CatalogueEntry]:
        label_name = features.value_names(self.builder.info.features[self.names.label])
        group_name = features.value_names(
            self.builder.info.features[self.names.group] if self.names.group else None,
            self.names.group_pattern,
        )
        wanted = {self.names.label} | ({self.names.group} if self.names.group else set())
        for split in self.splits:
            index = 0
            for batch in self._dataset(split, wanted).batch(1024).as_numpy_iterator():
                groups = batch[self.names.group] if self.names.group else None
                for row, label in enumerate(batch[self.names.label]):
                    group = None if groups is None else group_name(groups[row])
                    yield CatalogueEntry(label_name(label), group, f"{split}[{index}]")
                    index += 1

    def parts(self) -> list[str]:
        return [
            f"{split}[{start}:{min(start + PART_SIZE, size)}]"
            for split in self.splits
            for size in [self.builder.info.splits[split].num_examples]
            for start in range(0, size, PART_SIZE)
        ]

    def read(self, part: str) -> Iterator[Stored]:
        split, _, bounds = part.partition("[")
        index = int(bounds.partition(":")[0])
        dataset = self._dataset(part, {self.names.input}).map(lambda row: row[self.names.input])
        for stored in self.reader.read(dataset, BATCH_SIZE):
            yield Stored(f"{split}[{index}]", stored)
            index += 1

    def fingerprint(self) -> str:
        splits = self.builder.info.splits
        sizes = {split: splits[split].num_examples for split in self.splits}
        return f"{self.builder.info.full_name} {sizes}"

    def _dataset(self, split: str, wanted: set[str]) -> Any:
        import tensorflow_datasets as tfds

        # One file after the other: the n-th example read is then the n-th of the split.
        return self.builder.as_dataset(
            split=split,
            shuffle_files=False,
            decoders=tfds.decode.PartialDecoding(wanted),
            read_config=tfds.ReadConfig(interleave_cycle_length=1, try_autocache=False),
        )


def _splits(builder: Any, data: DataOptions) -> list[str]:
    known = list(builder.info.splits)
    if data.tfds_splits is None:
        return [split for split in STANDARD_SPLITS if split in known] or known
    chosen = [split.strip() for split in data.tfds_splits.split("+")]
    for split in chosen:
        if split not in known or chosen.count(split) > 1:
            raise UserError(
                f"`data.tfds_splits` must name different splits of {data.name!r} "
                f"({', '.join(sorted(known))}) joined by +: got {data.tfds_splits!r}."
            )
    return chosen

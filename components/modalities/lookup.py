"""The modality of a set of episodes."""

from collections.abc import Mapping
from typing import Any

from components.modalities.base import ExampleSpec, Modality


def modality_for(spec: ExampleSpec, data: Mapping[str, Any]) -> Modality:
    """Builds the modality of a set of episodes.

    Args:
      spec: the example as stored (`EpisodeSetRecord.example_spec`).
      data: the section `data` of the configuration (`EpisodeSetRecord.config["data"]`), for what
        the graph does beyond it, such as `invert`.
    """
    if spec.modality == "image":
        from components.modalities.image import image_modality

        size, _, channels = spec.shape
        return image_modality(
            size=int(size or 0), channels=int(channels or 0), invert=bool(data.get("invert", False))
        )
    if spec.modality == "text":
        from components.modalities.text import text_modality

        return text_modality()
    if spec.modality == "audio":
        from components.modalities.speech import audio_modality

        return audio_modality(
            sample_rate=spec.sample_rate or 0, max_seconds=float(data.get("max_seconds", 10.0))
        )
    if spec.modality == "vector":
        from components.modalities.vector import vector_modality

        return vector_modality(spec)
    raise ValueError(f"no modality named {spec.modality!r}")

"""The modality of a set of episodes."""

from components.modalities.base import ExampleSpec, Modality


def modality_for(spec: ExampleSpec) -> Modality:
    """Builds the modality of these examples; imports no other modality's code."""
    if spec.modality == "image":
        from components.modalities.image import image_modality

        return image_modality(spec)
    if spec.modality == "text":
        from components.modalities.text import text_modality

        return text_modality(spec)
    if spec.modality == "audio":
        from components.modalities.speech import audio_modality

        return audio_modality(spec)
    if spec.modality == "vector":
        from components.modalities.vector import vector_modality

        return vector_modality(spec)
    raise ValueError(f"no modality named {spec.modality!r}")

import pytest

from tests.components.few_shot_evaluator import small_episodes, small_models


@pytest.fixture(scope="session")
def examples_uri(tmp_path_factory):
    """600 noisy episodes in two shards, so that their order on disk is not that of their index."""
    return small_episodes.write_episodes(tmp_path_factory.mktemp("examples") / "1", 600)


@pytest.fixture(scope="session")
def saved(tmp_path_factory):
    """(class of small model) -> its uri, saved once."""
    uris = {}

    def uri_of(model_class, **options):
        if model_class not in uris:
            uris[model_class] = str(tmp_path_factory.mktemp(model_class.__name__))
            small_models.save(model_class(), uris[model_class], **options)
        return uris[model_class]

    return uri_of

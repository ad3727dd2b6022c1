"""What an exported model with a pretrained encoder answers, beside what its learner answers."""

import numpy as np

from components.meta_trainer.export.saved_model import export
from components.modalities.encoders import encoder_for
from serving.client.disk_transport import DiskTransport
from serving.protocol.model_spec import ModelSpec
from serving.saved_model import signatures as sig


def assert_served_as_trained(assembly, weights, folder, raw, trained):
    """Exports the model; `raw` is an example of each of three classes, then queries."""
    export(assembly, weights, str(folder / "1"), {})
    encoded = [encoder_for(assembly.modality.spec)(example) for example in raw]
    names = [b"a", b"b", b"c"]
    inputs = {
        sig.SUPPORT_X: np.array([encoded[:3]], object),
        sig.SUPPORT_LABELS: np.array([names], object),
        sig.QUERY_X: np.array([encoded[3:]], object),
    }
    served = DiskTransport(folder, ModelSpec("model")).run(sig.ENCODED, inputs, 60).outputs
    order = [served[sig.CLASS_NAMES][0].tolist().index(name) for name in names]
    np.testing.assert_allclose(served[sig.PROBABILITIES][0][:, order], trained, atol=1e-5)

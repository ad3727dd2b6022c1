"""Meta-training: learners (algorithms), backbones (networks), the training loop, the export."""

"""Layers with an episode axis, written for XLA on CPUs and differentiable twice."""

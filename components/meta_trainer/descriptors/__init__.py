"""Fixed descriptors of examples, beside which a network is learned."""

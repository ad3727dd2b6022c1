"""The pairs of sentences that the phrasebook is trained on."""

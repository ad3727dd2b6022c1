"""Everything that surrounds the SavedModel: its signatures, the server, the client, deployment."""

"""All code around an exported model: its signatures, versions, server, client and deployment."""

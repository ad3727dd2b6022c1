"""Errors that are a user's to mend; the class is serving's, which knows no component."""

from serving.errors import UserError

__all__ = ["UserError"]

"""The error for a user's mistake: one sentence, no stack trace."""


class UserError(ValueError):
    """A mistake in a configuration, a data set or a request.

    The message is one sentence: which argument, what rule, what value, how to correct it. The
    command line prints it and exits with status 2; retrying does not help.
    """

"""Status codes: the canonical names, their gRPC numbers and TensorFlow Serving's HTTP codes."""

OK = 0
CANCELLED = 1
UNKNOWN = 2
INVALID_ARGUMENT = 3
DEADLINE_EXCEEDED = 4
NOT_FOUND = 5
ALREADY_EXISTS = 6
PERMISSION_DENIED = 7
RESOURCE_EXHAUSTED = 8
FAILED_PRECONDITION = 9
ABORTED = 10
OUT_OF_RANGE = 11
UNIMPLEMENTED = 12
INTERNAL = 13
UNAVAILABLE = 14
DATA_LOSS = 15
UNAUTHENTICATED = 16

NAMES = {
    value: name for name, value in list(globals().items()) if name.isupper() and type(value) is int
}

HTTP = {
    OK: 200,
    CANCELLED: 499,
    UNKNOWN: 500,
    INVALID_ARGUMENT: 400,
    DEADLINE_EXCEEDED: 504,
    NOT_FOUND: 404,
    ALREADY_EXISTS: 409,
    PERMISSION_DENIED: 403,
    RESOURCE_EXHAUSTED: 429,
    FAILED_PRECONDITION: 400,
    ABORTED: 409,
    OUT_OF_RANGE: 400,
    UNIMPLEMENTED: 501,
    INTERNAL: 500,
    UNAVAILABLE: 503,
    DATA_LOSS: 500,
    UNAUTHENTICATED: 401,
}


class StatusError(Exception):
    """The error of a request, raised in the server and again in the client that receives it."""

    def __init__(self, code: int, message: str):
        super().__init__(f"{NAMES[code]}: {message}")
        self.code = code  # gRPC's number of the status
        self.message = message


def invalid_argument(message: str) -> StatusError:
    """Makes a StatusError with the code INVALID_ARGUMENT."""
    return StatusError(INVALID_ARGUMENT, message)

"""What can go wrong between a client and the service."""

from occode.errors import OccodeError


class ServiceError(OccodeError):
    """The service answered {status}: {reason}."""


class ServiceUnreachable(OccodeError):
    """The service at {url} does not answer: {reason}."""


class BatchFailed(OccodeError):
    """The batch {operation_id} ended as {status}: {reason}."""

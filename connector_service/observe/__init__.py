"""What can be seen of the service from outside: the readable log, without secrets and personal data.

Every part of the product writes through the standard library: ``logging.getLogger(__name__)``. ``set_up`` takes all of
it, and what libraries write, into one rotating file through loguru. Nothing is loaded for it before that.
"""

from connector_service.observe.log import set_up
from connector_service.observe.redact import HIDDEN, Redactor

__all__ = ["HIDDEN", "Redactor", "set_up"]

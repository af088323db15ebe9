"""One method for each thing a person can do; web, bot and command line only call these and show what comes back."""

from alerts.service.base import Finding, Service

__all__ = ["Finding", "Service"]

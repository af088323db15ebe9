"""Apprise, loaded when it is first needed: it costs a fifth of a second and 36 MB.

Services are made without files, pools, retries and pauses of their own: one URL is one send on the calling thread. What
Apprise logs goes nowhere but into the result of the send.
"""

from __future__ import annotations

import logging
import threading
import warnings
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from alerts.delivery.services import mask, scheme_of
from alerts.errors import ConfigError

if TYPE_CHECKING:
    from apprise import AppriseAsset
    from apprise.plugins.base import NotifyBase

_DEFAULT_PORTS = {"mqtt": 1883, "mqtts": 8883}
_lock = threading.Lock()  # Apprise reads its plugins in on first use, and not for two threads at once


@lru_cache(maxsize=1)
def asset() -> AppriseAsset:
    """Apprise's settings for everything we send, and its log silenced."""
    with _lock, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the modules that its 170 plugins import
        from apprise import AppriseAsset

        log = logging.getLogger("apprise")
        log.addHandler(logging.NullHandler())
        log.propagate = False
        log.setLevel(logging.DEBUG)  # its reasons are debug messages; the result of a send captures them
        _plugins()
        return AppriseAsset(
            app_id="Tocsin",
            app_desc="Tocsin news alerts",
            async_mode=False,
            service_timeout=0,
            storage_mode="memory",
            pgp_autogen=False,
            pem_autogen=False,
            http_redirects=False,
        )


def parse(url: str) -> dict[str, Any]:
    """The parts of a channel URL as its plugin reads them; `schema` and the parameters `qsd` among them.

    Raises:
        ConfigError: It cannot be read.
    """
    asset()
    from apprise.plugins import url_to_dict

    try:
        parsed: dict[str, Any] | None = url_to_dict(url, secure_logging=True)  # type: ignore[no-untyped-call]
    except (TypeError, AttributeError, LookupError, ValueError) as error:  # some plugins stumble over what is no URL
        raise ConfigError(_unreadable(url)) from error
    if not parsed or "schema" not in parsed:
        raise ConfigError(_unreadable(url))
    parsed.setdefault("qsd", {})
    return parsed


def plugin(scheme: str) -> type[NotifyBase]:
    """The class that sends for a scheme of the allow-list."""
    asset()
    found: type[NotifyBase] = _plugins()[scheme]
    return found


def _plugins() -> Any:
    """Apprise's table of plugins, scheme -> class, read in."""
    from apprise.manager_plugins import NotificationManager

    table = NotificationManager()  # type: ignore[no-untyped-call]
    table.schemas()  # type: ignore[no-untyped-call]
    return table


def missing_packages(service: type[NotifyBase]) -> str:
    """The packages a service lacks here, in words; empty when it can be used."""
    if service.enabled:
        return ""
    needed = service.requirements.get("packages_required") or "that its documentation names"
    return needed if isinstance(needed, str) else ", ".join(needed)


def load(url: str) -> NotifyBase:
    """The service of a channel URL, ready to send.

    Raises:
        ConfigError: Apprise cannot make sense of the URL.
    """
    settings = asset()
    maker = plugin(scheme_of(url))
    try:
        parts = maker.parse_url(url.replace("/#", "/%23"))
        service = maker(**parts, tag=set(), asset=settings) if parts else None
    except (TypeError, AttributeError, LookupError, ValueError) as error:
        raise ConfigError(_unreadable(url)) from error
    if service is None or not service.enabled:
        raise ConfigError(_unreadable(url))
    service.request_rate_per_sec = 0  # the governor does that
    return service


def endpoints(service: NotifyBase) -> list[tuple[str, int]]:
    """(host, port) of the server that the URL names; empty when the service has a fixed address."""
    if getattr(service, "mode", None) in ("cloud", "t2bot"):  # the public server; what stands for the host is a topic
        return []
    host = getattr(service, "smtp_host", None)
    if not host and "host" in service.template_tokens:
        host = service.host
    if not host:
        return []
    port = service.port or _DEFAULT_PORTS.get(service.schema) or (443 if service.secure else 80)
    return [(str(host).removeprefix("[").removesuffix("]"), int(port))]


def _unreadable(url: str) -> str:
    page = getattr(plugin(scheme_of(url)), "setup_url", "") or "its documentation"
    return f"channel URL: {mask(url)} is not complete, or not in the form that Apprise reads; {page} shows it"

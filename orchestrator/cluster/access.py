"""Where the API server is and who we are: a kubeconfig, or the account of the pod.

Invariants: nothing process-wide is configured; what a kubeconfig holds (tokens, keys) is in no
error text; no broken kubeconfig passes as an address on this machine.
"""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from orchestrator.model.errors import SettingsError

_PLUGIN_TIMEOUT: Final = 30.0  # seconds that an exec plugin may take


@dataclass(frozen=True)
class ClusterTarget:
    """Which cluster: a kubeconfig (several files joined as in ``KUBECONFIG``) or the pod's own."""

    kind: Literal["kubeconfig", "in-cluster"]
    kubeconfig: Path | None = None
    context: str | None = None

    def __str__(self) -> str:
        if self.kind == "in-cluster":
            return "in-cluster account"
        context = f", context {self.context}" if self.context else ""
        return f"kubeconfig {self.kubeconfig or 'of the environment'}{context}"


async def open_client(target: ClusterTarget, *, connections: int) -> Any:
    """Return a new ``ApiClient``; contacts nothing but an exec plugin. Errors: SettingsError."""
    import aiohttp
    import yaml
    from kubernetes_asyncio import client, config

    configuration = client.Configuration()
    configuration.connection_pool_maxsize = connections
    try:
        async with asyncio.timeout(_PLUGIN_TIMEOUT):
            await _load(target, configuration)
        # Reads certificates, and refuses those that are none.
        api = client.ApiClient(configuration)
    except TimeoutError as exc:
        raise SettingsError(f"{target}: its exec plugin did not end in time") from exc
    except (
        config.ConfigException,
        yaml.YAMLError,
        aiohttp.ClientError,
        OSError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        AssertionError,
    ) as exc:
        # What the library raises for files that are no kubeconfig, as it comes; not chained,
        # because its texts quote the file.
        raise SettingsError(f"{target}: {_told(exc)}") from None
    if _on_this_machine(str(configuration.host)):
        _without_proxy(api)
    return api


async def _load(target: ClusterTarget, configuration: Any) -> None:
    from kubernetes_asyncio import config

    if target.kind == "in-cluster":
        config.load_incluster_config(  # type: ignore[no-untyped-call]
            client_configuration=configuration
        )
        return
    configuration.host = ""
    await config.load_kube_config(
        config_file=str(target.kubeconfig) if target.kubeconfig else None,
        context=target.context,
        client_configuration=configuration,
        persist_config=False,
    )
    if urlsplit(configuration.host).scheme not in ("http", "https"):
        raise config.ConfigException("its cluster has no 'server' that is an http(s) address")


def _told(exc: Exception) -> str:
    """Return what is wrong, without what the library quotes of the file (a dict, a list)."""
    if isinstance(exc, ssl.SSLError):
        return "a certificate or key in it cannot be read"
    if isinstance(exc, (LookupError, TypeError, AttributeError, AssertionError)):
        return "not a complete kubeconfig"
    text = " ".join(str((exc.strerror if isinstance(exc, OSError) else None) or exc).split())
    for opening in "{[":
        text = text.partition(opening)[0]
    return text.strip() or f"not usable ({type(exc).__name__})"


def _on_this_machine(server: str) -> bool:
    host = urlsplit(server).hostname or ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    # k3d writes 0.0.0.0.
    return address.is_loopback or address.is_unspecified


def _without_proxy(api: Any) -> None:
    """Keep HTTP_PROXY out of the way to this machine, as kubectl does (Go's net/http)."""
    import aiohttp

    old = api.rest_client.pool_manager
    api.rest_client.pool_manager = aiohttp.ClientSession(
        connector=old.connector, trust_env=False, cookie_jar=aiohttp.DummyCookieJar()
    )
    old.detach()

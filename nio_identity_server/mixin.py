"""The mixin for nio's ``AsyncClient``, and ``enable()`` for a client that exists already.

The only file that imports nio. Three nets see each sync response before nio dispatches it: nio runs
global account-data callbacks last, so anything later deadlocks a callback that awaits a call, and
loses the event when an earlier callback raises.

1. ``create_matrix_response`` knows the request that a response answers.
2. ``receive_response`` sees responses that were injected.
3. A global account-data callback sees events that reach callbacks by another way still.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextlib import suppress
from http import HTTPStatus
from typing import Any, cast

import attrs
from nio import AsyncClient, Response, SyncError, SyncResponse, UnknownAccountDataEvent

from nio_identity_server.client.config import IdentityServerConfig
from nio_identity_server.client.homeserver import NioClient
from nio_identity_server.client.identity_server import IdentityServer
from nio_identity_server.preference.account_data import EVENT_TYPE
from nio_identity_server.preference.evidence import SyncRequest

_log = logging.getLogger("nio_identity_server")

_SEEN = "_identity_server_seen"
"""Set on responses and events that an earlier net has judged."""

_BEGAN = "_identity_server_began"
"""Set on transport responses: how many reads had been answered when the request was made."""

_SYNCS = (SyncResponse, SyncError)
_OK = int(HTTPStatus.OK)


class IdentityServerEvent(UnknownAccountDataEvent):  # type: ignore[misc] # nio is untyped
    """The user's choice of identity server, as a nio account-data event.

    Put in place of nio's ``UnknownAccountDataEvent`` before dispatch, so that
    ``client.add_global_account_data_callback(callback, IdentityServerEvent)`` works.

    Attributes:
        type: ``m.identity_server``.
        content: The content as the homeserver delivered it.
    """


class IdentityServerMixin:
    """Gives a nio ``AsyncClient`` its user's identity server.

    ``class Bot(IdentityServerMixin, AsyncClient)``: the mixin comes first. It adds one name,
    ``identity_server``, and extends ``close()``.

    Attributes:
        identity_server_config: Configuration for all clients of the class; the keyword of
            ``__init__`` wins.
    """

    identity_server_config: IdentityServerConfig | None = None

    def __init__(
        self, *args: Any, identity_server_config: IdentityServerConfig | None = None, **kwargs: Any
    ) -> None:
        _check_config(identity_server_config)
        super().__init__(*args, **kwargs)
        if identity_server_config is not None:
            self.identity_server_config = identity_server_config
        _lay_last_net(self)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        mro = cls.__mro__
        if AsyncClient in mro and mro.index(AsyncClient) < mro.index(IdentityServerMixin):
            raise TypeError(
                f"class {cls.__name__}: IdentityServerMixin must stand before the nio client, "
                f"or it sees nothing: class {cls.__name__}(IdentityServerMixin, AsyncClient)"
            )

    @property
    def identity_server(self) -> IdentityServer:
        """The identity server of this client's user."""
        server: IdentityServer | None = self.__dict__.get("_identity_server")
        if server is None:
            client = cast("NioClient", self)
            server = IdentityServer(client, self.identity_server_config)
            self.__dict__["_identity_server"] = server
        return server

    async def send(self, method: str, path: str, *args: Any, **kwargs: Any) -> Any:
        """Note what was known when a request began, which the first net compares."""
        began = self.identity_server.observer.reads if "_identity_server" in self.__dict__ else 0
        response = await super().send(method, path, *args, **kwargs)  # type: ignore[misc]
        try:
            setattr(response, _BEGAN, began)
        except AttributeError:  # not aiohttp's: then no change is late
            _log.debug("the beginning of a request could not be noted")
        return response

    async def create_matrix_response(self, *args: Any, **kwargs: Any) -> Any:
        """First net: see a response together with the request that it answers."""
        response = await super().create_matrix_response(*args, **kwargs)  # type: ignore[misc]
        _see(self, response)
        return response

    async def receive_response(self, response: Any) -> None:
        """Second net: see a response that was injected; and notice another login."""
        _see(self, response)
        await super().receive_response(response)  # type: ignore[misc]
        if not isinstance(response, _SYNCS) and "_identity_server" in self.__dict__:
            self.identity_server.observer.forget_other_users()

    async def close(self) -> None:
        """Close the connections to identity servers, then the client."""
        try:
            if "_identity_server" in self.__dict__:
                await self.identity_server.close()
        finally:
            await super().close()  # type: ignore[misc]


def enable(client: Any, config: IdentityServerConfig | None = None) -> IdentityServer:
    """Give a nio client that exists already its user's identity server.

    The client's class becomes a subclass of what it was, with the mixin in front.

    Args:
        client: A nio ``AsyncClient``, or one of any class made from it.
        config: The configuration; None takes the class's.

    Returns:
        ``client.identity_server``; again the same if the client was enabled before.

    Raises:
        TypeError: If it is no ``AsyncClient``.
        ValueError: If it was enabled before with another configuration.
    """
    if not isinstance(client, AsyncClient):
        raise TypeError(f"enable() takes a nio AsyncClient, not {type(client).__name__}")
    _check_config(config)
    if isinstance(client, IdentityServerMixin):
        if config is not None and config != client.identity_server.config:
            raise ValueError("this client has its identity server already, configured otherwise")
        return client.identity_server
    client.__class__ = _enabled_class(type(client))
    if config is not None:
        client.identity_server_config = config
    _lay_last_net(client)
    server: IdentityServer = client.identity_server
    if client.next_batch:
        # Nobody need wait for another: the call may stand inside a callback of it.
        server.observer.note_sync()
    return server


def _check_config(config: object) -> None:
    if config is not None and not isinstance(config, IdentityServerConfig):
        raise TypeError(f"an IdentityServerConfig is needed, not {type(config).__name__}")


_enabled_classes: dict[type, type] = {}


def _enabled_class(cls: type) -> type:
    if cls not in _enabled_classes:
        name = f"IdentityServer{cls.__name__}"
        _enabled_classes[cls] = type(name, (IdentityServerMixin, cls), {"__module__": __name__})
    return _enabled_classes[cls]


def _lay_last_net(client: Any) -> None:
    """Third net, laid at construction: nio-bot replays a stored sync before its first request."""

    def see(event: Any) -> None:
        try:
            if not getattr(event, _SEEN, False):
                for content in _contents([event]):
                    client.identity_server.observer.observe([content], None, None)
        except Exception:  # noqa: BLE001 - design: hooks never end a sync
            _was_blind(client)

    client.add_global_account_data_callback(see, None)


def _see(client: Any, response: Any) -> None:
    """Judge a response, once. An error in here is logged and never ends a sync."""
    if isinstance(response, _SYNCS) or hasattr(response, "account_data_events"):
        try:
            if not getattr(response, _SEEN, False):
                setattr(response, _SEEN, True)
                observer = client.identity_server.observer
                contents = _contents(getattr(response, "account_data_events", ()))
                transport = response.transport_response
                if transport is None:
                    observer.observe(contents, None, None)
                else:
                    request = _request(response, transport, observer.reads)
                    observer.observe(contents, request, _token(transport))
        except Exception:  # noqa: BLE001 - design: hooks never end a sync
            _was_blind(client)


def _was_blind(client: Any) -> None:
    """Tell of the error in hand; what could not be looked at may have held a change."""
    _log.exception("a sync response could not be looked at for the user's identity server")
    with suppress(Exception):  # the same trouble again, which has just been told
        client.identity_server.observer.note_unreadable_sync()


def _contents(events: Iterable[Any]) -> list[object]:
    """The content of each event of ours; the events are marked."""
    contents = []
    for event in events:
        if _type_of(event) == EVENT_TYPE:
            contents.append(_content_of(event))
            _mark(event)
    return contents


def _request(response: Response, transport: Any, reads: int) -> SyncRequest | None:
    """The request that a good response answers."""
    if transport.status != _OK or isinstance(response, SyncError):
        return None
    request = SyncRequest.from_query(_first(transport).url.raw_query_string)
    is_late = getattr(transport, _BEGAN, reads) != reads
    whole = isinstance(response, SyncResponse)
    return request if whole and not is_late else attrs.evolve(request, whole=whole, is_late=is_late)


def _token(transport: Any) -> str:
    authorization: str = _first(transport).request_info.headers.get("Authorization", "")
    return authorization.removeprefix("Bearer ")


def _first(transport: Any) -> Any:
    """What answered the request that nio made, before any redirect was followed."""
    return transport.history[0] if transport.history else transport


def _mark(event: Any) -> None:
    """Mark an event as seen, and make it typed if its content is an object.

    The class is assigned, not a new event built: forks of nio have more fields.
    """
    setattr(event, _SEEN, True)
    if type(event) is UnknownAccountDataEvent:
        event.__class__ = IdentityServerEvent


def _type_of(event: Any) -> object:
    """An event's type; of a malformed one, what its source says."""
    if hasattr(event, "type"):
        return event.type
    source = getattr(event, "source", None)
    return source.get("type") if isinstance(source, dict) else None


def _content_of(event: Any) -> object:
    """An event's content; of a malformed one, what its source says, which is never a mapping."""
    if isinstance(event, UnknownAccountDataEvent):
        return event.content
    source = getattr(event, "source", None)
    return source.get("content") if isinstance(source, dict) else None

"""Ignite's engine, its events fired without waste, its exceptions never swallowed."""

from __future__ import annotations

import logging
import weakref
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, NoReturn

from ignite.engine import Engine, Events
from ignite.engine.events import RemovableEventHandle

__all__ = ["Call", "EventEngine", "is_known", "name_of"]

log = logging.getLogger(__name__)


class Call(NamedTuple):
    """A handler and what it is called with.

    Attributes:
        handler: a function, or a bound method.
        takes_engine: the engine comes first among its arguments.
        args: that were given to ``add_event_handler``.
        kwargs: the same by name.
        alone: it is called with nothing, as most are: that is quicker.
    """

    handler: Callable[..., Any]
    takes_engine: bool
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    alone: bool


class EventEngine(Engine):
    """An Ignite ``Engine`` whose handlers lie ready to be called, under the names of the events somebody listens to.

    Attributes:
        calls: what is called for each event that has handlers; an event without any costs a look-up here.
        before_call: called before each handler of an event that may be broken off.
    """

    def __init__(self, process_function: Callable[[Any, Any], Any]) -> None:
        self.calls: dict[str, tuple[Call, ...]] = {}
        self.before_call: Callable[[], None] = _nothing
        super().__init__(process_function)

    def add_event_handler(
        self, event_name: Any, handler: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> RemovableEventHandle:
        """As Ignite's."""
        handle = super().add_event_handler(event_name, handler, *args, **kwargs)
        self._list_calls()
        return handle

    def remove_event_handler(self, handler: Callable[..., Any], event_name: Any) -> None:
        """As Ignite's."""
        super().remove_event_handler(handler, event_name)
        self._list_calls()

    def _list_calls(self) -> None:
        self.calls.clear()
        for event, handlers in self._event_handlers.items():
            if handlers:
                name = event if isinstance(event, str) else event.name  # Ignite takes an event's name for the event
                self.calls[name] = tuple(_call(handler, args, kwargs) for handler, args, kwargs in handlers)

    def _fire_event(self, event_name: Any, *event_args: Any, **event_kwargs: Any) -> None:
        self.last_event_name = event_name
        name = event_name._name_
        for handler, takes_engine, args, kwargs, alone in self.calls.get(name, ()):
            try:
                if alone and not event_args and not event_kwargs:
                    handler()
                else:
                    engine = (self,) if takes_engine else ()
                    handler(*engine, *event_args, *args, **kwargs, **event_kwargs)
            except BaseException as error:
                error.add_note(f"in {name_of(handler)}, at {name}, iteration {self.state.iteration}")
                raise

    def fire_each_once(self, event: Any, called: list[str]) -> None:
        """Fire an event that may be broken off and fired again: each of its handlers is called to its end once.

        Args:
            event: without arguments.
            called: names of the handlers that were called before; those called now are added to it.
        """
        self.last_event_name = event
        if event._name_ not in self.calls:
            return
        left = Counter(called)
        for call in self.calls[event._name_]:
            name = name_of(call.handler)
            if left[name]:
                left[name] -= 1
                continue
            self.before_call()
            try:
                call.handler(*((self,) if call.takes_engine else ()), *call.args, **call.kwargs)
            except BaseException as error:
                error.add_note(f"in {name}, at {event._name_}, iteration {self.state.iteration}")
                raise
            called.append(name)

    def _handle_exception(self, e: BaseException) -> NoReturn:
        for call in self.calls.get(Events.EXCEPTION_RAISED.name, ()):
            engine = (self,) if call.takes_engine else ()
            try:
                call.handler(*engine, e, *call.args, **call.kwargs)
            except BaseException:  # the others are to hear too, and the run ends with the first error
                log.exception("%s failed at EXCEPTION_RAISED", name_of(call.handler))
        raise e


def _nothing() -> None:
    """What is called where nobody wants to be."""


def _call(handler: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call:
    takes_engine = bool(args) and isinstance(args[0], weakref.ref)  # how Ignite marks "pass the engine"
    return Call(handler, takes_engine, args[1:] if takes_engine else args, kwargs, alone=not args and not kwargs)


def name_of(function: Callable[..., Any]) -> str:
    """``EarlyStopping.check`` or ``my_handler``: what the author wrote, not what Ignite wrapped it in."""
    written = _unwrapped(function)
    return getattr(written, "__qualname__", type(written).__qualname__)


def is_known(function: Callable[..., Any]) -> bool:
    """Whether what is called is torch's, Ignite's or ours: none of it draws from ``random`` or ``numpy.random``."""
    written = _unwrapped(function)
    while isinstance(written, partial):
        written = written.func
    return str(written.__module__).partition(".")[0] in ("torch", "ignite", "ignite_workflow")


def _unwrapped(function: Callable[..., Any]) -> Any:
    parent = getattr(function, "_parent", None)  # Ignite's wrapper of a filtered handler
    return function if parent is None else parent()

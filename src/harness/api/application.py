"""The project's app: an ASGI app, or a factory of one, with settings or without."""

from __future__ import annotations

import contextlib
import inspect
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.config import Config, cause, load_config, load_object
from harness.errors import HarnessError

NOWHERE = "postgresql://nobody@/nowhere?host=/nowhere"
"""The database's address while none is known."""


@contextlib.contextmanager
def environment(config: Config, database_url: str = "") -> Iterator[None]:
    """Set the variables that the app reads: the database's address and, if unset, `[tool.harness] environment`.

    Without an address that of the environment stays.
    """
    before = dict(os.environ)
    given = {config.database_env: database_url} if database_url else {}
    os.environ.update({config.database_env: NOWHERE, **config.environment, **before, **given})
    try:
        yield
    finally:
        for name in (*config.environment, config.database_env):
            if name in before:
                os.environ[name] = before[name]
            else:
                os.environ.pop(name, None)


def make_app(config: Config) -> Any:
    """Return the app of `[tool.harness]`; call this in its `environment`.

    Raises:
        HarnessError: when it or its settings cannot be made.
    """
    app = load_object(config.app)
    if not is_factory(app):
        return app
    if _required(app) and not config.settings:
        raise HarnessError(
            f"{config.app} takes settings, and [tool.harness] names none",
            remedy='name their class: settings = "package.module:Settings"',
        )
    arguments = [_make(config, config.settings)] if config.settings and inspect.signature(app).parameters else []
    return _make(config, config.app, *arguments)


def is_factory(app: Any) -> bool:
    """Return whether `app` makes an ASGI app. An ASGI app itself takes three arguments: scope, receive and send."""
    return len(_required(app)) < 3


def uvicorn_arguments(config: Config) -> list[str]:
    """Return what uvicorn needs to run the app in its `environment`, in the project's root."""
    app = load_object(config.app)
    if not is_factory(app):
        return [config.app]
    return ["--factory", f"{__name__}:make_configured_app" if _required(app) else config.app]


def make_configured_app() -> Any:
    """Return the app of the project in the working directory."""
    return make_app(load_config(Path.cwd()))


def _required(app: Any) -> list[inspect.Parameter]:
    named = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = inspect.signature(app).parameters.values()
    return [each for each in parameters if each.kind in named and each.default is each.empty]


def _make(config: Config, path: str, *arguments: Any) -> Any:
    """Call the factory or the class of settings at `path`; settings may take the address as `database_url`."""
    call = load_object(path)
    address = os.environ.get(config.database_env)
    takes_address = path == config.settings and "database_url" in inspect.signature(call).parameters
    try:
        return call(*arguments, **{"database_url": address} if address and takes_address else {})
    except (Exception, SystemExit) as error:
        raise HarnessError(
            f"{path} cannot be made: {cause(error)}",
            looked_at=f"the variables {', '.join((config.database_env, *config.environment))}",
            remedy=(
                f'give a setting that it lacks: [tool.harness.environment] {_variable(call, error)} = "…"',
                f"name the variable of the database's address in database-env (now {config.database_env})",
            ),
        ) from error


def _variable(settings: Any, error: BaseException) -> str:
    """Return the environment variable of the first setting that pydantic found wrong, else an example."""
    fields = getattr(settings, "model_fields", {})
    wrong = (
        [str(item["loc"][0]) for item in error.errors() if item["loc"]] if fields and hasattr(error, "errors") else []
    )
    name = wrong[0] if wrong else "api_key"
    prefix = settings.model_config.get("env_prefix", "") if name in fields else ""
    return f"{prefix}{name}".upper()

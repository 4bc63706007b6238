"""The process that serves: `python -m sealy`, which the image and the systemd unit start."""

import gc
from typing import Any

OPTIONS: dict[str, Any] = {
    "timeout_graceful_shutdown": 4,  # then a statement has the 5 s of deploy/db/roles.sql: hosts kill after 10
    "timeout_keep_alive": 75,  # longer than the proxies'
    "access_log": False,  # the app writes its own
    "server_header": False,
}


def main() -> None:
    """Serve on the settings' host and port; uvicorn itself reads WEB_CONCURRENCY and FORWARDED_ALLOW_IPS."""
    gc.disable()  # what imports create stays: looking for garbage among it costs a twentieth of a start
    import uvicorn  # noqa: PLC0415

    import sealy.main  # noqa: F401, PLC0415
    from sealy.settings import Settings  # noqa: PLC0415

    gc.freeze()
    gc.enable()
    settings = Settings.read()
    uvicorn.run("sealy.main:create_app", factory=True, host=settings.host, port=settings.port, **OPTIONS)


if __name__ == "__main__":
    main()

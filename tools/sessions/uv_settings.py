"""The settings by which uv installs as pip does: it reads neither pip's options nor the system's certificates."""

from __future__ import annotations

import configparser
import contextlib
import os
import ssl
import sys
from pathlib import Path

PIP_TO_UV = {
    "index-url": ("UV_INDEX_URL", " "),
    "extra-index-url": ("UV_EXTRA_INDEX_URL", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "trusted-host": ("UV_INSECURE_HOST", " "),
    "cert": ("SSL_CERT_FILE", " "),
}
"""Options of pip, and the variable by which uv takes each, with what separates several values."""

HOME = Path(os.getenv("HOME", "/"))
CONFIG = Path(os.getenv("XDG_CONFIG_HOME") or HOME / ".config")
CACHE = Path(os.getenv("XDG_CACHE_HOME") or HOME / ".cache")


def pip_options() -> dict[str, str]:
    """Return pip's options from its variables and files (pip's manual, Configuration)."""
    files = ("/etc/xdg/pip/pip.conf", "/etc/pip.conf", HOME / ".pip" / "pip.conf", CONFIG / "pip" / "pip.conf")
    parser = configparser.RawConfigParser()
    parser.read([*files, os.getenv("PIP_CONFIG_FILE", os.devnull)], encoding="utf-8")
    options = {name: value for table in ("global", "install") if table in parser for name, value in parser.items(table)}
    return options | {name[4:].lower().replace("_", "-"): os.environ[name] for name in os.environ if name[:4] == "PIP_"}


def is_writable(directory: Path) -> bool:
    """Make a directory if there is none, and return whether this user can write there."""
    with contextlib.suppress(OSError):
        directory.mkdir(parents=True, exist_ok=True)
    return os.access(directory, os.W_OK)


def uv_settings() -> dict[str, str]:
    """Return the variables for uv that this environment does not set itself."""
    options = pip_options()
    found = {uv: separator.join(options[pip].split()) for pip, (uv, separator) in PIP_TO_UV.items() if options.get(pip)}
    if "UV_EXTRA_INDEX_URL" in found:  # pip takes the best version of all indexes, uv that of the first one
        found["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    if sys.platform == "darwin" or any(Path(ssl.get_default_verify_paths().openssl_capath).glob("*")):
        found["UV_SYSTEM_CERTS"] = "1"
    if not is_writable(CACHE / "uv"):
        found["UV_CACHE_DIR"] = str(Path(".nox/uv").resolve())
    return {name: value for name, value in found.items() if name not in os.environ}

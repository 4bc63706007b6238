"""The rules over a traced revision and over its file; importing this package registers them all."""

from __future__ import annotations

import pkgutil
from importlib import import_module

for _found in pkgutil.iter_modules(__path__, f"{__name__}."):
    import_module(_found.name)

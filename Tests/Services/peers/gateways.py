# SPDX-License-Identifier: Apache-2.0
"""gateway as tests use it: started in front of backends, on ports that the system chose."""

from __future__ import annotations

from .users import Service


class Gateway(Service):
    """A gateway in front of what is named without dashes. Clients ask it as they would ask the backends."""

    def __init__(self, path: str, *words: str, **options):
        flags = [word if word.startswith("--") else f"--backend={word}" for word in words]
        super().__init__(path, *flags, **options)

    def ready(self) -> "Gateway":
        """The gateway, once calls can be passed on."""
        self.line(r" notice ready")
        return self

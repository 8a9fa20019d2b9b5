"""Who lives in the sandbox: people, companies, payers; the same for the same seed."""

from sandbox.world.build import World, build_world

__all__ = ["World", "build_world"]

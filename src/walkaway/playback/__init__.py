"""A model server on loopback that speaks three vendors' protocols and reads its lines from a YAML file.

It is how walkaway is tested, demonstrated and measured: over real HTTP, with the real client libraries, and
without a model. The package imports nothing else of walkaway.
"""

from walkaway.playback.load import load
from walkaway.playback.script import Script, ScriptError
from walkaway.playback.server import running, serve

__all__ = ["Script", "ScriptError", "load", "running", "serve"]

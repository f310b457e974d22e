# What `edge` declares, for type checkers; when run, names are looked up as they are asked for.
from edge import *  # noqa: F403
from edge import __all__ as __all__
from edge import __version__ as __version__

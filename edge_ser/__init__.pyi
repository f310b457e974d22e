# What `edge` declares, for type checkers: at run time its names are looked up when they are asked for.
from edge import *
from edge import __all__ as __all__
from edge import __version__ as __version__

"""The workstation side: corpora, training, evaluation and export."""

#: By this line the command knows the package from another of its name.
__distribution__ = "edge-ser-quantize"

"""The workstation side: corpora, training, evaluation and export."""

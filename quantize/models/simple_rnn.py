"""The SimpleRNN 256-128-64-8 of section 3.3 (equations 10 and 11, figure 1).

Where the paper is silent, or says two things, we chose, and say so here:

=====================  ====================================================================
layers                 SimpleRNN 256, dropout, SimpleRNN 128, dropout, Dense 64, dropout,
                       Dense 8: the text under figure 1.  64 is a dense layer there, not a
                       third recurrent one
steps                  the input is (None, 1, 204): one step a clip, so that nothing recurs.
                       We read 204 as mean, deviation, least and largest of 51 features
                       (``steps="one"``, the default).  The text around it speaks of
                       sequences: ``steps="frames"`` feeds the 51 features frame by frame and
                       takes the last state
activation (eq. 10)    tanh in the recurrent layers ("e.g., tanh or ReLU"), ReLU in Dense 64
bias (eq. 10)          one a layer; torch's second one is held at 0
dropout                0.3, as in our CLAF-SER
first weights          Xavier uniform from the input, orthogonal from the state, bias 0
output                 softmax, taken in the loss and in the scoring
=====================  ====================================================================
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from quantize.models.config import SimpleRnnConfig

__all__ = ["SimpleRnn", "SimpleRnnConfig", "SimpleRnnOutput", "statistics"]

_N_STATISTICS = 4


class SimpleRnnOutput(NamedTuple):
    """What one forward pass yields for ``B`` examples."""

    logits: Tensor  #: (B, n_labels), before the softmax


def statistics(features: Tensor) -> Tensor:
    """Mean, standard deviation, least and largest over the frames.

    Parameters
    ----------
    features : Tensor [shape=(B, T, F)]

    Returns
    -------
    Tensor [shape=(B, 4 * F)]
        The deviation of a single frame is 0.
    """
    deviation = features.std(dim=1, correction=0)
    least, largest = features.aminmax(dim=1)
    return torch.cat((features.mean(dim=1), deviation, least, largest), dim=1)


class SimpleRnn(nn.Module):
    """Two simple (Elman) recurrent layers, a dense one and a classifier.

    Parameters
    ----------
    config : SimpleRnnConfig, optional
    """

    def __init__(self, config: SimpleRnnConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or SimpleRnnConfig()
        width = config.n_features * (_N_STATISTICS if config.steps == "one" else 1)
        self.rnn1 = nn.RNN(width, config.first, batch_first=True)
        self.rnn2 = nn.RNN(config.first, config.second, batch_first=True)
        self.fc1 = nn.Linear(config.second, config.dense)
        self.fc2 = nn.Linear(config.dense, config.n_labels)
        self.dropout = nn.Dropout(config.dropout)
        for name, parameter in self.named_parameters():
            if parameter.ndim == 1:
                nn.init.zeros_(parameter)
            elif "weight_hh" in name:
                nn.init.orthogonal_(parameter)
            else:
                nn.init.xavier_uniform_(parameter)
            if "bias_hh" in name:
                parameter.requires_grad_(False)

    def forward(
        self, features: Tensor, languages: Tensor | None = None, alpha: float = 1.0
    ) -> SimpleRnnOutput:
        """Run the network on windows of equal length.

        Parameters
        ----------
        features : Tensor [shape=(B, T, n_features or more)]
            Normalised rows; columns from ``n_features`` on are ignored.
        languages, alpha
            CLAF-SER's; the baseline knows no language and no adversary.
        """
        seen = features[:, :, : self.config.n_features]
        steps = statistics(seen)[:, None] if self.config.steps == "one" else seen
        states, _ = self.rnn1(steps)
        states, _ = self.rnn2(self.dropout(states))
        dense = torch.relu(self.fc1(self.dropout(states[:, -1])))
        return SimpleRnnOutput(self.fc2(self.dropout(dense)))

"""Feature rows of the baseline: LPCC, MFCC, pitch, energy and chroma (3.1.1-3.1.5).

A row is 24 LPCC, 13 MFCC, 1 pitch, 1 log energy and 12 chroma: 51.  The linear RMS stands
behind them: clips are cut to their speech and segments weighed by it, as CLAF-SER's are, and
the network does not see it.  Where the paper is silent or cannot be taken at its word we
chose, and say so here:

===================  ======================================================================
frames               those of CLAF-SER (64 ms every 32 ms, Hann where tapered, no
                     pre-emphasis), so that both models see the same segments
number of each       the paper names none of them, only the network's input of (1, 204).
                     51 a frame times mean, deviation, least and largest is 204; see
                     :mod:`quantize.models.simple_rnn`
MFCC (eq. 1)         the device's own, :class:`~edge.features.families.mfcc.Mfcc`: 40 Slaney
                     bands from 50 Hz, power in dB, orthonormal DCT.  Constant factors apart,
                     which the normalisation removes, this is the equation
LPC order            p = 16, one pole a kHz of sample rate, by the autocorrelation method
                     on the Hann-tapered frame
LPCC (eq. 2, 3)      c[1] to c[24]; c[0], the gain, is left to the energy.  Eq. 3 sums
                     over k from 1 to p as printed, where a[m - k] does not exist for
                     k < m - p and k > p is left out; the sum over k from m - p to m - 1
                     is meant, and taken
pitch (eq. 4, 5)     the highest autocorrelation in 60 to 600 Hz (CLAF-SER's range), whole
                     lags, untapered; the text says "cepstrum", the equations do not.  No
                     voicing decision is given: every frame above CLAF-SER's silence has a
                     pitch, a silent one 0
energy (eq. 6)       the second form, natural logarithm, epsilon 1e-10 (-130 dB of a
                     full-scale frame), untapered
chroma (eq. 7-9)     magnitude, Hann-tapered; a bin belongs to the nearest pitch class of
                     the equal temperament on A = 440 Hz, from 50 Hz to the Nyquist
                     frequency.  Divided by the sum (eq. 9), CLAF-SER's own by the maximum.
                     A silent frame stays 0
===================  ======================================================================
"""

from __future__ import annotations

from edge.features.families.correlation_pitch import CorrelationPitch
from edge.features.families.energy import Energy
from edge.features.families.lpcc import Lpcc
from edge.features.families.mfcc import Mfcc
from edge.features.families.pitch_classes import PitchClasses
from edge.features.families.rms import Rms
from edge.features.spec import FeatureSpec

__all__ = ["BASELINE_SPEC", "N_INPUTS"]

#: The features of a row: 51 that the network sees, and the level.
BASELINE_SPEC = FeatureSpec(
    families=(Lpcc(), Mfcc(), CorrelationPitch(), Energy(), PitchClasses(), Rms())
)

#: Columns that the network sees, the first ones.
N_INPUTS = BASELINE_SPEC.n_features - 1

"""The paper's own baseline: a SimpleRNN on LPCC, MFCC, pitch, energy and chroma (3.1-3.3)."""

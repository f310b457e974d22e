"""``python -m edge_ser``."""

from __future__ import annotations

from edge_ser.start import run

if __name__ == "__main__":
    run()

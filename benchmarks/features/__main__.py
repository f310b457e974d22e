"""``python -m benchmarks.features``."""

import sys

from benchmarks.features.speed import main

sys.exit(main())

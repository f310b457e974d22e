from __future__ import annotations

import pytest

from edge.artifact import Artifact, read_artifact
from edge.benchmark.subjects import Subject


@pytest.fixture
def subject(tiny_artifact: Artifact) -> Subject:
    return Subject(read_artifact(tiny_artifact.path))

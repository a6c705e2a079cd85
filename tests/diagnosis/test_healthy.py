"""No verdict is given on a training that is in order."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from diagnosing import recorded, verdicts
from healthy import TRAININGS, Training, networks
from healthy_by_hand import LOOPS
from stepgrad import record

NETWORKS = dict(networks())


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("training", [*TRAININGS, *LOOPS], ids=lambda training: training.__name__)
def test_a_loop(training: Training, seed: int) -> None:
    with record(lines=True) as recording:
        training(Random(seed))
    assert [each.text for each in verdicts(recording)] == []


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"{name}.yaml"
    path.write_text(NETWORKS[name])
    assert [each.text for each in verdicts(recorded(path))] == []

"""The operating points that come with facerec."""

import pytest

from facerec.decision.factory_operating_point import factory_operating_point
from facerec.errors import OperatingPointError
from facerec.inference import ModelTask
from facerec.models.catalogue import CATALOGUE


@pytest.mark.parametrize(
    "space", [e.embedding_space for e in CATALOGUE if e.task is ModelTask.EMBEDDER]
)
def test_every_embedder_of_the_catalogue_has_one(space: str) -> None:
    point = factory_operating_point(space)
    assert point.embedding_space == space
    thresholds = [point.threshold_at_fmr(rate) for rate in (1e-1, 1e-2, 1e-3, 1e-4, 1e-5)]
    assert thresholds == sorted(set(thresholds))
    assert all(0 < threshold < 1 for threshold in thresholds)
    assert point.threshold_at_fpir(1e-2, 1) < point.threshold_at_fpir(1e-2, 1000)
    source = point.provenance
    assert source.embedder in space
    assert source.pairs_of_people == source.people * (source.people - 1) // 2
    assert source.pairs_of_people < source.comparisons < source.images**2 / 2
    assert source.smallest_claimable_fmr == pytest.approx(3 / source.pairs_of_people, rel=1e-2)
    assert point.is_measured(1e-3)
    assert not point.is_measured(source.smallest_claimable_fmr)
    assert "label faults" in source.remarks


def test_a_space_without_one_is_refused_with_those_that_have() -> None:
    with pytest.raises(OperatingPointError, match=r"space nothing-1, .*known rates: .*sface-"):
        factory_operating_point("nothing-1")

import pytest

from ignite_workflow import UnknownNameError, build_schedule
from ignite_workflow.handlers.lr_schedule import LRSchedule
from ignite_workflow.testing import scripted_workflow


def scripted(name, **options):
    workflow = scripted_workflow(loss=[1.0, 1.0])
    workflow.schedule = build_schedule(name, options, workflow.optimizer, total_steps=2, steps_per_epoch=1)
    return workflow


@pytest.mark.parametrize(("record", "curve"), [(True, [(1, 0.1), (2, 0.1)]), (False, [])])
def test_the_rate_of_each_epoch_is_recorded_unless_told_otherwise(record, curve):
    workflow = scripted("plateau")
    workflow.attach({"lr_schedule": LRSchedule(record=record)})

    workflow.run()

    assert workflow.records.curve("train", "lr") == curve


def test_a_plateau_of_what_is_not_measured_is_refused_before_training():
    with pytest.raises(UnknownNameError, match=r"unknown validation metric 'los'. Did you mean 'loss'\?"):
        scripted("plateau", metric="los").attach({"lr_schedule": LRSchedule()})

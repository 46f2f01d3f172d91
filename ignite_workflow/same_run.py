"""What makes a run the same run at its next start: its settings, but for those that its numbers do not depend on."""

from __future__ import annotations

from collections.abc import Mapping

from ignite_workflow.config import RunConfig, diff_configs
from ignite_workflow.errors import ConfigError
from ignite_workflow.schedules import Schedule

__all__ = ["asks_for_another", "check_same_run"]

_HARMLESS = (
    *("train.workers", "train.max_minutes", "train.deadline"),
    *("handlers.progress", "handlers.status_file", "handlers.stop_file", "handlers.watchdog"),
    *("handlers.tensorboard", "handlers.curve_export", "handlers.checkpointing", "handlers.nan_guard"),
)
_HARMLESS_LINES = tuple(f"{key}{end}" for key in _HARMLESS for end in (":", "."))  # of diff_configs


def check_same_run(before: RunConfig, now: RunConfig, schedule: Schedule | None) -> None:
    """Refuse to go on with settings that would make another run of it.

    Args:
        before: the settings of the start before this one.
        now: those of this one, complete.
        schedule: of this one.

    Raises:
        ConfigError: names each setting that has changed.
    """
    differences = [line for line in diff_configs(before, now) if not line.startswith(_HARMLESS_LINES)]
    more = [line for line in differences if line.startswith("train.max_epochs")]
    if more and (now.train.max_epochs or 0) > (before.train.max_epochs or 0):
        if schedule is not None and schedule.depends_on_total:
            raise ConfigError(
                f"{more[0]}: the {now.schedule.name if now.schedule else ''} schedule depends on the number of epochs, "
                "so that one long run would have been another; set schedule.total_epochs from the start, or train a "
                "new run"
            )
        if epochs := _epochs_between_evaluations(before):
            raise ConfigError(
                f"{more[0]}: the run was evaluated at its end too, off the interval of {epochs} epochs, and one long "
                f"run would not have been; train a new run, one of a multiple of {epochs} epochs if it may get more"
            )
        differences.remove(more[0])
    if differences:
        raise ConfigError("a run goes on with the settings it was started with; changed: " + "; ".join(differences))


def _epochs_between_evaluations(before: RunConfig) -> int:
    """The interval of an evaluation that the end of the run did not fall on; 0 where there is none."""
    for name, spec in before.handlers.items():
        options = spec if isinstance(spec, Mapping) else {}
        epochs = options.get("every", {}).get("epochs", 1)
        if options.get("use", name) == "evaluation" and (before.train.max_epochs or 0) % epochs:
            return int(epochs)
    return 0


def asks_for_another(before: RunConfig, given: RunConfig) -> bool:
    """Whether settings that were given, the number of epochs apart, are not those of the run.

    Args:
        before: the complete settings of the run.
        given: those of a person, open ones among them: these are inferred to be what they were.
    """
    return any(_is_given(line) for line in diff_configs(before, given))


def _is_given(difference: str) -> bool:
    left_open = difference.endswith("-> not set") or difference.startswith("train.threads")
    return not left_open and not difference.startswith((*_HARMLESS_LINES, "train.max_epochs"))

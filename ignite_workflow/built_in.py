"""The names that come with the library and where each one lives. Imports nothing: a name is checked without torch."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["BUILT_IN", "REFUSED"]

_METRICS = (
    "accuracy", "average_precision", "balanced_accuracy", "cohen_kappa", "f1", "mae", "mape", "max_error", "mcc", "mse",
    "precision", "r2", "recall", "rmse", "roc_auc", "top_3_accuracy", "top_5_accuracy",
)  # fmt: skip

BUILT_IN: Mapping[str, Mapping[str, str]] = {
    "data_kind": {"table": "ignite_workflow.data:prepare_table"},
    "model": {
        "linear": "ignite_workflow.models.linear:Linear",
        "mlp": "ignite_workflow.models.mlp:MLP",
    },
    "loss": {
        "bce": "torch.nn:BCELoss",
        "bce_with_logits": "torch.nn:BCEWithLogitsLoss",
        "cross_entropy": "torch.nn:CrossEntropyLoss",
        "hinge_embedding": "torch.nn:HingeEmbeddingLoss",
        "huber": "torch.nn:HuberLoss",
        "kl_div": "torch.nn:KLDivLoss",
        "l1": "torch.nn:L1Loss",
        "mse": "torch.nn:MSELoss",
        "multi_label_margin": "torch.nn:MultiLabelMarginLoss",
        "multi_label_soft_margin": "torch.nn:MultiLabelSoftMarginLoss",
        "multi_margin": "torch.nn:MultiMarginLoss",
        "nll": "torch.nn:NLLLoss",
        "poisson_nll": "torch.nn:PoissonNLLLoss",
        "smooth_l1": "torch.nn:SmoothL1Loss",
        "soft_margin": "torch.nn:SoftMarginLoss",
    },
    "optimizer": {
        "adadelta": "torch.optim:Adadelta",
        "adafactor": "torch.optim:Adafactor",
        "adagrad": "torch.optim:Adagrad",
        "adam": "torch.optim:Adam",
        "adamax": "torch.optim:Adamax",
        "adamw": "torch.optim:AdamW",
        "asgd": "torch.optim:ASGD",
        "muon": "ignite_workflow.muon:muon",
        "nadam": "torch.optim:NAdam",
        "radam": "torch.optim:RAdam",
        "rmsprop": "torch.optim:RMSprop",
        "rprop": "torch.optim:Rprop",
        "sgd": "torch.optim:SGD",
    },
    "schedule": {
        "constant": "ignite_workflow.schedules:constant",
        "cosine": "ignite_workflow.schedules:cosine",
        "linear": "ignite_workflow.schedules:linear",
        "one_cycle": "ignite_workflow.schedules:one_cycle",
        "plateau": "ignite_workflow.schedules:plateau",
        "step": "ignite_workflow.schedules:step",
    },
    "handler": {
        "best_weights": "ignite_workflow.handlers.best_weights:BestWeights",
        "checkpointing": "ignite_workflow.handlers.checkpointing:Checkpointing",
        "curve_export": "ignite_workflow.handlers.curve_export:CurveExport",
        "early_stopping": "ignite_workflow.handlers.early_stopping:EarlyStopping",
        "ema": "ignite_workflow.handlers.ema:EMA",
        "evaluation": "ignite_workflow.handlers.evaluation:Evaluation",
        "gradient_clipping": "ignite_workflow.handlers.gradient_clipping:GradientClipping",
        "loss_logging": "ignite_workflow.handlers.loss_logging:LossLogging",
        "lr_schedule": "ignite_workflow.handlers.lr_schedule:LRSchedule",
        "nan_guard": "ignite_workflow.handlers.nan_guard:NanGuard",
        "progress": "ignite_workflow.handlers.progress:Progress",
        "status_file": "ignite_workflow.handlers.status_file:StatusFile",
        "stop_file": "ignite_workflow.handlers.stop_file:StopFile",
        "tensorboard": "ignite_workflow.handlers.tensorboard:TensorBoard",
        "watchdog": "ignite_workflow.handlers.watchdog:Watchdog",
    },
    "metric": dict.fromkeys(_METRICS, "ignite_workflow.metrics:PredictionMetrics"),
    "step": {},
}

# The losses and optimizers of torch that cannot work by name alone: why, and what to do instead.
REFUSED: Mapping[str, Mapping[str, str]] = {
    "loss": {
        "adaptive_log_softmax_with_loss": "it is a layer with weights of its own: use train.step",
        "cosine_embedding": "it compares two predictions: use train.step",
        "ctc": "it needs the lengths of inputs and targets: use train.step",
        "gaussian_nll": "it needs a predicted variance as a third input: use train.step",
        "linear_cross_entropy": "it is a layer with weights of its own: use 'cross_entropy', or train.step",
        "margin_ranking": "it compares two predictions: use train.step",
        "triplet_margin": "it compares three predictions: use train.step",
        "triplet_margin_with_distance": "it compares three predictions: use train.step",
    },
    "optimizer": {
        "lbfgs": "it calls the model several times a step (a closure): use 'adamw', or train.step",
        "sparse_adam": "it takes sparse gradients only: use 'adam', or train.step",
    },
}

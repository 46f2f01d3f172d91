"""A model, optimizer, loss and loaders of your own, with the library's engine and handlers: ``python from_parts.py``.

Start it again after it was stopped and it goes on where it stood.
"""

import sys
from pathlib import Path

import torch
from ignite.engine import Events
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from ignite_workflow import RunDirectory, TrainConfig, Workflow, build_schedule


def build(run_directory: RunDirectory) -> Workflow:
    """Fit a sine wave."""
    random = torch.Generator().manual_seed(0)
    x = 6.28 * torch.rand(600, 1, generator=random)
    data = TensorDataset(x, x.sin() + 0.05 * torch.randn(600, 1, generator=random))
    train, val = torch.utils.data.random_split(data, [500, 100], generator=random)

    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(1, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    train_loader = DataLoader(train, batch_size=50, shuffle=True)
    steps = len(train_loader)
    workflow = Workflow.from_parts(
        model,
        optimizer,
        nn.functional.mse_loss,
        train_loader,
        DataLoader(val, batch_size=100),
        train=TrainConfig(max_epochs=60, device="cpu"),
        schedule=build_schedule("cosine", {}, optimizer, total_steps=60 * steps, steps_per_epoch=steps),
        handlers={"early_stopping": {"patience": 20}, "gradient_clipping": {"max_norm": 1.0}, "progress": False},
        run_directory=run_directory,
    )
    # A plain Ignite handler, as ever:
    workflow.trainer.add_event_handler(Events.EPOCH_COMPLETED(every=20), print_loss)
    return workflow


def print_loss(engine) -> None:
    loss = engine.workflow.val_metric("loss")
    print(f"epoch {engine.state.epoch}: validation loss {loss:.4f}")


def main() -> int:
    with RunDirectory(Path("runs/sine")) as directory:  # held: a second start is refused meanwhile
        workflow = build(directory)
        workflow.resume()  # from the newest checkpoint, where there is one
        workflow.run()  # Ctrl-C saves, and returns
    return workflow.exit_code


if __name__ == "__main__":
    sys.exit(main())

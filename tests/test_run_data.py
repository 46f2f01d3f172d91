from ignite_workflow.config import DataConfig
from ignite_workflow.losses import build_loss
from ignite_workflow.run_data import prepare_data


def test_large_counts_come_back_from_the_standardised_target_as_they_were(tmp_path):
    counts = [2**24, 2**24 + 2] * 20  # their mean is no float32
    (tmp_path / "table.csv").write_text("x,y\n" + "".join(f"{row % 7}.5,{y}\n" for row, y in enumerate(counts)))
    config = DataConfig(path=str(tmp_path / "table.csv"), target="y", task="regression")

    data = prepare_data(config, seed=0, cache_directory=tmp_path)
    loss = build_loss("poisson_nll", {}, data.without_scaling().target)
    batches = data.batches("train", 64, seed=0, shuffle=False, loss=loss)

    assert {value for _, y in batches.read(1, 0) for value in y[:, 0].tolist()} == set(counts)

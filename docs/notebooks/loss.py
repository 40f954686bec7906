"""A question to the simulator as a notebook: `marimo edit docs/notebooks/loss.py`, or run it as any program.

How much later is a block final as links lose more of what they carry, and does it matter how many nodes there are?
"""

import marimo

app = marimo.App(app_title="Lucid: finality on links that lose")


@app.cell
def _():
    import marimo as mo

    from harness import sweep
    from harness.measures import MEASURES
    from harness.report.curves import figure
    from sim import Scenario, changed

    return MEASURES, Scenario, changed, figure, mo, sweep


@app.cell
def _(mo):
    mo.md(
        """
        # Finality on links that lose

        Each combination runs with three seeds, for a minute of simulated time. That is enough to see a shape and too
        little to decide by: raise `seeds` and `duration` below, and the bars tell how sure the medians are.
        """
    )


@app.cell
def _(Scenario, changed, sweep):
    base = changed(Scenario(), duration="1m", anchor_every_ms=5_000)
    found = sweep(base, {"loss": ["0", "2%", "10%"], "nodes": [4, 7]}, seeds=3, workers=1)
    return (found,)


@app.cell
def _(MEASURES, figure, found, mo):
    finality = next(measure for measure in MEASURES if measure.name == "finality p50")
    mo.Html(figure(finality, found))
    return (finality,)


@app.cell
def _(finality, found, mo):
    rows = [
        {
            "loss": loss,
            "nodes": nodes,
            "finality, ms": estimate and round(estimate.median, 1),
            "runs that passed": sum(run.passed for run in found.of(cell)),
        }
        for cell in found.cells
        for loss, nodes in [cell.values]
        for estimate in [found.estimate(cell, finality)]
    ]
    mo.ui.table(rows, selection=None)
    return (rows,)


@app.cell
def _(rows):
    # As a program, the notebook says what it found.
    for row in rows:
        print(", ".join(f"{key} {value}" for key, value in row.items()))


if __name__ == "__main__":
    app.run()

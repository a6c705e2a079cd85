"""Small recordings that the tests of the replay read."""

from stepgrad import SGD, Recording, Value, mark, record, scope


def two_layer() -> Recording:
    """x → relu → y, and a squared error; one forward and one backward pass."""
    with record() as recording:
        names = {"x": 3.0, "t": 4.0, "w1": 0.5, "b1": 0.0, "w2": 2.0, "b2": -1.0}
        x, t, w1, b1, w2, b2 = (Value(number, label) for label, number in names.items())
        z1 = w1 * x + b1
        h = z1.relu()
        y = w2 * h + b2
        loss = (y - t) ** 2
        for node, label in ((z1, "z1"), (h, "h"), (y, "y"), (loss, "L")):
            node.label = label
        loss.backward()
    return recording


def training(steps: int = 4) -> Recording:
    """A neuron that learns: marked steps, updates by rule, clearing."""
    with record() as recording:
        with scope("neuron"):
            w, b = Value(0.5, label="w"), Value(0.0, label="b")
        sgd = SGD([w, b], 0.1)
        for step in range(1, steps + 1):
            mark("step", step)
            out = (w * 2 + b).tanh()
            out.label = "out"
            loss = (out - 1) ** 2
            loss.label = "loss"
            loss.backward()
            sgd.step()
            sgd.zero_grad()
    return recording

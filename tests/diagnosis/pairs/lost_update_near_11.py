"""Nearly: nothing is updated, as the gradients are only shown, by a function."""

from stepgrad import Value

w, b = Value(0.3, label="w"), Value(0.1, label="b")


def show(*parameters: Value) -> None:
    """Print gradients."""
    print(*(f"{p.grad:.6f}" for p in parameters))


for _ in range(5):
    loss = (w * 2 + b - 3) ** 2
    loss.label = "loss"
    w.grad = b.grad = 0.0
    loss.backward()
    show(w, b)

"""Two play against each other: one maximises the log-probabilities that the other minimises."""

from stepgrad import Value

generator, judge = Value(0.3, label="generator"), Value(0.5, label="judge")
for _ in range(6):
    real, fake = (judge * 2.0).sigmoid(), (judge * generator.data).sigmoid()
    loss = -(real.log() + (1 - fake).log())
    judge.grad = 0.0
    loss.backward()
    judge.data -= 0.1 * judge.grad
    loss = (1 - (judge * generator).sigmoid()).log()
    generator.grad = 0.0
    loss.backward()
    generator.data -= 0.1 * generator.grad

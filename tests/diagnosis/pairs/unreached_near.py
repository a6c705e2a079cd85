"""Rows of a table that training does not use, one of them used in an evaluation; and an average."""

from stepgrad import SGD, Value

table = [Value(0.1 * i + 0.05, label=f"e{i}") for i in range(5)]
v, average = Value(0.5, label="v"), Value(0.5, label="average")
optimizer = SGD([*table, v], learning_rate=0.05)
for step in range(6):
    loss = (v * table[step % 3] - 1) ** 2
    loss.label = "loss"
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    average.data = 0.9 * average.data + 0.1 * v.data
    print((v * table[3] - 1).data, (average * table[3] - 1).data)

"""The probability of a sequence: the running product has huge gradients, its factors have not."""

from stepgrad import Value

factors = [Value(20.0 + k, label=f"p{k}") for k in range(12)]
product = factors[0]
for factor in factors[1:]:
    product = product * factor
loss = -product.log()
loss.label = "loss"
loss.backward()

"""Operations through which no gradient goes: what they give are plain numbers.

Some have no derivative to hand on (comparisons; what is as large as another tensor, but new); that
of the others is 0 wherever it exists (rounding, signs).
"""

_NAMES = """
    _local_scalar_dense bernoulli bucketize cauchy ceil empty_like exponential floor floor_divide
    full_like geometric heaviside log_normal multinomial new_empty new_empty_strided
    new_full new_ones new_zeros normal ones_like poisson rand_like randint_like randn_like
    random round searchsorted sgn sign trunc uniform zero zeros_like
    all any argmax argmin argsort eq equal ge gt isfinite isinf isnan le logical_and logical_not
    logical_or logical_xor lt ne nonzero signbit
"""

PLAIN = frozenset(_NAMES.split())

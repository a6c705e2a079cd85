"""Operations through which no gradient goes: what they give are plain numbers.

Some have no derivative to hand on (what is as large as another tensor, but new); that of the others
is 0 wherever it exists (rounding, signs).
"""

PLAIN = frozenset(
    """
    bernoulli ceil copysign_ empty_like floor full_like heaviside new_empty new_empty_strided new_full
    new_ones new_zeros nextafter ones_like rand_like randint_like randn_like round sign sgn
    trunc zeros_like _local_scalar_dense
    """.split()
)

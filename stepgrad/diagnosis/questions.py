"""The questions that a diagnosis asks of a recording: one table, the gravest first."""

from __future__ import annotations

from collections.abc import Sequence

from stepgrad.diagnosis.bookkeeping import faults, lost, replaced, staleness
from stepgrad.diagnosis.numbers import cancelling, depth, finite, kinks
from stepgrad.diagnosis.reach import dead, saddle, unreached
from stepgrad.diagnosis.rules import by_hand, pytorch, question
from stepgrad.diagnosis.steps import ascent, clipping, descent, symmetry, unbounded
from stepgrad.diagnosis.verdict import Question

QUESTIONS: Sequence[Question] = (
    Question(
        question.NAME,
        "are the rules of the program's own engine right?",
        "In a backward pass that the program runs itself, a rule adds something else than the "
        "gradient of its node times the true local derivative: that of the op table, or by "
        "differences of the class's own function. Or a value is not that of its operator, the "
        "pass does not begin with 1, a rule runs before those of all users of its node, twice or "
        "never, or the pass adds to what an earlier one has left inside the graph. The first is "
        "named, what else is wrong in its rule, and at most one more of another kind. It fails "
        "every check. Or a gradient arrives at a `Value(data, children)` that has no rule, which "
        "fails none. It is a note if all agree.",
        question.engine,
    ),
    Question(
        "by_hand",
        "are gradients right that the program writes by hand?",
        "The program writes a backward pass itself, gradient by gradient: from a root that it sets "
        "to 1, or to which all lead, if one of them is right. A gradient in it differs by more "
        "than 1e-5 of its terms, and no later write corrects it. It fails every check. Nothing is "
        "said where the line clips, rounds or disturbs it, or divides by a count, where those of "
        "all leaves are off by the same factor, or where each time the same part of the value "
        "(weight decay) or of the gradient before (momentum) is added.",
        by_hand.by_hand,
    ),
    Question(
        pytorch.NAME,
        "are PyTorch's gradients those of the recording?",
        "In a PyTorch program, the `backward` of an `autograd.Function` does not return the "
        "derivative of its `forward`, which is recorded operation by operation; or the gradient of "
        "a leaf is not the sum of its contributions. Two gradients differ if they are further "
        "apart than a thousand roundings of their terms. It fails every check. Or a loss gets "
        "something else than it takes, such as a softmax where `cross_entropy` takes logits; or it "
        "is the mean or the sum of n × n differences, as a column of n predictions and a row of n "
        "targets broadcast; or a model with dropout or batch norm is evaluated in training mode, "
        "or trained in evaluation mode after it was trained in training mode. These fail none. It "
        "is a note if all agree.",
        pytorch.pytorch,
    ),
    Question(
        "non_finite",
        "does any result become inf or nan?",
        "A result is not finite: a value that nothing uses, the root of a pass, the gradient of a "
        "leaf, or what is written. The reasons for the first one lead back to the event whose "
        "value, local derivative, contribution or sum is not finite although everything it is "
        "computed from is. It is a note where that is an overflow, and another verdict says why "
        "the training diverges.",
        finite.non_finite,
    ),
    Question(
        "unreached",
        "is there a parameter that the loss does not depend on?",
        "A parameter is used, but no path leads from it to the root of any pass. It is a note if "
        "nothing uses it where gradients are on.",
        unreached.unreached,
        about="passes",
    ),
    Question(
        "dead",
        "is there a parameter that shut gates keep from learning?",
        "From some pass to the end, in at least 10 passes and for all rows of the data (where no "
        "batch comes again, for 64 or more), its gradient is exactly 0; a cut set of gates that "
        "are shut, saturated or 0 separates it from the root, and something arrives at them. The "
        "zero is not in the data, and the loss is not nearly gone. It is a note where no batch "
        "comes again and that is less than a quarter of the parameters.",
        dead.dead,
        about="passes",
    ),
    Question(
        "saddle",
        "are there parameters that hold each other at 0?",
        "Parameters are exactly 0 and receive exactly 0 in every pass, at least 3, because each "
        "path is shut by a factor that is 0 as long as others of them are.",
        saddle.saddle,
        about="passes",
    ),
    Question(
        "not_cleared",
        "does a pass add to a gradient that was already used?",
        "A pass adds to a gradient that an update has used, and an update uses the sum.",
        faults.not_cleared,
        about="steps",
    ),
    Question(
        "doubled",
        "does a result count twice?",
        "A pass adds to what an earlier pass has brought before any use, from the same root or "
        "from a node on its way; and an update uses the sum, or there are no updates.",
        faults.doubled,
        about="passes",
    ),
    Question(
        "overwritten",
        "does a line replace a gradient, or a loss, that it should add to?",
        "A line sets a gradient by hand and does not read the old one, which another such write "
        "left there and nothing has used; and the node has several users. Across forward passes "
        "it counts only if an update uses what is left. Or a loop sets a name and does not read "
        "it, backward() runs from it after the loop, and before each of the last 3 passes the loop "
        "has made other such results, which nothing uses, and which have only leaves in common "
        "with those that the pass reaches.",
        replaced.overwritten,
    ),
    Question(
        "wiped",
        "are gradients cleared before they are used?",
        "An update finds 0 because a gradient was cleared before an update used it, in more than "
        "half of the updates of a parameter. Or an update uses only the last of three passes or "
        "more from the same line: all that the others brought was cleared, and if the update is by "
        "hand, nothing else reads gradients.",
        faults.wiped,
        about="steps",
    ),
    Question(
        "stale",
        "are values changed between a forward pass and its backward pass?",
        "A value changes after a node was computed from it and before a backward pass through that "
        "node: once, if a local derivative changes with it; else before more than half of the "
        "updates.",
        staleness.stale,
        about="steps",
    ),
    Question(
        "wrong_parameters",
        "are other nodes updated than those that receive gradients, or by those of others?",
        "From some pass to the end, no pass reaches any of the nodes that are updated, nor does "
        "anything use them, while other leaves receive a gradient in each pass, or new ones of the "
        "same names do. Or each move of a parameter by hand, at least 3, is the same multiple of "
        "another one's gradient, and not of its own, or as much of it as others move along their "
        "own; momentum may be in all of them. It is a note if a leaf receives something from every "
        "pass, at least 3, and nothing updates it, though it is cleared in each step, or made on "
        "the line, or by the constructor, of one that learns; or if those of each update, at least "
        "5, are new ones of the same names, and nothing uses what the update has changed.",
        unreached.wrong_parameters,
        about="steps",
    ),
    Question(
        "lost_update",
        "do updates change their parameters?",
        "At least 3 passes bring gradients to the same leaves, nothing is ever updated, and a line "
        "in a loop or a function computes an update and throws it away, stores it where nothing "
        "reads it or in new objects that nothing uses, or writes it to the gradient; or no line "
        "reads a gradient, though they are cleared and each row comes at least 3 times. Or lines "
        "update by gradients at least 3 times, and no backward pass runs. Or a line sets values "
        "at least 3 times to what is computed from gradients and from no old value: always the "
        "same multiple of the gradient, or one below 0, or beginning with what is a step alone. "
        "Or a line makes a new node of a parameter and its gradient, nothing updates the "
        "parameter itself, and the last pass goes back through at least 3 of these nodes. "
        "Or a line is `loss.backward` or `opt.step` without parentheses, and no pass, or no "
        "update, runs.",
        lost.lost_update,
    ),
    Question(
        "updated_twice",
        "is a parameter updated twice in one step?",
        "A parameter is updated twice by an optimizer, or twice along its gradient by hand, with "
        "no pass in between, in more than half of its steps.",
        faults.updated_twice,
        about="steps",
    ),
    Question(
        "uphill",
        "do steps go uphill?",
        "Σ Δp·∂L/∂p > 0 in every step in which it is not 0, and in at least 3; no parameter goes "
        "downhill in every step, and the root is neither below 0 nor named as something to "
        "maximise; ∂L/∂p is what the passes have brought, if all gradients have got the other sign "
        "since. Or every root is minus a sum of what is 0 at best (squares or sizes of "
        "differences from data, or −log of probabilities) and most steps go down it. No optimizer "
        "has `maximize`, and all parameters that receive gradients are updated: else it may be an "
        "input that is sought, as for an attack on a model.",
        ascent.uphill,
        about="steps",
    ),
    Question(
        "step_too_long",
        "do steps overshoot?",
        "Learning rate · curvature along the step is at least 1.9 in 3 steps in a row (by the "
        "gradient of the next pass, 1 − Δ·g′/Δ·g, if it has the same data, else by the loss of the "
        "same pass after the step, or the next loss if that overflows); the loss is never again "
        "lower than before them, though the lowest point along one of them is lower by a tenth of "
        "the first loss; and gradients are not clipped.",
        descent.step_too_long,
        about="steps",
    ),
    Question(
        "unbounded",
        "does the loss fall without end?",
        "In each of the last steps, at least 5, the loss falls by more than in the one before; at "
        "the end it is below 0, by a million times the size of the first loss, or of 1 if that is "
        "smaller; and the parameters have grown to a thousand times their size.",
        unbounded.unbounded,
        about="steps",
    ),
    Question(
        "step_too_short",
        "do steps get nowhere?",
        "From one to the end, at least 10 and at least half of all, no step moves the parameters "
        "by more than 1e-5 of their size, or uphill; "
        "on the same data, the loss changes by at most 1e-3 of itself; and the slope is such that "
        "moving by that size would change it by a tenth.",
        descent.step_too_short,
        about="steps",
    ),
    Question(
        "copies",
        "are units copies of each other?",
        "At least half of the parameters, of at least 4, have the same bits as another one in "
        "value and gradient in every step, and the gradient is not 0 in at least 3 of them; they "
        "are combined with the same numbers, and some of them with units that are computed from "
        "copies.",
        symmetry.copies,
        about="steps",
    ),
    Question(
        "vanishing",
        "does the gradient vanish along the way?",
        "log |gradient| falls with the number of factors from the root, by at least 4 decades and "
        "in a straight line (R² ≥ 0.9), in the first pass, and at least half as steeply in the "
        "last; and parameters that only receive something that deep receive at most a ten "
        "thousandth of what others receive, or of what the line begins with, as all do.",
        depth.vanishing,
        about="passes",
    ),
    Question(
        "exploding",
        "does the gradient explode along the way?",
        "log |gradient| grows with the number of factors from the root, by at least 2 decades and "
        "in a straight line (R² ≥ 0.9), in the first pass; and a parameter receives at least a "
        "hundred times what the node receives where the line begins, and at least 100.",
        depth.exploding,
        about="passes",
    ),
    Question(
        "clipped",
        "are gradients mostly clipped?",
        "More than half of the steps are clipped to a norm, the median factor is below 0.1, and "
        "there are several gradients that are not 0.",
        clipping.clipped,
        about="steps",
    ),
    Question(
        "cancels",
        "do contributions cancel?",
        "What a parameter receives is at most 2⁻²⁶ of the size of its contributions, in every pass "
        "of a shape. It is a note if that is exactly 0, or rounding noise beside what others "
        "receive.",
        cancelling.cancels,
        about="passes",
    ),
    Question(
        "knife_edge",
        "does rounding decide a gate?",
        "Before the first update, the argument of a gate that a gradient arrives at is nearer to "
        "the kink than it may have been rounded: an ulp for each inexact operation that it was "
        "made of, times its derivative with respect to that.",
        kinks.knife_edge,
        about="passes",
    ),
)

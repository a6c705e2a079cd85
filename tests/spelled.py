"""Engines that do the same in many spellings, and programs of them (`program`)."""

from __future__ import annotations

import re

CLOSURES = """
import math
TAPE = []
class V:
    def __init__(self, data, grad=0.0):
        self.data, self.grad = data, grad
    def __mul__(self, other):
        out = V(self.data * other.data)
        def rule():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad
        TAPE.append(rule)
        return out
    def __add__(self, other):
        out = V(self.data + other.data)
        def rule():
            self.grad += out.grad
            other.grad += out.grad
        TAPE.append(rule)
        return out
    def tanh(self):
        t = math.tanh(self.data)
        out = V(t)
        def rule():
            self.grad += (1 - t * t) * out.grad
        TAPE.append(rule)
        return out
def backward(root):
    root.grad = 1.0
    for rule in reversed(TAPE):
        rule()
"""

CHILDREN = """
import math
class V:
    def __init__(self, data, children=()):
        self.data, self.grad, self.children, self.rule = data, 0.0, children, None
    def __mul__(self, other):
        out = V(self.data * other.data, (self, other))
        def rule():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad
        out.rule = rule
        return out
    def __add__(self, other):
        out = V(self.data + other.data, (self, other))
        def rule():
            self.grad += out.grad
            other.grad += out.grad
        out.rule = rule
        return out
    def tanh(self):
        t = math.tanh(self.data)
        out = V(t, (self,))
        def rule():
            self.grad += (1 - t * t) * out.grad
        out.rule = rule
        return out
def visit(node, seen):
    if node not in seen:
        for child in node.children:
            yield from visit(child, seen)
        seen.add(node)
        yield node
def backward(root):
    root.grad = 1.0
    for node in reversed([*visit(root, set())]):
        if node.rule:
            node.rule()
"""

STORED = """
import math
class V:
    def __init__(self, data, children=(), local_grads=()):
        self.data, self.grad = data, 0.0
        self.children, self.local_grads = children, local_grads
    def __mul__(self, other):
        return V(self.data * other.data, (self, other), (other.data, self.data))
    def __add__(self, other):
        return V(self.data + other.data, (self, other), (1.0, 1.0))
    def tanh(self):
        t = math.tanh(self.data)
        return V(t, (self,), (1 - t * t,))
def visit(node, seen):
    if node not in seen:
        for child in node.children:
            yield from visit(child, seen)
        seen.add(node)
        yield node
def backward(root):
    root.grad = 1.0
    for out in reversed([*visit(root, set())]):
        for child, local in zip(out.children, out.local_grads):
            child.grad += local * out.grad
"""

HELPED = """
import math
TAPE = []
class V:
    def __init__(self, data):
        self.data, self.grad = data, 0.0
    def made(self, data, *parents):
        out = V(data)
        TAPE.append((out, parents))
        return out
    def __mul__(self, other):
        return self.made(self.data * other.data, (self, other.data), (other, self.data))
    def __add__(self, other):
        return self.made(self.data + other.data, (self, 1.0), (other, 1.0))
    def tanh(self):
        t = math.tanh(self.data)
        return self.made(t, (self, 1 - t * t))
def backward(root):
    root.grad = 1.0
    for out, parents in reversed(TAPE):
        for parent, local in parents:
            parent.grad += local * out.grad
"""

FUNCTION = """
def made(data, *parents):
    out = V(data)
    TAPE.append((out, parents))
    return out
def backward("""

ENGINES = {"closures on a tape": CLOSURES, "children": CHILDREN, "stored derivatives": STORED}


def changed(text: str, *changes: tuple[str, str]) -> str:
    """Return an engine with changes, each by a regular expression that fits somewhere."""
    for was, becomes in changes:
        text, times = re.subn(was, becomes, text, flags=re.MULTILINE)
        assert times, was
    return text


OTHERS = {
    "a method makes them": changed(
        CLOSURES,
        (r"out = V\(", "out = self.new("),
        ("(?=    def __mul__)", "    def new(self, data): return V(data)\n"),
    ),
    "a function makes them": changed(
        CLOSURES, (r"out = V\(", "out = new("), ("def back", "def new(x): return V(x)\ndef back")
    ),
    "a method puts them on the tape": HELPED,
    "a function puts them on the tape": changed(
        HELPED, (r"self\.made", "made"), (r"\ndef backward\(", FUNCTION)
    ),
    "a dict of derivatives": changed(
        HELPED,
        (r"\*parents", "parents"),
        (r"(?<= )\((self|other), ([^()]+)\)", r"\1: \2"),
        (r", (self: .*)\)", r", {\1})"),
        ("in parents:", "in parents.items():"),
    ),
    "rules are given": changed(
        HELPED,
        (r"\*parents", "parents"),
        (r", (\(self, [^()]+\).*)\)", r", lambda: [\1])"),
        ("in parents:", "in parents():"),
    ),
    "the tape is given": changed(
        CLOSURES,
        (r"data, grad=0.0", "tape, data"),
        (r"data, grad$", "data, 0.0; self.tape = tape"),
        (r"out = V\(", "out = V(self.tape, "),
        (r"TAPE\.a", "self.tape.a"),
    ),
    "the name of the operation is given": changed(
        CLOSURES,
        (r"data, grad=0.0", "data, op=''"),
        (r"data, grad$", "data, 0.0; self.op = op"),
        (r"(out = V\(.*)\)", r"\1, 'f')"),
    ),
}  # fmt: skip
"""Engines in which something else makes the objects, or is given to them."""

USE = """
x, y = V(3.0), V(-2.0)
z = x * y + x
loss = z.tanh() * z + x * z
backward(loss)
print(x.grad, y.grad)
"""


UNSEEN = {
    "all": changed(
        HELPED,
        (r"data, \*parents", "data"),
        (r"        TAPE.append.*\n", ""),
        (r"return self.made\((.*?), (\(self, .*\))\)$", r"return put(self.made(\1), \2)"),
        (r"\ndef back", "\ndef put(out, *parents):\n    TAPE.append((out, parents))\n"
         "    return out\ndef back"),
    ),
    "those of tanh": changed(
        HELPED,
        (r"return self.made\(t, (.*)\)$", r"return put(new(t), \1)"),
        (r"\ndef back", "\ndef new(data):\n    return V(data)\ndef put(out, *parents):\n"
         "    TAPE.append((out, parents))\n    return out\ndef back"),
    ),
    "a rule elsewhere": changed(
        CLOSURES,
        (r"out = V\(t\)(.*\n){4}", "return hang(new(t), self)\n"),
        (r"\ndef back", "\ndef new(data):\n    return V(data)\ndef hang(out, one):\n"
         "    def rule():\n        one.grad += (1 - out.data**2) * out.grad\n"
         "    TAPE.append(rule)\n    return out\ndef back"),
    ),
    "the number that is given": f"""{CLOSURES}
V.__mul__ = lambda self, k: scaled(self, k)
def scaled(one, k):
    out = V(one.data * k)
    def rule():
        one.grad += k * out.grad
    TAPE.append(rule)
    return out
""",
}  # fmt: skip
"""Engines in which it is not seen what some results are computed from."""

WITH_ONE = "x = V(1.0)\nloss = x * 3 + x\nbackward(loss)\n"


def program(engine: str, data: str, grad: str) -> str:
    """Return an engine with other names for its attributes, and a program that uses it."""
    use = USE.replace("V(", "V(TAPE, ") if "tape, data" in engine else USE
    text = re.sub(r"\bgrad=0\.0", f"{grad}=0.0", engine + use)
    text = re.sub(r"= data, grad$", f"= data, {grad}", text, flags=re.MULTILINE)
    return re.sub(r"\.grad\b", f".{grad}", re.sub(r"\.data\b", f".{data}", text))

"""Base calls of Dilation2D."""
from variation import K, base, normal


def bases():
    x = normal("dilate", 2, 7, 6, 3)
    f = normal("dilatef", 3, 2, 3)
    base("Dilation2D", {"input": x, "filter": K(f, f[::-1].copy())}, {"strides": [[1, 2, 2, 1], [1, 1, 3, 1]], "rates": [[1, 2, 1, 1], [1, 1, 2, 1]],
                                                                     "padding": ["VALID"]},
         alternatives=[{"filter": f}, {"input": x[:0]}, {"filter": K(f[:1, :1])}, {"input": normal("dilateb", 2, 20, 33, 3)}],
         strides=[1, 1, 1, 1], rates=[1, 1, 1, 1], padding="SAME")

"""Einsum: every kind of label, ellipses, and extents that are not known."""
import numpy as np

from op_cases import BF16, F16, F32, F64, I32, ROUNDED, case, integers, normal, raw, static, unknown

OP = "Einsum"
# equation, extents of the operands
EQUATIONS = {
    "matrix": ("ab,bc->ac", (3, 4), (4, 5)),
    "matrix_turned": ("ba,cb->ca", (4, 3), (5, 4)),
    "batch": ("abc,acd->abd", (2, 3, 4), (2, 4, 5)),
    "batch_last": ("bca,cda->bda", (3, 4, 2), (4, 5, 2)),
    "scores": ("aecd,abcd->acbe", (2, 3, 4, 5), (2, 6, 4, 5)),
    "values": ("acbe,aecd->abcd", (2, 4, 6, 3), (2, 3, 4, 5)),
    "projection": ("abc,cde->abde", (2, 3, 4), (4, 5, 6)),
    "projection_back": ("abcd,cde->abe", (2, 3, 4, 5), (4, 5, 6)),
    "rows_of_two": ("abcd,ade->abce", (2, 3, 4, 5), (2, 5, 6)),
    "rows_and_columns_of_two": ("abcd,aefd->abcef", (2, 3, 4, 5), (2, 6, 7, 5)),
    "two_contracted": ("abc,bcd->ad", (2, 3, 4), (3, 4, 5)),
    "all_contracted": ("ab,ab->", (3, 4), (3, 4)),
    "vector": ("ab,b->a", (3, 4), (4,)),
    "of_vector": ("b,bc->c", (4,), (4, 5)),
    "batch_vector": ("abc,ac->ab", (2, 3, 4), (2, 4)),
    "dot": ("a,a->", (7,), (7,)),
    "outer": ("a,b->ab", (3,), (4,)),
    "outer_turned": ("ab,cd->dacb", (2, 3), (4, 5)),
    "batch_outer": ("ab,ac->abc", (2, 3), (2, 4)),
    "batch_outer_turned": ("ba,cda->dbac", (3, 2), (4, 5, 2)),
    "product": ("ab,ab->ab", (3, 4), (3, 4)),
    "product_turned": ("ab,ba->ba", (3, 4), (4, 3)),
    "scaled": ("abc,c->abc", (2, 3, 4), (4,)),
    "scaled_first": ("abc,a->abc", (2, 3, 4), (2,)),
    "by_scalar": ("ab,->ab", (3, 4), ()),
    "sum_of_one": ("abc,bd->bd", (2, 3, 4), (3, 5)),
    "sum_of_other": ("ab,bcd->ac", (2, 3), (3, 4, 5)),
    "sum_of_both": ("ab,cd->ac", (2, 3), (4, 5)),
    "dense": ("...a,ab->...b", (2, 3, 4), (4, 5)),
    "dense_of_matrix": ("...a,ab->...b", (3, 4), (4, 5)),
    "dense_of_vector": ("...a,ab->...b", (4,), (4, 5)),
    "dense_second": ("ab,...b->...a", (5, 4), (2, 3, 4)),
    "ellipsis_first": ("a...,ab->b...", (4, 2, 3), (4, 5)),
    "ellipsis_middle": ("a...b,bc->a...c", (2, 3, 6, 4), (4, 5)),
    "ellipses": ("...ab,...bc->...ac", (2, 6, 3, 4), (2, 6, 4, 5)),
    "ellipses_of_two_ranks": ("...ab,...bc->...ac", (2, 6, 3, 4), (6, 4, 5)),
    "ellipses_of_none": ("...ab,...bc->...ac", (3, 4), (4, 5)),
    "ellipses_broadcast": ("...ab,...bc->...ac", (2, 1, 3, 4), (6, 4, 5)),
    "ellipses_broadcast_both": ("...ab,...bc->...ac", (2, 1, 3, 4), (1, 6, 4, 5)),
    "ellipses_not_in_the_result": ("...ab,...bc->ac", (3, 4), (4, 5)),
    "ellipses_in_the_result_only": ("ab,bc->...ac", (3, 4), (4, 5)),
    "ellipses_batch_between": ("a...b,b...c->a...c", (3, 2, 4), (4, 2, 5)),
    "ellipses_product": ("...a,...b->...ab", (2, 3), (2, 4)),
    "ellipses_broadcast_product": ("...a,...a->...a", (2, 1, 3), (6, 3)),
    "upper_case": ("aB,Bc->ac", (3, 4), (4, 5)),
    "turned": ("ab->ba", (3, 4)),
    "same": ("abc->abc", (2, 3, 4)),
    "sum": ("abc->b", (2, 3, 4)),
    "sum_turned": ("abc->ca", (2, 3, 4)),
    "sum_of_all": ("abc->", (2, 3, 4)),
    "last_turned": ("...ab->...ba", (2, 6, 3, 4)),
    "to_front": ("...a->a...", (2, 3, 4)),
    "ellipsis_sum": ("...a->...", (2, 3, 4)),
}


def einsum(equation):
    return lambda *x: raw.Einsum(inputs=list(x), equation=equation)


def equations():
    for name, (equation, *extents) in EQUATIONS.items():
        x = [normal(f"{name}{i}", shape) for i, shape in enumerate(extents)]
        case(OP, name, einsum(equation), x, [[None, *a.shape[1:]] if a.ndim else [] for a in x])
        case(OP, name + "_unknown", einsum(equation), x, unknown(*x))
        case(OP, name + "_static", einsum(equation), x, static(*x))
        if len(x) > 1:
            case(OP, name + "_weights", lambda a, e=equation, b=x[1]: einsum(e)(a, b), x[:1], unknown(x[0]))


def dtypes():
    for dtype in (F64, F16, BF16):
        for name in ("scores", "projection", "batch_outer", "sum_of_one", "dense", "sum_turned"):
            equation, *extents = EQUATIONS[name]
            x = [normal(f"{name}{i}", shape, dtype) for i, shape in enumerate(extents)]
            case(OP, f"{name}_{np.dtype(dtype).name}", einsum(equation), x, unknown(*x), ROUNDED[dtype], reference=True)
    case(OP, "int32", einsum("ab,bc->ac"), [integers("p", (3, 4)), integers("q", (4, 5))], refused="dtype")


def extents():
    """Nothing to add up, nothing at all, and what does not fit."""
    for name in ("matrix", "projection", "projection_back", "rows_of_two", "scores", "outer", "dense", "batch_outer", "sum_of_one"):
        equation, *shapes = EQUATIONS[name]
        labels = equation.split("->")[0].split(",")
        for label in sorted({c for part in labels for c in part if c.isalpha()}):
            empty = [[0 if part.replace("...", "yz")[k] == label else d for k, d in enumerate(shape)] for part, shape in zip(labels, shapes)]
            x = [normal(name, shape) for shape in empty]
            case(OP, f"{name}_no_{label}", einsum(equation), x, unknown(*x))
            case(OP, f"{name}_no_{label}_static", einsum(equation), x, static(*x))
    p, q = normal("p", (3, 4)), normal("q", (3, 5))
    case(OP, "contracted_differ", einsum("ab,bc->ac"), [p, q], unknown(p, q), error=True)
    case(OP, "contracted_differ_half_known", einsum("ab,bc->ac"), [p, q], [[None, None], [3, 5]], error=True)
    p, q = normal("p", (1, 3, 4)), normal("q", (2, 4, 5))
    case(OP, "batch_of_one_is_not_broadcast", einsum("abc,acd->abd"), [p, q], [[None, 3, 4], [2, 4, 5]], error=True)
    case(OP, "batch_of_one_is_not_broadcast_by_weights", lambda x: einsum("abc,acd->abd")(x, q), [p], error=True)
    large = normal("large", (2, 300, 64)), normal("weights", (64, 4, 16))
    case(OP, "large", einsum("abc,cde->abde"), large, unknown(*large))
    case(OP, "special", einsum("ab,bc->ac"), [F32([[np.nan, 1], [np.inf, 2], [1, 3]]), F32([[1, -np.inf, 0], [2, 3, 1]])])


def refused():
    x = normal("square", (4, 4))
    for name, equation, operands in (("diagonal", "aa->a", 1), ("trace", "aa->", 1), ("repeated", "aab,bc->ac", 2), ("made_diagonal", "a->aa", 1)):
        arrays = [normal("r", (4,) * len(part)) for part in equation.split("->")[0].split(",")]
        assert len(arrays) == operands
        case(OP, name, einsum(equation), arrays, refused="unsupported_attr")
    case(OP, "digits_as_labels", einsum("a1,1c->ac"), [x, x], refused="unsupported_attr")
    case(OP, "diagonal_of_two", einsum("aa,ab->b"), [x, x], refused="unsupported_attr")


FAMILIES = (equations, dtypes, extents, refused)


def cases():
    for family in FAMILIES:
        family()

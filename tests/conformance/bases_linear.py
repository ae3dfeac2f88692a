"""Base calls of products, reductions, indexed ops and the parts of matrices."""
import numpy as np
import tensorflow as tf

from variation import K, base, cast, integers, normal


def bases():
    a, b = normal("ma", 4, 4), normal("mb", 4, 4)
    more = [{"a": normal("m1", 3, 4), "b": normal("m2", 4, 5)}, {"a": a[:1]}, {"b": b[:, :1]}, {"a": a[:0]}, {"b": b[:, :0]}, {"a": a[:, :0], "b": b[:0]},
            {"a": normal("mc", 40, 70), "b": normal("md", 70, 33)}]
    base("MatMul", {"a": a, "b": b}, alternatives=more, rtol=2e-5)
    base("MatMul", {"a": a, "b": K(b, b.T.copy())}, name="constant", rtol=2e-5)
    x, y = normal("bx", 2, 3, 4, 4), normal("by", 2, 3, 4, 4)
    for op in ("BatchMatMul", "BatchMatMulV2", "BatchMatMulV3"):
        more = [{"x": x[0], "y": y[0]}, {"x": x[0, 0], "y": y[0, 0]}, {"x": x[:0], "y": y[:0]}, {"x": x[:, :, :2]}, {"y": y[..., :1]}]
        if op != "BatchMatMul":
            more += [{"x": x[:1]}, {"y": y[0]}, {"x": x[:, :1], "y": y[:1]}, {"x": x[0, 0]}]
        if op != "BatchMatMulV3":
            base(op, {"x": x, "y": y}, alternatives=more, rtol=2e-5)
            continue
        base(op, {"x": x, "y": y}, alternatives=more, rtol=2e-5, Tout=tf.float32)
        for t in (tf.float64, tf.float16, tf.bfloat16, tf.int16, tf.int32, tf.int64):
            base(op, {"x": cast(x, t.as_numpy_dtype), "y": cast(y, t.as_numpy_dtype)}, {"Tout": []}, name=t.name, Tout=t, dtypes={"Ta": [], "Tb": []})
    p, q = normal("ep", 3, 3, 3), normal("eq", 3, 3, 3)
    base("Einsum", {"inputs": [p, q]}, {"equation": ["abc,acd->abd", "abc,dce->abde", "abc,abd->acd", "abc,abc->a", "abc,bcd->bad", "abc,abc->abc", "...c,cde->...de",
                                                     "aab,bcd->acd", "abc,cde->a"]}, equation="abc,cde->abde", rtol=2e-5)
    base("Einsum", {"inputs": [p[0], q[0]]}, {"equation": ["ab,cb->ac", "ba,bc->ca", "ab,ab->", "ab,bc"]}, equation="ab,bc->ac", name="matrix", rtol=2e-5)
    base("Einsum", {"inputs": [p[0]]}, {"equation": ["ab->a", "aa->a"]}, equation="ab->ba", name="one", rtol=2e-5)

    x = normal("reduce", 3, 4, 5)
    more = [{"input": x[0]}, {"input": x[:0]}, {"input": x[:, :0]}, {"input": normal("rb", 30, 41, 7)}, {"input": normal("r4", 2, 3, 4, 5), "reduction_indices": K([1, 2])},
            {"reduction_indices": K(np.zeros(0, np.int32))}, {"reduction_indices": K(1)}]
    for op in ("Sum", "Mean", "Max", "Min", "Prod"):
        base(op, {"input": x if op != "Prod" else x * 0.5 + 1, "reduction_indices": K([1], [0], [2], [-1], [0, 2], [0, 1, 2])}, alternatives=more, rtol=2e-5)
    for op in ("All", "Any"):
        base(op, {"input": integers(op, 3, 4, 5) > (-16 if op == "All" else 16), "reduction_indices": K([1], [0], [2], [-1], [0, 2], [0, 1, 2])},
             alternatives=[m | ({"input": m["input"] > 0} if "input" in m else {}) for m in more])
    for op in ("ArgMax", "ArgMin"):
        base(op, {"input": x, "dimension": K(1, 0, 2, -1)}, alternatives=[{"input": x[0]}, {"input": x[:0]}, {"input": np.round(x)}, {"input": x[0, 0], "dimension": K(0)},
                                                                          {"input": np.where(x > 1, np.nan, x).astype(np.float32)}, {"input": normal("ab", 40, 50)}], dtypes={"Tidx": [np.int32, np.int64]})
    x = normal("scan", 3, 4, 5)
    for op in ("Cumsum", "Cumprod"):
        base(op, {"x": x, "axis": K(1, 0, 2, -1, -3)}, alternatives=[{"x": x[0]}, {"x": x[:0]}, {"x": x[:, :0]}, {"x": x[:, :1]}, {"x": x[0, 0], "axis": K(0)},
                                                                     {"x": normal("sb", 30, 41) * 0.1 + 1}], rtol=2e-5)
    x = integers("topk", 4, 9, low=0, high=5).astype(np.float32)
    base("TopKV2", {"input": x, "k": K(3, 1, 0, 9)}, alternatives=[{"input": x[0]}, {"input": x[:0]}, {"input": normal("tk", 2, 3, 40)}])

    params, idx = normal("gnd", 3, 4, 5), integers("gndi", 4, 2, low=0, high=3)
    base("GatherNd", {"params": params, "indices": idx}, {"bad_indices_policy": ["ERROR", "DEFAULT", "IGNORE"]},
         alternatives=[{"indices": idx[:, :1]}, {"indices": idx[0]}, {"indices": idx[:0]}, {"indices": idx + 3}, {"indices": idx - 3}, {"indices": np.resize(idx, (2, 2, 2))},
                       {"indices": np.resize(idx, (2, 3))}, {"params": params[:, :, 0]}])
    idx, updates = integers("sci", 4, 1, low=0, high=5), normal("scu", 4, 3)
    base("ScatterNd", {"indices": idx, "updates": updates, "shape": K([5, 3], [6, 3])}, {"bad_indices_policy": ["ERROR", "DEFAULT", "IGNORE"]},
         alternatives=[{"indices": idx[:0], "updates": updates[:0]}, {"indices": idx + 3}, {"indices": idx - 5}, {"updates": updates[:, :1], "shape": K([5, 1])},
                       {"indices": np.resize(idx, (2, 2)), "updates": updates[:2, 0], "shape": K([5, 5])}])
    base("ScatterNd", {"indices": integers("scq", 4, 1, low=0, high=3), "updates": normal("scp", 4), "shape": K([4])}, {"bad_indices_policy": []}, name="vector")
    for op in ("TensorScatterUpdate", "TensorScatterAdd", "TensorScatterSub", "TensorScatterMax", "TensorScatterMin"):
        base(op, {"tensor": normal("tst", 5, 3), "indices": idx, "updates": updates}, {"bad_indices_policy": ["ERROR", "DEFAULT", "IGNORE"]},
             alternatives=[{"indices": idx[:0], "updates": updates[:0]}, {"indices": idx + 3}, {"indices": idx - 5}, {"tensor": normal("ts2", 6, 3)},
                           {"indices": np.resize(idx, (2, 2)) % 3, "updates": updates[:2, 0]}])

    m = normal("band", 2, 4, 5)
    more = [{"input": m[0]}, {"input": m[:0]}, {"input": m[:, :, :4]}, {"input": normal("b4", 2, 2, 3, 3)}]
    base("MatrixBandPart", {"input": m, "num_lower": K(1, 0, -1, 3, dtype=np.int64), "num_upper": K(1, 0, -1, 4, dtype=np.int64)}, alternatives=more)
    base("MatrixDiag", {"diagonal": m}, alternatives=[{"diagonal": m[0]}, {"diagonal": m[0, 0]}, {"diagonal": m[:0]}, {"diagonal": m[:, :, :1]}])
    base("MatrixDiagPart", {"input": m}, alternatives=more)
    pad = {"padding_value": K(np.float32(0), np.float32(7))}
    for version in ("V2", "V3"):
        base("MatrixDiag" + version, {"diagonal": m[0], "k": K(0, 1, -2), "num_rows": K(-1), "num_cols": K(-1)} | pad, {"align": []},
             alternatives=[{"diagonal": m[0, 0]}, {"diagonal": m[:0, 0]}])
        base("MatrixDiag" + version, {"diagonal": m[0], "k": K(0), "num_rows": K(5), "num_cols": K(7, 5, 6)} | pad, {"align": []}, name="columns")
        base("MatrixDiag" + version, {"diagonal": m[0], "k": K(0), "num_rows": K(7, 5, 6), "num_cols": K(5)} | pad, {"align": []}, name="rows")
        base("MatrixDiagPart" + version, {"input": m, "k": K(0, 1, -2, [-1, 1])} | pad, {"align": []}, alternatives=more)
        base("MatrixDiagPart" + version, {"input": m, "k": K([-1, 2])} | pad, name="band")
        base("MatrixSetDiag" + version, {"input": m, "diagonal": m[:, :, 0], "k": K(0, 1, -1)}, {"align": []},
             alternatives=[{"input": m[0], "diagonal": m[0, :, 0]}, {"input": m[:0], "diagonal": m[:0, :, 0]}])
    base("MatrixSetDiag", {"input": m, "diagonal": m[:, :, 0]}, alternatives=[{"input": m[0], "diagonal": m[0, :, 0]}, {"input": m[:0], "diagonal": m[:0, :, 0]}])
    base("MatrixDiagV3", {"diagonal": m[:, :3, :4], "k": K([-1, 1]), "num_rows": K(-1), "num_cols": K(-1)} | pad, name="band")
    base("MatrixSetDiagV3", {"input": m[:, :, :4], "diagonal": normal("msd", 2, 3, 4), "k": K([-1, 1])}, name="band")

"""Base calls of the ops that move, join, cut and make elements."""
import numpy as np

from variation import K, base, integers, normal


def bases():
    x = normal("move", 2, 3, 4)
    for op in ("Identity", "StopGradient", "PreventGradient", "Snapshot", "Rank", "Shape", "Size"):
        base(op, {"input": x}, {"message": ["a text"]} if op == "PreventGradient" else None,
             alternatives=[{"input": v} for v in (x[0], x[0, 0], x[0, 0, 0], x[:0], normal("r5", 2, 1, 3, 1, 2), x[:, :0], normal("ll", 300, 5))])
    for parts in ((x,), (x, x[0]), (x, integers("idn", 3), x[0] > 0)):
        base("IdentityN", {"input": list(parts)}, name=f"n{len(parts)}", alternatives=[{"input": [p[:0] for p in parts]}, {"input": [p[:1] for p in parts]}])

    base("Reshape", {"tensor": x, "shape": K([4, 6], [-1], [2, -1], [3, 2, 4], [1, 24, 1], [-1, 4])}, alternatives=[{"tensor": x[:1], "shape": K([12])}, {"tensor": x[:0], "shape": K([0, 5])}])
    base("ExpandDims", {"input": x, "dim": K(1, 0, 2, 3, -1, -4)}, alternatives=[{"input": x[0, 0, 0], "dim": K(0)}, {"input": x[:0]}])
    ones = normal("ones", 1, 3, 1, 4, 1)
    base("Squeeze", {"input": ones}, {"squeeze_dims": [[0], [2], [-1], [0, 2, 4], [2, -1]]}, alternatives=[{"input": ones[:, :1]}, {"input": ones[:, :0]}])
    base("Squeeze", {"input": x}, {"squeeze_dims": []}, name="nothing", alternatives=[{"input": x[:1]}, {"input": x[:, :1]}, {"input": x[:1, :1]}])
    base("Transpose", {"x": x, "perm": K([0, 2, 1], [2, 1, 0], [0, 1, 2], [1, 0, 2], [2, 0, 1])},
         alternatives=[{"x": x[0], "perm": K([1, 0])}, {"x": x[:0]}, {"x": x[0, 0], "perm": K([0])}, {"x": normal("t4", 2, 3, 4, 5), "perm": K([0, 3, 1, 2], [3, 2, 1, 0])},
                       {"x": normal("tb", 40, 50), "perm": K([1, 0])}])
    base("Tile", {"input": x, "multiples": K([1, 2, 3], [2, 1, 1], [1, 1, 1], [0, 1, 2], [3, 2, 2])}, alternatives=[{"input": x[0], "multiples": K([2, 2])}, {"input": x[:0]}])
    base("BroadcastTo", {"input": x[:, :1], "shape": K([2, 5, 4], [3, 2, 1, 4], [2, 1, 4], [1, 2, 0, 4])}, alternatives=[{"input": x[0, 0]}, {"input": x[0, 0, 0]}, {"input": x[0, :1]}])

    values = [normal(f"cat{i}", 2, 3, 4) for i in range(3)]
    more = [{"values": values[:2]}, {"values": values * 2}, {"values": [values[0], values[1][:, :0], values[2]]}, {"values": [v[:0] for v in values]}]
    base("ConcatV2", {"values": values, "axis": K(1, 0, 2, -1, -3)}, alternatives=more + [{"values": [values[0], values[1][:, :1]]}, {"values": values[:2] + [values[0][:, :2]]}])
    base("Concat", {"values": values, "concat_dim": K(1, 0, 2)}, alternatives=more + [{"values": [values[0], values[1][:, :1]]}, {"values": values[:2] + [values[0][:, :2]]}])
    base("Pack", {"values": values}, {"axis": [0, 2, 3, -1, -4]}, axis=1, alternatives=[{"values": values[:1]}, {"values": values * 2}, {"values": [v[:0] for v in values]},
                                                                                      {"values": [v[0] for v in values]}])
    y = normal("split", 6, 6, 6)
    base("Split", {"value": y, "split_dim": K(1, 0, 2, -1, -3)}, {"num_split": [2, 6, 1]}, num_split=3, alternatives=[{"value": y[:, :3]}, {"value": y[:, :, :0]}])
    # TensorFlow's shape function aborts the process on int8 sizes that are constant.
    base("SplitV", {"value": y, "size_splits": K([1, 2, 3], [3, -1, 2], [2, 2, 2], [0, 6, 0], dtype=np.int64), "split_dim": K(1, 0, -1)}, num_split=3, dtypes={"Tlen": [np.int32, np.int64]})
    base("SplitV", {"value": y, "size_splits": K([1, 5], dtype=np.int64), "split_dim": K(0, 2)}, name="two", num_split=2, dtypes={"Tlen": [np.int32, np.int64]})
    base("Unpack", {"value": normal("unpack", 3, 3, 3)}, {"axis": [1, 2, -1, -3]}, num=3, axis=0, alternatives=[{"value": normal("u4", 3, 3, 3, 3)}])
    base("Unpack", {"value": normal("unpack1", 1, 2)}, {"axis": []}, name="one", num=1, axis=0)
    base("Unpack", {"value": normal("unpack2", 2, 3)}, {"axis": []}, name="two", num=2, axis=0)

    z = normal("ss", 4, 5, 6)
    masks = dict(begin_mask=[1, 2, 5, 7], end_mask=[1, 2, 5, 7], ellipsis_mask=[1, 2, 4], new_axis_mask=[1, 2, 4], shrink_axis_mask=[1, 2, 5, 7])
    base("StridedSlice", {"input": z, "begin": K([1, 1, 2], [0, -3, 1]), "end": K([3, 4, 5], [-1, 5, 4]), "strides": K([1, 2, 1], [1, 1, 2])}, masks,
         alternatives=[{"input": z[:0]}, {"begin": K([1, 1]), "end": K([3, 3]), "strides": K([1, 1])}])
    base("StridedSlice", {"input": z, "begin": K([3, 4, 5], [-1, -1, -1]), "end": K([0, 0, 1], [-4, -5, -6]), "strides": K([-1, -2, -1], [-1, -1, -3])}, masks, name="backwards")
    base("Slice", {"input": z, "begin": K([1, 0, 2], [0, 1, 1], [0, 0, 0]), "size": K([2, -1, 3], [2, 3, 1], [-1, 2, 2], [0, 1, 1])}, alternatives=[{"input": np.resize(z, (9, 9, 9))}])
    pads = K([[1, 0], [0, 2], [1, 1]], [[0, 0], [0, 0], [2, 1]], [[0, 0], [0, 0], [0, 0]], [[3, 1], [0, 0], [0, 0]])
    more = [{"input": z[:0]}, {"input": z[0], "paddings": K([[1, 2], [0, 1]])}, {"input": normal("pad4", 2, 3, 3, 4), "paddings": K([[0, 0], [1, 1], [1, 1], [0, 0]])}]
    base("Pad", {"input": z, "paddings": pads}, alternatives=more)
    base("PadV2", {"input": z, "paddings": pads, "constant_values": K(np.float32(2.5), np.float32(-1))}, alternatives=more)
    base("MirrorPad", {"input": z, "paddings": K([[1, 0], [0, 2], [1, 1]], [[0, 0], [0, 0], [2, 1]], [[0, 0], [0, 0], [0, 0]])}, mode="REFLECT",
         alternatives=[{"input": z[:2]}, {"input": normal("mp4", 2, 3, 3, 4), "paddings": K([[0, 0], [1, 1], [1, 1], [0, 0]])}])
    ids = integers("ids", 2, 3, low=0, high=4)
    base("Gather", {"params": z, "indices": ids}, alternatives=[{"indices": ids[0]}, {"indices": ids[0, 0]}, {"params": z[:, 0]}, {"params": z[:, :0]}, {"indices": ids[:0]},
                                                               {"indices": ids + 3}, {"indices": ids - 3}, {"params": z[:, 0, 0]}])
    base("Gather", {"params": z, "indices": K(ids, ids[::-1].copy())}, {"validate_indices": [False]}, name="constant")
    base("GatherV2", {"params": np.resize(z, (4, 5, 6)), "indices": ids, "axis": K(1, 0, 2, -1)}, {"batch_dims": []},
         alternatives=[{"indices": ids[0]}, {"indices": ids[0, 0]}, {"params": z[:0]}, {"indices": ids[:0]}, {"indices": ids + 4}, {"indices": ids - 4}])
    square, sids = normal("gsq", 3, 3, 3, 3), integers("gids", 3, 3, low=0, high=3)
    base("GatherV2", {"params": square, "indices": sids, "axis": K(2, 3)}, {"batch_dims": [1, 2, -1]}, name="batched", batch_dims=0)
    hot = integers("hot", 3, 4, low=-1, high=5)
    base("OneHot", {"indices": hot, "depth": K(5, 3, 1, 0), "on_value": np.float32(2), "off_value": np.float32(-1)}, {"axis": [0, 1, 2]},
         alternatives=[{"indices": hot[0]}, {"indices": hot[0, 0]}, {"indices": hot[:0]}], dtypes={"TI": [np.uint8, np.int8, np.int32, np.int64]})
    base("OneHot", {"indices": hot, "depth": K(4), "on_value": K(np.float32(1), np.float32(3)), "off_value": K(np.float32(0), np.float32(0.5))}, {"axis": []}, name="constant")

    base("Fill", {"dims": K([2, 3], [4], [0, 2], [2, 1, 3, 2]), "value": np.float32(2.5)}, alternatives=[{"dims": K(np.zeros(0, np.int32))}])
    base("Fill", {"dims": K([2, 3]), "value": K(np.float32(2.5), np.float32(-1))}, name="constant")
    base("Range", {"start": K(0, 2, -3), "limit": K(9, 5, 20), "delta": K(1, 2, 4)})
    base("Range", {"start": K(9, 20), "limit": K(0, -3), "delta": K(-1, -4)}, name="down", dtypes={"Tidx": [np.int32, np.int64, np.float32, np.int8, np.int16]})
    base("LinSpace", {"start": K(np.float32(0.5), np.float32(-3), np.float32(9)), "stop": K(np.float32(4), np.float32(1e3)), "num": K(5, 1, 2, 100)})
    base("BroadcastArgs", {"s0": K([2, 3, 1], [2, 1, 1], [1]), "s1": K([4], [3, 5], [2, 3, 7])})

    for op, extra in (("SpaceToBatchND", "paddings"), ("BatchToSpaceND", "crops")):
        first = normal(op, *((2, 6, 6, 3) if op == "SpaceToBatchND" else (36, 3, 3, 2)))
        base(op, {"input": first, "block_shape": K([2, 3], [3, 2], [1, 3], [1, 1]), extra: K([[0, 0], [0, 0]], *([[[2, 0], [0, 0]], [[1, 1], [1, 2]]] if op == "SpaceToBatchND"
                                                                                                            else [[[1, 0], [0, 0]], [[1, 1], [1, 2]]]))},
             alternatives=[{"input": first[:0]}, {"block_shape": K([2]), extra: K([[0, 0]])}])
        op = op[:-2]
        base(op, {"input": first, extra: K([[0, 0], [0, 0]], *([[[2, 4], [0, 0]], [[0, 0], [6, 0]]] if op == "SpaceToBatch" else [[[1, 0], [0, 0]], [[1, 1], [1, 2]]]))},
             {"block_size": [3, 6]}, block_size=2, alternatives=[{"input": first[:0]}])
    base("ReverseV2", {"tensor": z, "axis": K([1], [0], [-1], [0, 2], [0, 1, 2])}, alternatives=[{"tensor": z[:0]}, {"tensor": z[0], "axis": K([1])}, {"axis": K(np.zeros(0, np.int32))}])
    base("Roll", {"input": z, "shift": K([2], [-1], [0], [11]), "axis": K([1], [0], [2], [-1])}, alternatives=[{"input": z[:0]}, {"shift": K([1, -2]), "axis": K([0, 2])}, {"shift": K(3), "axis": K(1)}])
    base("InvertPermutation", {"x": K([2, 0, 1, 3], [0, 1, 2, 3], [3, 2, 1, 0], [1, 2, 3, 0], [3, 0, 1, 2])}, alternatives=[{"x": K([0])}, {"x": K([1, 0])}, {"x": K([1, 0, 2])}, {"x": K([4, 2, 3, 0, 1])}])

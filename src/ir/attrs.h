// Attributes of IR ops: one plain struct an op, each with `visit`, which names its fields once for
// printing, parsing, hashing and the plan format. Field names and their meaning are part of the
// plan format: never reuse one.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "graft/types.h"

namespace graft::ir {

// Order is part of the plan format: append only.
enum class UnaryFn : int {
  kIdentity,
  kNeg,
  kAbs,
  kExp,
  kExpm1,
  kLog,
  kLog1p,
  kSqrt,
  kRsqrt,
  kSquare,
  kReciprocal,
  kSigmoid,
  kTanh,
  kErf,
  kErfc,
  kRelu,
  kRelu6,
  kElu,
  kSelu,
  kLeakyRelu,
  kSoftplus,
  kSoftsign,
  kSwish,
  kGelu,
  kGeluTanh,
  kHardSwish,
  kHardSigmoid,
  kClip,
  kFloor,
  kCeil,
  kRint,
  kSign,
  kSin,
  kCos,
  kTan,
  kAsin,
  kAcos,
  kAtan,
  kSinh,
  kCosh,
  kAsinh,
  kAcosh,
  kAtanh,
  kLogicalNot,
  kIsNan,
  kIsInf,
  kIsFinite,
  kInvert,
  kPopulationCount,
  kRoundAway,  // halves away from zero, as std::round
  kBesselI0,
  kBesselI0e,  // exp(-|x|) * I0(x)
  kBesselI1,
  kBesselI1e,
  kCount
};
enum class BinaryFn : int {
  kAdd,
  kSub,
  kMul,
  kDiv,
  kDivNoNan,
  kFloorDiv,
  kFloorMod,
  kTruncDiv,
  kTruncMod,
  kMax,
  kMin,
  kPow,
  kSquaredDifference,
  kAtan2,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kEqual,
  kNotEqual,
  kLogicalAnd,
  kLogicalOr,
  kBitwiseAnd,
  kBitwiseOr,
  kBitwiseXor,
  kLeftShift,  // shifts by 0..bits - 1: other amounts are clamped
  kRightShift,
  kCount
};
enum class ReduceFn : int { kSum, kMean, kMax, kMin, kProd, kAll, kAny, kCount };
// How an element of updates and the one it meets become one.
enum class ScatterFn : int { kReplace, kAdd, kSub, kMax, kMin, kCount };
enum class PoolFn : int { kMax, kAvg, kCount };
// kExplicit: pads = {top, bottom, left, right}.
enum class Padding : int { kValid, kSame, kExplicit, kCount };
enum class PadMode : int { kConstant, kReflect, kSymmetric, kCount };
// kSample: the nearest pixel or between four, as ResizeAttrs::bilinear says.
enum class ResizeMethod : int { kSample, kBicubic, kArea, kCount };
// Which of TensorFlow's ops fake_quant is, since they round differently: FakeQuantWithMinMaxArgs
// and
// ...PerChannel (kNudged), FakeQuantWithMinMaxVars (kNudgedDivide, divides by the scale),
// QuantizeAndDequantize with either round_mode. Formulas: ir/fake_quant.h.
enum class FakeQuantFn : int { kNudged, kNudgedDivide, kHalfToEven, kHalfUp, kCount };
// kForward: sum of src[i] * exp(-2 pi j i k / n); kInverse: with +, and divided by n. kReal: of
// real numbers, the first n / 2 + 1 coefficients; kInverseReal: its inverse, which takes the other
// coefficients as the conjugates of these and reads no imaginary part of coefficients that have
// none.
enum class FftFn : int { kForward, kInverse, kReal, kInverseReal, kCount };
// kMake: of two real operands, the real and the imaginary part. kMul: of two complex ones.
enum class ComplexFn : int { kReal, kImag, kAbs, kAngle, kExp, kMake, kMul, kCount };

// The cell of a recurrent network; gates in this order. kLstm: i, f, g (candidate), o. kGru: z, r,
// h, r scales the state before the product with h's weights; kGruResetAfter: behind it. kSimple:
// one.
enum class RecurrentFn : int { kLstm, kGru, kGruResetAfter, kSimple, kCount };

const char* name_of(UnaryFn fn);
const char* name_of(BinaryFn fn);
const char* name_of(ReduceFn fn);
const char* name_of(ScatterFn fn);
const char* name_of(PoolFn fn);
const char* name_of(Padding padding);
const char* name_of(PadMode mode);
const char* name_of(ResizeMethod method);
const char* name_of(FakeQuantFn fn);
const char* name_of(RecurrentFn fn);
const char* name_of(FftFn fn);
const char* name_of(ComplexFn fn);

// Fused at the end of conv, matmul and affine ops. alpha: slope of kLeakyRelu / kElu's scale;
// kClip: [alpha, beta].
struct Activation {
  UnaryFn fn = UnaryFn::kIdentity;
  float alpha = 0, beta = 0;
  bool operator==(const Activation&) const = default;
};

#define GRAFT_FIELDS(...)             \
  template <class Self, class F>      \
  static void visit(Self& s, F&& f) { \
    (void)s;                          \
    (void)f;                          \
    __VA_ARGS__                       \
  }

struct UnaryAttrs {
  Activation fn;
  GRAFT_FIELDS(f("fn", s.fn);)
};
struct BinaryAttrs {
  BinaryFn fn = BinaryFn::kAdd;
  GRAFT_FIELDS(f("fn", s.fn);)
};
struct SelectAttrs {
  GRAFT_FIELDS()
};
struct CastAttrs {
  DType to = DType::kFloat;
  GRAFT_FIELDS(f("to", s.to);)
};
// The same bytes as another dtype: a smaller one adds a last axis, a larger one takes the last axis
// away.
struct BitcastAttrs {
  DType to = DType::kFloat;
  GRAFT_FIELDS(f("to", s.to);)
};
// y = act(x * scale + shift), scale and shift [C] over the last axis.
struct AffineAttrs {
  Activation act;
  GRAFT_FIELDS(f("act", s.act);)
};
// 2-D convolution, NHWC. src [N,H,W,C], weights [KH,KW,C/groups,OC], then bias [OC] if has_bias,
// then residual [N,OH,OW,OC] if has_residual; dst = act(conv + bias + residual). groups == C:
// depthwise.
struct ConvAttrs {
  std::vector<int64_t> strides{1, 1}, dilations{1, 1};
  Padding padding = Padding::kValid;
  std::vector<int64_t> pads{0, 0, 0, 0};
  int64_t groups = 1;
  bool has_bias = false, has_residual = false;
  Activation act;
  GRAFT_FIELDS(f("strides", s.strides); f("dilations", s.dilations); f("padding", s.padding);
               f("pads", s.pads); f("groups", s.groups); f("has_bias", s.has_bias);
               f("has_residual", s.has_residual); f("act", s.act);)
};
// a [..., M, K], b [..., K, N] (after the transposes), batch dims broadcast; bias [N]; residual of
// dst's shape.
struct MatMulAttrs {
  bool transpose_a = false, transpose_b = false, has_bias = false, has_residual = false;
  Activation act;
  GRAFT_FIELDS(f("transpose_a", s.transpose_a); f("transpose_b", s.transpose_b);
               f("has_bias", s.has_bias); f("has_residual", s.has_residual); f("act", s.act);)
};
// 2-D pooling over [N,H,W,C]; the average divides by the elements inside the image, as TensorFlow's
// AvgPool does.
struct PoolAttrs {
  PoolFn fn = PoolFn::kMax;
  std::vector<int64_t> ksize{1, 1}, strides{1, 1};
  Padding padding = Padding::kValid;
  std::vector<int64_t> pads{0, 0, 0, 0};
  GRAFT_FIELDS(f("fn", s.fn); f("ksize", s.ksize); f("strides", s.strides); f("padding", s.padding);
               f("pads", s.pads);)
};
struct ReduceAttrs {
  ReduceFn fn = ReduceFn::kSum;
  std::vector<int64_t> axes;  // normalized, sorted, unique
  bool keep_dims = false;
  GRAFT_FIELDS(f("fn", s.fn); f("axes", s.axes); f("keep_dims", s.keep_dims);)
};
struct ArgReduceAttrs {  // index of the first maximum / minimum
  bool max = true;
  int64_t axis = 0;
  DType to = DType::kInt64;
  GRAFT_FIELDS(f("max", s.max); f("axis", s.axis); f("to", s.to);)
};
struct SoftmaxAttrs {
  bool log = false;
  GRAFT_FIELDS(f("log", s.log);)
};  // over the last axis
// Over the last axis: (x - mean) * rsqrt(var + epsilon) * gamma + beta; gamma, beta [C].
struct LayerNormAttrs {
  float epsilon = 1e-5f;
  GRAFT_FIELDS(f("epsilon", s.epsilon);)
};
// q [B,Sq,H,D], k [B,Sk,H,D], v [B,Sk,H,Dv], optional additive mask broadcastable to [B,H,Sq,Sk];
// dst [B,Sq,H,Dv] = softmax(q k^T * scale + mask) v, per head.
struct AttentionAttrs {
  float scale = 1;
  bool has_mask = false;
  GRAFT_FIELDS(f("scale", s.scale); f("has_mask", s.has_mask);)
};
struct ReshapeAttrs {
  GRAFT_FIELDS()
};  // src, shape (host value, int32/int64 [rank], one -1 allowed)
struct ExpandDimsAttrs {
  int64_t axis = 0;
  GRAFT_FIELDS(f("axis", s.axis);)
};  // normalized to 0..rank
struct SqueezeAttrs {
  std::vector<int64_t> axes;
  GRAFT_FIELDS(f("axes", s.axes);)
};  // normalized; never empty
struct TransposeAttrs {
  std::vector<int64_t> perm;
  GRAFT_FIELDS(f("perm", s.perm);)
};
struct ConcatAttrs {
  int64_t axis = 0;
  GRAFT_FIELDS(f("axis", s.axis);)
};
// src split into outputs along axis; sizes of the outputs, at most one -1 (the rest); empty: equal
// parts.
struct SplitAttrs {
  int64_t axis = 0;
  std::vector<int64_t> sizes;
  GRAFT_FIELDS(f("axis", s.axis); f("sizes", s.sizes);)
};
// src, begin, end, strides (host values [n]); masks as in TensorFlow's StridedSlice.
struct StridedSliceAttrs {
  int64_t begin_mask = 0, end_mask = 0, ellipsis_mask = 0, new_axis_mask = 0, shrink_axis_mask = 0;
  GRAFT_FIELDS(f("begin_mask", s.begin_mask); f("end_mask", s.end_mask);
               f("ellipsis_mask", s.ellipsis_mask); f("new_axis_mask", s.new_axis_mask);
               f("shrink_axis_mask", s.shrink_axis_mask);)
};
struct SliceAttrs {
  GRAFT_FIELDS()
};  // src, begin, size (host values; size -1: to the end)
struct PadAttrs {
  PadMode mode = PadMode::kConstant;
  GRAFT_FIELDS(f("mode", s.mode);)
};                    // src, paddings [rank,2] (host), value (scalar; kConstant only)
struct GatherAttrs {  // params, indices; TensorFlow's GatherV2
  int64_t axis = 0, batch_dims = 0;
  GRAFT_FIELDS(f("axis", s.axis); f("batch_dims", s.batch_dims);)
};
struct TileAttrs {
  GRAFT_FIELDS()
};  // src, multiples (host)
struct BroadcastToAttrs {
  GRAFT_FIELDS()
};  // src, shape (host)
struct FillAttrs {
  GRAFT_FIELDS()
};  // shape (host), value (scalar)
struct RangeAttrs {
  GRAFT_FIELDS()
};  // start, limit, delta (host scalars)
struct ShapeAttrs {
  DType to = DType::kInt32;
  GRAFT_FIELDS(f("to", s.to);)
};
struct PackAttrs {
  int64_t axis = 0;
  GRAFT_FIELDS(f("axis", s.axis);)
};
struct UnpackAttrs {
  int64_t axis = 0;
  GRAFT_FIELDS(f("axis", s.axis);)
};
// src [N,H,W,C], size (host [2]).
struct ResizeAttrs {
  bool bilinear = true, align_corners = false, half_pixel_centers = false;
  ResizeMethod method = ResizeMethod::kSample;  // not kSample: bilinear says nothing
  GRAFT_FIELDS(f("bilinear", s.bilinear); f("align_corners", s.align_corners);
               f("half_pixel_centers", s.half_pixel_centers); f("method", s.method);)
};
struct DepthToSpaceAttrs {
  int64_t block = 2;
  bool inverse = false;  // true: SpaceToDepth
  GRAFT_FIELDS(f("block", s.block); f("inverse", s.inverse);)
};
struct OneHotAttrs {
  int64_t axis = -1;
  GRAFT_FIELDS(f("axis", s.axis);)
};  // indices, depth (host), on, off; axis normalized

// src float or quantized; dst as Op::quant says, float without: quantizes, requantizes,
// dequantizes.
struct QuantizeAttrs {
  GRAFT_FIELDS()
};
// src, min, max: the nearest of the levels between min and max, all float32. axis: of src, which
// min and max [C] go along; -1: they are scalars.
struct FakeQuantAttrs {
  FakeQuantFn fn = FakeQuantFn::kNudged;
  int64_t num_bits = 8;       // 2..16
  bool is_signed = true;      // kHalfToEven, kHalfUp: levels are -2^(n-1).., else 0..
  bool narrow_range = false;  // the lowest level is left out, so that there are 2^n - 1
  int64_t axis = -1;
  GRAFT_FIELDS(f("fn", s.fn); f("num_bits", s.num_bits); f("is_signed", s.is_signed);
               f("narrow_range", s.narrow_range); f("axis", s.axis);)
};

// params, indices [..., K] -> params[indices[..., :]], with the params' axes from K on behind.
struct GatherNdAttrs {
  GRAFT_FIELDS()
};
// src, indices [..., K], updates: src with fn(src[indices[..., :]], updates[...]) in those places,
// one update after the other.
struct ScatterNdAttrs {
  ScatterFn fn = ScatterFn::kReplace;
  GRAFT_FIELDS(f("fn", s.fn);)
};
// Element i along axis: the sum or product of elements 0..i of src (exclusive: 0..i-1); reverse:
// from the end.
struct ScanAttrs {
  ReduceFn fn = ReduceFn::kSum;  // or kProd
  int64_t axis = 0;
  bool exclusive = false, reverse = false;
  GRAFT_FIELDS(f("fn", s.fn); f("axis", s.axis); f("exclusive", s.exclusive);
               f("reverse", s.reverse);)
};
// src, k (host scalar): the k largest of the last axis, falling, and their indices; of equal ones
// the first; NaN is below all numbers.
struct TopKAttrs {
  DType to = DType::kInt32;  // of the indices
  GRAFT_FIELDS(f("to", s.to);)
};

// bodies {condition, body}, each over the op's inputs: the carried tensors, as many as the op has
// outputs, then what stays as it is. The condition makes one bool scalar, the body the next carried
// tensors, of unchanged dtypes and extents. dst: the carried tensors once the condition is false.
struct WhileAttrs {
  GRAFT_FIELDS()
};
// index (int32 scalar), then the inputs of every body; dst are those of bodies[index], of the last
// body for any index that is out of range.
struct BranchAttrs {
  GRAFT_FIELDS()
};

// boxes [N,4], scores [N], how many at most (host scalar), thresholds of the overlap and of the
// score, sigma of soft suppression (scalars of the scores' dtype): the boxes that no better one
// suppresses, best first; dst are their indices (int32) and scores, filled up with zeros to so
// many, and the number of those that are boxes (int32 scalar).
struct NonMaxSuppressionAttrs {
  GRAFT_FIELDS()
};
// boxes [B,N,Q,4], scores [B,N,C], how many at most of a class and in all (host scalars),
// thresholds of the overlap and of the score (scalars). Q is 1 or C. dst [B,K,4], [B,K], [B,K],
// [B]: an image's best boxes of all classes, their scores and classes (float32), filled up with
// zeros to K, and how many they are (int32).
struct CombinedNonMaxSuppressionAttrs {
  bool pad_per_class = false;  // K: the most that the classes give, if that is less than in all
  bool clip_boxes = true;      // to [0, 1]
  GRAFT_FIELDS(f("pad_per_class", s.pad_per_class); f("clip_boxes", s.clip_boxes);)
};
// src [N,H,W,C], boxes [M,4] (y1, x1, y2, x2, of which 1 is the last pixel), box_ind [M] (int32),
// size (host [2]) -> [M,size,C], all float32: the boxes cut out and resized.
struct CropAndResizeAttrs {
  bool bilinear = true;     // else the nearest pixel
  float extrapolation = 0;  // what lies outside the image
  GRAFT_FIELDS(f("bilinear", s.bilinear); f("extrapolation", s.extrapolation);)
};
// Maxima of the windows of [N,H,W,C], and which elements they are: (y * W + x) * C + c, with the
// image in front of y if include_batch. The first element of a window stands till a greater one
// comes.
struct PoolArgmaxAttrs {
  std::vector<int64_t> ksize{1, 1}, strides{1, 1};
  Padding padding = Padding::kValid;
  bool include_batch = false;
  DType to = DType::kInt64;
  GRAFT_FIELDS(f("ksize", s.ksize); f("strides", s.strides); f("padding", s.padding);
               f("include_batch", s.include_batch); f("to", s.to);)
};
// gates [T,B,G*U] (input products and biases of all steps), weights [U,G*U], h [B,U], c [B,U]
// (kLstm), bias [U] if has_bias, peephole [3*U] (i, f, o) if has_peephole; -> y, h and c (kLstm)
// after the last step. With p = gates[t] + h * weights and the peephole's w:
//   kLstm     c' = clip(gate(p_f + w_f c) c + gate(p_i + w_i c) act(p_g))
//             h' = gate(p_o + w_o c') act(c')
//             clip to [-cell_clip, cell_clip] if that is above 0
//   kGru      z, r = gate(p_z), gate(p_r)
//             h' = z h + (1 - z) act(gates_h + (r h) * weights_h)
//   kGruResetAfter
//             h' = z h + (1 - z) act(gates_h + r (h * weights_h + bias))
//   kSimple   h' = act(p)
struct RecurrentAttrs {
  RecurrentFn fn = RecurrentFn::kLstm;
  Activation gate{UnaryFn::kSigmoid}, act{UnaryFn::kTanh};
  bool has_bias = false, has_peephole = false;
  float cell_clip = 0;
  bool sequence = true;  // y: h of every step [T,B,U]; else the last [1,B,U], zeros without steps
  bool cells = false;    // kLstm: c of every step [T,B,U] instead
  GRAFT_FIELDS(f("fn", s.fn); f("gate", s.gate); f("act", s.act); f("has_bias", s.has_bias);
               f("has_peephole", s.has_peephole); f("cell_clip", s.cell_clip);
               f("sequence", s.sequence); f("cells", s.cells);)
};
// Grayscale dilation of src [N,H,W,C] by a filter [KH,KW,C]: the maximum over the taps inside the
// image of src + filter.
struct Dilation2DAttrs {
  std::vector<int64_t> strides{1, 1}, rates{1, 1};
  Padding padding = Padding::kValid;
  GRAFT_FIELDS(f("strides", s.strides); f("rates", s.rates); f("padding", s.padding);)
};

// A complex tensor is one of real numbers with a last axis of 2: real and imaginary part.
// Discrete Fourier transform along an axis, which is counted without that last one. kReal and
// kInverseReal have a second operand, the length n (host scalar): what src has beyond it is not
// read, and src must have as much; the others take the extent.
struct FftAttrs {
  FftFn fn = FftFn::kForward;
  int64_t axis = 0;
  GRAFT_FIELDS(f("fn", s.fn); f("axis", s.axis);)
};
// What has no form as arithmetic on the parts; two operands broadcast.
struct ComplexAttrs {
  ComplexFn fn = ComplexFn::kAbs;
  GRAFT_FIELDS(f("fn", s.fn);)
};

#undef GRAFT_FIELDS

// Gates of the cell, each U columns.
inline int64_t gates_of(RecurrentFn fn) {
  return fn == RecurrentFn::kLstm ? 4 : fn == RecurrentFn::kSimple ? 1 : 3;
}

}  // namespace graft::ir

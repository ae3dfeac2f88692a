// SpaceToBatchND, BatchToSpaceND and their first versions: pad, split each blocked extent in two,
// move the blocks to the batch (or back), crop.
#include <numeric>

#include "base/checked.h"
#include "frontend/compose.h"

namespace graft::frontend {

namespace {

constexpr int kMaxRank = 8;

struct Blocks {
  std::vector<int64_t> block;                       // of the axes 1..block.size()
  std::vector<std::pair<int64_t, int64_t>> border;  // paddings or crops of the same axes
  int64_t product = 1;
};

// Operands of the ND form (block_shape, paddings or crops) or of the first (attribute block_size).
Status read_blocks(NodeImport& n, bool nd, const char* what, Blocks& b) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0}));
  const size_t border = nd ? 2 : 1;
  if (nd) {
    if (n.has_attr("Tblock_shape")) GRAFT_RETURN_IF_ERROR(n.check_type("Tblock_shape", {1}));
    if (n.rank(1) != 1)
      return n.invalid("block_shape (input 1) has rank " + std::to_string(n.rank(1)) +
                       ", expected 1");
    GRAFT_ASSIGN_OR_RETURN(b.block, n.const_ints(1, "block_shape"));
  } else {
    GRAFT_ASSIGN_OR_RETURN(const int64_t size, n.attr_int("block_size"));
    if (size < 2)
      return n.invalid("attribute 'block_size' is " + std::to_string(size) +
                       ", expected 2 or more");
    if (n.rank(0) != 4)
      return n.invalid("input 0 has rank " + std::to_string(n.rank(0)) + ", expected 4");
    b.block = {size, size};
  }
  for (const char* name : {"Tpaddings", "Tcrops", "Tidx"})
    if (n.has_attr(name)) GRAFT_RETURN_IF_ERROR(n.check_type(name, {border}));
  const size_t axes = b.block.size();
  if (axes < 1 || static_cast<size_t>(n.rank(0)) < axes + 1)
    return n.invalid("block_shape has " + std::to_string(axes) + " elements, input 0 has rank " +
                     std::to_string(n.rank(0)));
  const int64_t want[] = {static_cast<int64_t>(axes), 2};
  bool fits = n.rank(border) == 2;
  for (size_t i = 0; fits && i < 2; ++i) {
    const ir::Dim d = n.type(border).dims[i];
    fits = !d.is_const() || d.value() == want[i];
  }
  if (!fits)
    return n.invalid(std::string(what) + " (input " + std::to_string(border) +
                     ") are not of shape [" + std::to_string(axes) + ",2]");
  GRAFT_ASSIGN_OR_RETURN(const std::vector<int64_t> flat, n.const_ints(border, what));
  for (size_t i = 0; i < axes; ++i) {
    if (b.block[i] < 1)
      return n.invalid("block_shape has element " + std::to_string(b.block[i]) +
                       ", expected 1 or more");
    if (flat[2 * i] < 0 || flat[2 * i + 1] < 0)
      return n.invalid(std::string(what) + " contain a negative number");
    b.border.emplace_back(flat[2 * i], flat[2 * i + 1]);
    const auto product = checked_mul(b.product, b.block[i]);
    if (!product)
      return n.invalid("the elements of block_shape multiply to more than 64 bits hold");
    b.product = *product;
  }
  return ok_status();
}

// The axes behind the blocked ones: one extent where all are known, which saves rank.
std::vector<Extent> depth_of(const std::vector<ir::Dim>& dims, size_t first) {
  std::vector<Extent> each;
  int64_t product = 1;
  bool known = true;
  for (size_t i = first; i < dims.size(); ++i) {
    each.push_back(Extent::of(static_cast<int>(i)));
    known =
        known && dims[i].is_const() && !__builtin_mul_overflow(product, dims[i].value(), &product);
  }
  if (known && each.size() > 1) return {Extent::number(product)};
  return each;
}

Status check_rank(NodeImport& n, size_t rank) {
  if (rank <= kMaxRank) return ok_status();
  return n.refuse("rank", "input 0 and block_shape (input 1) make an intermediate tensor of rank " +
                              std::to_string(rank) + ", at most " + std::to_string(kMaxRank) +
                              " is supported");
}

Status import_space_to_batch(NodeImport& n) {
  Blocks b;
  GRAFT_RETURN_IF_ERROR(read_blocks(n, n.arg() == 1, "the paddings", b));
  const size_t axes = b.block.size();
  std::vector<std::pair<int64_t, int64_t>> pads(static_cast<size_t>(n.rank(0)));
  std::copy(b.border.begin(), b.border.end(), pads.begin() + 1);
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId x, pad_by(n, n.in(0), pads));
  const std::vector<ir::Dim> dims = n.at(x).type.dims;
  for (size_t i = 0; i < axes; ++i) {
    const ir::Dim d = dims[i + 1];
    if (d.is_const() && d.value() % b.block[i] != 0)
      return n.invalid("padded dimension " + std::to_string(i + 1) + " is " +
                       std::to_string(d.value()) + ", expected a multiple of " +
                       std::to_string(b.block[i]));
  }
  if (b.product == 1) {
    n.output(x);
    return ok_status();
  }
  std::vector<Extent> split{Extent::of(0)}, joined{Extent::of(0, b.product)};
  std::vector<int64_t> to_front, stay{0};
  for (size_t i = 0; i < axes; ++i) {
    stay.push_back(static_cast<int64_t>(split.size()));
    split.push_back(Extent::of(static_cast<int>(i + 1), 1, b.block[i]));
    joined.push_back(split.back());
    if (b.block[i] == 1) continue;
    to_front.push_back(static_cast<int64_t>(split.size()));
    split.push_back(Extent::number(b.block[i]));
  }
  for (const Extent& e : depth_of(dims, axes + 1)) {
    stay.push_back(static_cast<int64_t>(split.size()));
    split.push_back(e);
  }
  for (size_t i = axes + 1; i < dims.size(); ++i) joined.push_back(Extent::of(static_cast<int>(i)));
  GRAFT_RETURN_IF_ERROR(check_rank(n, split.size()));
  GRAFT_ASSIGN_OR_RETURN(ir::ValueId y, reshape_by(n, x, x, split));
  to_front.insert(to_front.end(), stay.begin(), stay.end());
  GRAFT_ASSIGN_OR_RETURN(y, n.transpose(y, to_front));
  GRAFT_ASSIGN_OR_RETURN(y, reshape_by(n, y, x, joined));
  n.output(y);
  return ok_status();
}

Status import_batch_to_space(NodeImport& n) {
  Blocks b;
  GRAFT_RETURN_IF_ERROR(read_blocks(n, n.arg() == 1, "the crops", b));
  const size_t axes = b.block.size();
  const ir::ValueId x = n.in(0);
  const std::vector<ir::Dim> dims = n.at(x).type.dims;
  if (dims[0].is_const() && dims[0].value() % b.product != 0)
    return n.invalid("dimension 0 of input 0 is " + std::to_string(dims[0].value()) +
                     ", expected a multiple of " + std::to_string(b.product));
  ir::ValueId y = x;
  if (b.product != 1) {
    std::vector<Extent> split, joined{Extent::of(0, 1, b.product)};
    std::vector<int64_t> perm;
    for (size_t i = 0; i < axes; ++i)
      if (b.block[i] != 1) split.push_back(Extent::number(b.block[i]));
    int64_t block = 0;
    perm.push_back(static_cast<int64_t>(split.size()));
    split.push_back(Extent::of(0, 1, b.product));
    for (size_t i = 0; i < axes; ++i) {
      perm.push_back(static_cast<int64_t>(split.size()));
      if (b.block[i] != 1) perm.push_back(block++);
      split.push_back(Extent::of(static_cast<int>(i + 1)));
      joined.push_back(Extent::of(static_cast<int>(i + 1), b.block[i]));
    }
    for (const Extent& e : depth_of(dims, axes + 1)) {
      perm.push_back(static_cast<int64_t>(split.size()));
      split.push_back(e);
    }
    for (size_t i = axes + 1; i < dims.size(); ++i)
      joined.push_back(Extent::of(static_cast<int>(i)));
    GRAFT_RETURN_IF_ERROR(check_rank(n, split.size()));
    GRAFT_ASSIGN_OR_RETURN(y, reshape_by(n, x, x, split));
    GRAFT_ASSIGN_OR_RETURN(y, n.transpose(y, perm));
    GRAFT_ASSIGN_OR_RETURN(y, reshape_by(n, y, x, joined));
  }
  std::vector<AxisRange> ranges(dims.size());
  bool crops = false;
  for (size_t i = 0; i < axes; ++i) {
    const auto [front, back] = b.border[i];
    const ir::Dim d = n.at(y).type.dims[i + 1];
    if (d.is_const() && (front > d.value() || back > d.value() - front))
      return n.invalid("the crops of dimension " + std::to_string(i + 1) + " are " +
                       std::to_string(front) + " and " + std::to_string(back) + ", there are " +
                       std::to_string(d.value()));
    if (front > 0) ranges[i + 1].begin = front;
    if (back > 0) ranges[i + 1].end = -back;
    crops = crops || front > 0 || back > 0;
  }
  if (crops) {
    GRAFT_ASSIGN_OR_RETURN(y, slice_by(n, y, ranges));
  }
  n.output(y);
  return ok_status();
}

constexpr OpEntry kRows[] = {
    {"SpaceToBatchND", import_space_to_batch, 3, 3, 1},
    {"SpaceToBatch", import_space_to_batch, 2, 2, 0},
    {"BatchToSpaceND", import_batch_to_space, 3, 3, 1},
    {"BatchToSpace", import_batch_to_space, 2, 2, 0},
};

}  // namespace

std::span<const OpEntry> batch_space_ops() { return kRows; }

}  // namespace graft::frontend

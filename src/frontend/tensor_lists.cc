// Tensor lists of one element shape as dense tensors [elements, element extents...]. Elements that
// were never set are zeros, as TensorFlow's are where it lets them be read.
#include <algorithm>

#include "base/dtype.h"
#include "base/log.h"
#include "frontend/compose.h"
#include "frontend/function_import.h"

namespace graft::frontend {

namespace {

// Input i as a tensor of known dtype and rank that is no list.
Status check_tensor(NodeImport& n, size_t i, const char* what) {
  const ir::ValueId id = n.known_in(i);
  if (!n.is_plain(id))
    return n.refuse("resource", std::string(what) + " is no tensor of known dtype and rank");
  if (!is_plan_dtype(n.dtype(i)))
    return n.refuse("dtype", std::string(what) + " is " + dtype_name(n.dtype(i)));
  return ok_status();
}

Status check_index(NodeImport& n, size_t i, const char* what) {
  GRAFT_RETURN_IF_ERROR(check_tensor(n, i, what));
  if (n.dtype(i) != DType::kInt32 || n.rank(i) != 0)
    return n.invalid(std::string(what) + " is no int32 scalar");
  return ok_status();
}

// Input 0 as a list of attribute element_dtype.
Result<TensorList> need_list(NodeImport& n, bool has_dtype = true) {
  const ir::ValueId id = n.known_in(0);
  const TensorList* list = id == ir::kNoValue ? nullptr : n.list(id);
  if (!list)
    return n.refuse("resource", "the tensor list (input 0) is not one whose length is known",
                    "only lists of TensorListReserve and TensorListFromTensor are known");
  if (!has_dtype) return *list;
  GRAFT_ASSIGN_OR_RETURN(const DType dtype, n.attr_type("element_dtype"));
  if (dtype != list->dtype)
    return n.invalid("attribute 'element_dtype' is " + dtype_name(dtype) + ", the list holds " +
                     dtype_name(list->dtype));
  return *list;
}

using Extents = std::optional<std::vector<ir::Dim>>;

// An element_shape operand: absent when even the rank is open, -1 for an extent that is.
Result<Extents> element_shape(NodeImport& n, size_t i) {
  GRAFT_RETURN_IF_ERROR(check_tensor(n, i, "element_shape"));
  const DType t = n.dtype(i);
  if (t != DType::kInt32 && t != DType::kInt64)
    return n.invalid("element_shape is " + dtype_name(t) + ", expected int32 or int64");
  if (!n.value(i).host)
    return n.refuse("list_shape",
                    "element_shape (input " + std::to_string(i) + ") depends on data");
  const std::vector<ir::Dim>& elems = *n.value(i).host;
  if (n.rank(i) > 1) return n.invalid("element_shape is no vector");
  if (n.rank(i) == 1) return Extents(elems);
  if (elems.size() != 1 || elems[0] != ir::Dim(-1))
    return n.invalid("element_shape is a scalar other than -1");
  return Extents();
}

bool is_known(ir::Dim d) { return !d.is_const() || d.value() >= 0; }

bool all_known(const Extents& e) { return e && std::all_of(e->begin(), e->end(), is_known); }

// What both say; refuses where they differ.
Result<Extents> merge(NodeImport& n, const Extents& a, const Extents& b) {
  if (!a || !b) return a ? a : b;
  if (a->size() != b->size())
    return n.refuse("list_shape",
                    "the element shapes of the list and of this node have different ranks");
  Extents r = a;
  for (size_t i = 0; i < r->size(); ++i) {
    ir::Dim &d = (*r)[i], other = (*b)[i];
    if (!is_known(other)) continue;
    if (d.is_const() && is_known(d) && other.is_const() && other != d)
      return n.refuse(
          "list_shape",
          "the element shapes of the list and of this node differ at axis " + std::to_string(i));
    if (!is_known(d) || other.is_const()) d = other;
  }
  return r;
}

// Input 0 closed, by element_shape (input `shape`) where it is open.
Result<ir::ValueId> closed_by_shape(NodeImport& n, const TensorList& list, size_t shape) {
  GRAFT_ASSIGN_OR_RETURN(const Extents given, element_shape(n, shape));
  if (!list.open) {
    const std::vector<ir::Dim>& dims = n.at(n.in(0)).type.dims;
    GRAFT_RETURN_IF_ERROR(
        merge(n, Extents(std::vector<ir::Dim>(dims.begin() + 1, dims.end())), given).status());
    return n.in(0);
  }
  GRAFT_ASSIGN_OR_RETURN(const Extents dims, merge(n, list.declared, given));
  if (!all_known(dims))
    return n.refuse("list_shape", "nothing tells the shape of the elements of the list (input 0)");
  return close_list(n, n.in(0), *dims);
}

Status import_reserve(NodeImport& n) {
  GRAFT_ASSIGN_OR_RETURN(const DType dtype, n.attr_type("element_dtype"));
  n.ignore({"shape_type"});
  if (!is_plan_dtype(dtype))
    return n.refuse("dtype", "attribute 'element_dtype' is " + dtype_name(dtype));
  GRAFT_ASSIGN_OR_RETURN(const Extents declared, element_shape(n, 0));
  GRAFT_RETURN_IF_ERROR(check_index(n, 1, "num_elements"));
  const auto& host = n.value(1).host;
  if (!host) return n.refuse("list_size", "num_elements (input 1) depends on data");
  if ((*host)[0].is_const() && (*host)[0].value() < 0)
    return n.refuse("list_size", "num_elements (input 1) is negative");
  GRAFT_ASSIGN_OR_RETURN(
      const ir::ValueId length,
      n.emit(ir::ReshapeAttrs{}, {n.in(1), n.constant_ints({1}, DType::kInt64)}));
  n.mark_list(length, {true, -1, dtype, declared});
  n.output(length);
  return ok_status();
}

Status import_from_tensor(NodeImport& n) {
  GRAFT_ASSIGN_OR_RETURN(const DType dtype, n.attr_type("element_dtype"));
  n.ignore({"shape_type"});
  GRAFT_RETURN_IF_ERROR(check_tensor(n, 0, "input 0"));
  if (n.dtype(0) != dtype)
    return n.invalid("attribute 'element_dtype' is " + dtype_name(dtype) + ", input 0 is " +
                     dtype_name(n.dtype(0)));
  if (n.rank(0) == 0) return n.invalid("input 0 is a scalar");
  GRAFT_ASSIGN_OR_RETURN(const Extents declared, element_shape(n, 1));
  const std::vector<ir::Dim>& dims = n.type(0).dims;
  GRAFT_RETURN_IF_ERROR(
      merge(n, Extents(std::vector<ir::Dim>(dims.begin() + 1, dims.end())), declared).status());
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId id,
                         n.emit(ir::UnaryAttrs{{ir::UnaryFn::kIdentity}}, {n.in(0)}));
  n.mark_list(id, {false, -1, dtype, declared});
  n.output(id);
  return ok_status();
}

Status import_get_item(NodeImport& n) {
  n.ignore({"Tshape"});  // some builders say how element_shape is typed
  GRAFT_ASSIGN_OR_RETURN(const TensorList list, need_list(n));
  GRAFT_RETURN_IF_ERROR(check_index(n, 1, "index"));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId elems, closed_by_shape(n, list, 2));
  return n.finish(ir::GatherAttrs{0, 0}, {elems, n.in(1)});
}

Status import_set_item(NodeImport& n) {
  GRAFT_ASSIGN_OR_RETURN(const bool resize, n.attr_bool("resize_if_index_out_of_bounds", false));
  if (resize)
    return n.refuse("unsupported_attr", "attribute 'resize_if_index_out_of_bounds' is true");
  GRAFT_ASSIGN_OR_RETURN(const TensorList list, need_list(n));
  GRAFT_RETURN_IF_ERROR(check_index(n, 1, "index"));
  GRAFT_RETURN_IF_ERROR(check_tensor(n, 2, "item"));
  if (n.dtype(2) != list.dtype)
    return n.invalid("item is " + dtype_name(n.dtype(2)) + ", the list holds " +
                     dtype_name(list.dtype));
  const std::vector<ir::Dim> item = n.type(2).dims;
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId elems, close_list(n, n.in(0), item));
  const std::vector<ir::Dim> dims = n.at(elems).type.dims;
  GRAFT_RETURN_IF_ERROR(
      merge(n, Extents(std::vector<ir::Dim>(dims.begin() + 1, dims.end())), Extents(item))
          .status());
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId index, n.reshape(n.in(1), {1, 1}));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId row, n.emit(ir::ExpandDimsAttrs{0}, {n.in(2)}));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId id,
                         n.emit(ir::ScatterNdAttrs{ir::ScatterFn::kReplace}, {elems, index, row}));
  TensorList made = list;
  made.open = false;
  made.arg = -1;
  n.mark_list(id, std::move(made));
  n.output(id);
  return ok_status();
}

Status import_stack(NodeImport& n) {
  GRAFT_ASSIGN_OR_RETURN(const TensorList list, need_list(n));
  GRAFT_ASSIGN_OR_RETURN(const int64_t count, n.attr_int("num_elements", -1));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId elems, closed_by_shape(n, list, 1));
  if (count >= 0 && n.at(elems).type.dims[0] != ir::Dim(count))
    return n.refuse("list_size", "attribute 'num_elements' is " + std::to_string(count) +
                                     ", the list's length may be another");
  return n.finish(ir::UnaryAttrs{{ir::UnaryFn::kIdentity}}, {elems});
}

Status import_length(NodeImport& n) {
  GRAFT_ASSIGN_OR_RETURN(const TensorList list, need_list(n, false));
  if (list.open && list.arg >= 0)
    return n.refuse("list_shape", "nothing tells the shape of the elements of the list (input 0)");
  if (list.open) return n.finish(ir::ReshapeAttrs{}, {n.in(0), n.constant_ints({}, DType::kInt64)});
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId length, extent_scalar(n, n.in(0), 0, DType::kInt32));
  n.output(length);
  return ok_status();
}

// The shape that the list was made with, which its elements only fit.
Status import_element_shape(NodeImport& n) {
  GRAFT_ASSIGN_OR_RETURN(const DType type, n.attr_type("shape_type"));
  if (type != DType::kInt32 && type != DType::kInt64)
    return n.invalid("attribute 'shape_type' is " + dtype_name(type));
  GRAFT_ASSIGN_OR_RETURN(const TensorList list, need_list(n, false));
  if (!list.declared)
    return n.refuse("list_shape", "the list (input 0) was made without an element shape");
  std::vector<int64_t> dims;
  for (ir::Dim d : *list.declared) {
    if (!d.is_const())
      return n.refuse("list_shape",
                      "the list (input 0) was made with an element shape that depends on an "
                      "input's");
    dims.push_back(d.value());
  }
  n.output(n.constant_ints(dims, type));
  return ok_status();
}

constexpr OpEntry kRows[] = {
    {"TensorListReserve", import_reserve, 2, 2, 0, true},
    {"TensorListFromTensor", import_from_tensor, 2, 2, 0, true},
    {"TensorListGetItem", import_get_item, 3, 3, 0, true},
    {"TensorListSetItem", import_set_item, 3, 3, 0, true},
    {"TensorListStack", import_stack, 2, 2, 0, true},
    {"TensorListLength", import_length, 1, 1, 0, true},
    {"TensorListElementShape", import_element_shape, 1, 1, 0, true},
};

// Union-find over nodes.
class Groups {
 public:
  explicit Groups(size_t nodes) : parent_(nodes, -1) {}
  int32_t find(int32_t v) {
    while (parent_[static_cast<size_t>(v)] >= 0 && parent_[static_cast<size_t>(v)] != v) {
      int32_t& up = parent_[static_cast<size_t>(v)];
      up = parent_[static_cast<size_t>(up)];
      v = up;
    }
    return v;
  }
  void join(int32_t a, int32_t b) {
    parent_[static_cast<size_t>(find(b))] = find(a);
    const int32_t root = find(a);
    parent_[static_cast<size_t>(root)] = root;
  }
  bool alone(int32_t v) const { return parent_[static_cast<size_t>(v)] < 0; }

 private:
  std::vector<int32_t> parent_;  // -1: alone
};

}  // namespace

std::span<const OpEntry> tensor_list_ops() { return kRows; }

void bond_lists(const graphdef::Graph& graph, std::span<const graphdef::InputRef> fetched,
                Imported& imported) {
  imported.bond.assign(graph.nodes.size(), -1);
  if (imported.lists.empty() && imported.foreign.empty()) return;
  const auto value_of = [&](graphdef::InputRef ref) {
    const auto& ports = imported.values[static_cast<size_t>(ref.node)];
    return static_cast<size_t>(ref.port) < ports.size() ? ports[static_cast<size_t>(ref.port)]
                                                        : ir::kNoValue;
  };
  const auto stays_inside = [&](graphdef::InputRef ref) {
    const ir::ValueId id = value_of(ref);
    return imported.lists.contains(id) || imported.foreign.contains(id);
  };
  for (graphdef::InputRef ref : fetched) {
    const ir::ValueId id = value_of(ref);
    Support& support = imported.support[static_cast<size_t>(ref.node)];
    if (imported.lists.contains(id))
      support = {false, "resource", "its tensor list is fetched", "", false};
    else if (const auto it = imported.foreign.find(id); it != imported.foreign.end())
      support = {
          false, "dtype",
          "its output of " + dtype_name(it->second) + " is fetched, which no engine hands out", "",
          false};
  }
  Groups groups(graph.nodes.size());
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    for (graphdef::InputRef ref : graph.nodes[i].inputs)
      if (stays_inside(ref)) groups.join(ref.node, static_cast<int32_t>(i));
  }
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const auto node = static_cast<int32_t>(i);
    if (!groups.alone(node)) imported.bond[i] = groups.find(node);
  }
}

}  // namespace graft::frontend

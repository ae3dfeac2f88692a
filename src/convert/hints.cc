#include "convert/hints.h"

namespace graft::convert_detail {

namespace {

struct Hint {
  std::string_view code, part, text;  // `part` of the reason; the first row that fits counts
};
constexpr Hint kHints[] = {
    {"build_failed", "", "run it with GRAFT_LOG=debug, and report the segment"},
    {"control_flow", "",
     "While and If whose tensors keep dtype and shape can be in an engine; others run natively"},
    {"converter", "", "docs/converters.md has what a converter may do"},
    {"data_dependent_shape", "", "use a variant whose result has a fixed size, padded or masked"},
    {"denied", "", "deny_ops, deny_nodes, allow_ops, allow_nodes and overrides decide it"},
    {"dtype", "",
     "convert the model with a dtype that docs/tf-ops.md names, or put Casts around it"},
    {"engine", "", "convert the graph that it was made from"},
    {"function", "", "inline functions before converting"},
    {"function_call", "", "inline functions before converting"},
    {"input_node", "", "nothing to do: what feeds a graph stays native"},
    {"list_shape", "", "give the TensorArray or tensor list an element_shape"},
    {"list_size", "", "give the tensor list a size that is a constant, or computed from Shape"},
    {"no_op", "", "nothing to do: it takes no time"},
    {"rank", "", "add shapes to the graph (as_graph_def(add_shapes=True)), or lower the rank"},
    {"resource", "", "freeze variables and tables first; other resources stay native"},
    {"segment", "min_segment_size", "a lower min_segment_size converts it, if that pays"},
    {"segment", "max_engines", "a higher max_engines converts it"},
    {"segment", "constant", "nothing to do: a constant goes where its users are"},
    {"segment", "nothing needs it", "nothing to do: the fetched outputs do not need it"},
    {"segment", "", "nothing to do about the node itself: what is around it decides"},
    {"shape", "", "give the inputs shapes, and make what sizes are computed from constant"},
    {"slower", "", "profitable_only=False converts it all the same"},
    {"stateful", "", "it stays native by design: TensorFlow keeps its state and its order"},
    {"string", "", "it stays native by design: engines carry numbers"},
    {"unsupported_attr", "", "docs/tf-ops.md has the values that are supported"},
    {"unsupported_op", "", "write it with ops of docs/tf-ops.md, or let it run natively"},
    {"unsupported_value", "", "docs/tf-ops.md has the values that are supported"},
    {"variable", "", "freeze the graph first"},
};

}  // namespace

std::string_view default_hint(std::string_view code, std::string_view reason) {
  for (const Hint& hint : kHints)
    if (hint.code == code && reason.find(hint.part) != std::string_view::npos) return hint.text;
  return "docs/tf-ops.md has what is supported";
}

}  // namespace graft::convert_detail

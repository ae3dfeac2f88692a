// What is known of nodes that no importer takes: why they stay native, and the types of their
// outputs.
#include <algorithm>
#include <array>
#include <optional>

#include "base/log.h"
#include "frontend/node_import.h"

namespace graft::frontend {

namespace {

constexpr std::string_view kControlFlow[] = {
    "Enter",     "RefEnter", "Exit",           "RefExit",       "Switch",
    "RefSwitch", "Merge",    "RefMerge",       "NextIteration", "RefNextIteration",
    "LoopCond",  "For",      "ControlTrigger", "Abort",         "Loop"};
constexpr std::string_view kVariables[] = {"VariableV2",
                                           "Variable",
                                           "VarHandleOp",
                                           "ReadVariableOp",
                                           "AssignVariableOp",
                                           "Assign",
                                           "AssignAdd",
                                           "AssignSub",
                                           "AssignAddVariableOp",
                                           "AssignSubVariableOp",
                                           "ResourceGather",
                                           "ResourceGatherNd",
                                           "IsVariableInitialized",
                                           "VarIsInitializedOp",
                                           "TemporaryVariable"};
constexpr std::string_view kStateful[] = {"RandomUniform",
                                          "RandomUniformInt",
                                          "RandomStandardNormal",
                                          "TruncatedNormal",
                                          "RandomShuffle",
                                          "Multinomial",
                                          "RandomGamma",
                                          "RandomPoissonV2",
                                          "StatelessRandomUniform",
                                          "StatelessRandomUniformV2",
                                          "StatelessRandomNormal",
                                          "StatelessRandomNormalV2",
                                          "Print",
                                          "PrintV2",
                                          "Assert",
                                          "WriteFile",
                                          "ReadFile",
                                          "MatchingFiles",
                                          "PyFunc",
                                          "EagerPyFunc",
                                          "PyFuncStateless",
                                          "Save",
                                          "SaveV2",
                                          "Restore",
                                          "RestoreV2",
                                          "MergeV2Checkpoints",
                                          "ScalarSummary",
                                          "HistogramSummary",
                                          "Timestamp",
                                          "Stage",
                                          "Unstage"};
constexpr std::string_view kCalls[] = {"SymbolicGradient", "RemoteCall"};
constexpr std::string_view kEngines[] = {"TRTEngineOp", "GraftEngineOp", "TRTCalibOp",
                                         "GraftCalibOp"};
constexpr std::string_view kResources[] = {"HashTable",
                                           "HashTableV2",
                                           "LookupTableFind",
                                           "LookupTableFindV2",
                                           "LookupTableImport",
                                           "LookupTableImportV2",
                                           "InitializeTableV2",
                                           "EmptyTensorList",
                                           "TensorListPushBack",
                                           "TensorListPushBackBatch",
                                           "TensorListPopBack",
                                           "TensorListResize",
                                           "TensorListGather",
                                           "TensorListScatter",
                                           "TensorListScatterV2",
                                           "TensorListScatterIntoExistingList",
                                           "TensorListConcat",
                                           "TensorListConcatV2",
                                           "TensorListSplit",
                                           "TensorArrayV3",
                                           "TensorArrayReadV3",
                                           "TensorArrayWriteV3",
                                           "TensorArrayGatherV3",
                                           "TensorArrayScatterV3",
                                           "TensorArraySizeV3",
                                           "OneShotIterator",
                                           "IteratorV2",
                                           "IteratorGetNext",
                                           "CreateTRTResourceHandle",
                                           "InitializeTRTResource"};
constexpr std::string_view kStrings[] = {"DecodeJpeg",
                                         "DecodePng",
                                         "DecodeImage",
                                         "DecodeBmp",
                                         "DecodeRaw",
                                         "ParseExample",
                                         "ParseExampleV2",
                                         "ParseSingleExample",
                                         "StringJoin",
                                         "StringSplit",
                                         "StringSplitV2",
                                         "StringToNumber",
                                         "AsString",
                                         "RegexReplace",
                                         "StringLower",
                                         "StringUpper",
                                         "StringToHashBucketFast",
                                         "StaticRegexReplace",
                                         "StringFormat",
                                         "Substr"};
constexpr std::string_view kDataDependent[] = {"Where",
                                               "Unique",
                                               "UniqueV2",
                                               "NonMaxSuppression",
                                               "NonMaxSuppressionV2",
                                               "NonMaxSuppressionV3",
                                               "NonMaxSuppressionWithOverlaps",
                                               "DynamicPartition",
                                               "DynamicStitch",
                                               "SparseToDense",
                                               "ListDiff"};

struct Class {
  std::string_view code;
  std::span<const std::string_view> ops;
  std::string_view before, after;  // of the op's name: the reason
  std::string_view hint = {};
};
constexpr Class kClasses[] = {
    {"control_flow", kControlFlow, "", " is control flow"},
    {"variable", kVariables, "", " reads or writes a variable", "freeze the graph first"},
    {"stateful", kStateful, "", " has side effects or is random"},
    {"function_call", kCalls, "", " calls a function of the library",
     "inline functions before converting"},
    {"engine", kEngines, "", " is an engine already"},
    {"resource", kResources, "", " works on resources or lists"},
    {"string", kStrings, "", " works on strings or files"},
    {"data_dependent_shape", kDataDependent, "the output shape of ", " depends on data"},
};

// Types of outputs that follow from the op's name: per output "attr:T" or a fixed dtype; shape:
// like input 0?
struct TypeRule {
  std::string_view op;
  std::string_view attr;  // "" : fixed
  DType fixed;
  bool like_input;  // the output has the shape of input 0
};
constexpr TypeRule kRules[] = {
    {"LRN", "T", DType::kInvalid, true},
    {"Print", "T", DType::kInvalid, true},
    {"CheckNumerics", "T", DType::kInvalid, true},
    {"CheckNumericsV2", "T", DType::kInvalid, true},
    {"Cumsum", "T", DType::kInvalid, true},
    {"Cumprod", "T", DType::kInvalid, true},
    {"ReverseV2", "T", DType::kInvalid, true},
    {"Reverse", "T", DType::kInvalid, true},
    {"Digamma", "T", DType::kInvalid, true},
    {"Lgamma", "T", DType::kInvalid, true},
    {"Erfinv", "T", DType::kInvalid, true},
    {"Ndtri", "T", DType::kInvalid, true},
    {"RandomShuffle", "T", DType::kInvalid, true},
    {"Where", "", DType::kInt64, false},
    {"RandomUniform", "dtype", DType::kInvalid, false},
    {"RandomStandardNormal", "dtype", DType::kInvalid, false},
    {"TruncatedNormal", "dtype", DType::kInvalid, false},
    {"NonMaxSuppressionV3", "", DType::kInt32, false},
    {"ReadVariableOp", "dtype", DType::kInvalid, false},
    {"VariableV2", "dtype", DType::kInvalid, false},
    {"FakeQuantWithMinMaxVars", "", DType::kFloat, true},
    {"FakeQuantWithMinMaxArgs", "", DType::kFloat, true},
    {"QuantizeAndDequantizeV2", "T", DType::kInvalid, true},
    {"QuantizeAndDequantizeV3", "T", DType::kInvalid, true},
    {"QuantizeAndDequantizeV4", "T", DType::kInvalid, true},
    {"FakeQuantWithMinMaxVarsPerChannel", "", DType::kFloat, true},
};

// Dtype of the only output when one attribute tells it: most ops call it T or dtype.
DType dtype_of_only_output(const graphdef::Node& node) {
  auto read = [&](std::string_view name) {
    auto t = graphdef::attr_type_or(node, name, DType::kInvalid);
    return t.ok() ? *t : DType::kInvalid;
  };
  for (const TypeRule& rule : kRules) {
    if (rule.op == node.op) return rule.attr.empty() ? rule.fixed : read(rule.attr);
  }
  return DType::kInvalid;
}

std::vector<DType> dtypes_of_outputs(const graphdef::Node& node, size_t count) {
  for (std::string_view name :
       {"Tout", "output_types", "output_dtypes", "component_types", "dtypes", "OutT"}) {
    if (!node.find_attr(name)) continue;
    auto list = graphdef::attr_type_list(node, name);
    if (list.ok() && list->size() == count) return *list;
  }
  std::vector<DType> types(count, DType::kInvalid);
  if (count == 1) types[0] = dtype_of_only_output(node);
  return types;
}

}  // namespace

Support refusal_of_unknown_op(const graphdef::Node& node) {
  const std::string op = printable(node.op);
  for (const Class& c : kClasses) {
    if (std::find(c.ops.begin(), c.ops.end(), node.op) == c.ops.end()) continue;
    // The versions that are never padded.
    const bool boxes = node.op.starts_with("NonMaxSuppression");
    return {false, std::string(c.code), std::string(c.before) + op + std::string(c.after),
            boxes
                ? "NonMaxSuppressionV4 and V5 with pad_to_max_output_size=true can be in an engine"
                : std::string(c.hint),
            false};
  }
  return {false, "unsupported_op", "there is no importer for " + op, "", false};
}

std::map<std::string, std::vector<std::string>> native_classes() {
  std::map<std::string, std::vector<std::string>> classes;
  for (const Class& c : kClasses) classes[std::string(c.code)] = {c.ops.begin(), c.ops.end()};
  return classes;
}

std::vector<ir::TensorType> native_output_types(const graphdef::Graph& graph, int32_t index,
                                                Imported& imported) {
  const graphdef::Node& node = graph.nodes[static_cast<size_t>(index)];
  std::vector<graphdef::ShapeView> shapes;
  for (std::string_view name : {"_output_shapes", "output_shapes"}) {
    const graphdef::AttrView* attr = node.find_attr(name);
    if (!attr || !shapes.empty()) continue;
    auto value = graphdef::decode_attr(attr->value);
    if (value.ok() && value->kind == graphdef::AttrValue::Kind::kList) shapes = value->list_shape;
  }
  std::vector<ir::TensorType> types;
  if (!shapes.empty()) {
    const std::vector<DType> dtypes = dtypes_of_outputs(node, shapes.size());
    for (size_t i = 0; i < shapes.size(); ++i) {
      ir::TensorType type;
      if (!shapes[i].unknown_rank)
        type = {dtypes[i], {shapes[i].dims.begin(), shapes[i].dims.end()}};
      types.push_back(std::move(type));
    }
    return types;
  }
  for (const TypeRule& rule : kRules) {
    if (rule.op != node.op || !rule.like_input || node.inputs.empty()) continue;
    const graphdef::InputRef ref = node.inputs[0];
    const auto& ports = imported.values[static_cast<size_t>(ref.node)];
    if (static_cast<size_t>(ref.port) >= ports.size() ||
        ports[static_cast<size_t>(ref.port)] == ir::kNoValue)
      break;
    types.push_back(
        imported.network.values[static_cast<size_t>(ports[static_cast<size_t>(ref.port)])].type);
    types[0].dtype = dtype_of_only_output(node);
  }
  return types;
}

}  // namespace graft::frontend

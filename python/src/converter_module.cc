// Users' converters: Python functions in the registry, and the node that they see.
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>

#include <memory>

#include "arguments.h"
#include "graft/converter.h"

namespace graft::python {
namespace {

using Handle = std::pair<uint64_t, int32_t>;  // a ConverterTensor

template <typename T>
T value_of(Result<T> result) {
  if (!result.ok()) raise_status(result.status());
  return std::move(*result);
}

nb::tuple tensor_tuple(HostTensor&& tensor) {
  return nb::make_tuple(static_cast<int>(tensor.dtype), tensor.dims,
                        owned_bytes(std::move(tensor.bytes)));
}

Handle handle_of(ConverterTensor tensor) { return {tensor.call, tensor.value}; }
ConverterTensor tensor_of(Handle handle) { return {handle.first, handle.second}; }

// A ConverterNode for as long as its converter runs; Python may keep the object for longer.
class PyNode {
 public:
  explicit PyNode(ConverterNode* node) : node_(node) {}
  void end() { node_ = nullptr; }

  std::string name() { return std::string(node().name()); }
  std::string op() { return std::string(node().op()); }
  bool has_attr(const std::string& name) { return node().has_attr(name); }
  // kind: as in ConverterNode's attr_<kind>. Strings are bytes, dtypes numbers.
  nb::object attr(const std::string& kind, const std::string& name) {
    ConverterNode& n = node();
    if (kind == "int") return nb::cast(value_of(n.attr_int(name)));
    if (kind == "float") return nb::cast(value_of(n.attr_float(name)));
    if (kind == "bool") return nb::cast(value_of(n.attr_bool(name)));
    if (kind == "string") return bytes_of(value_of(n.attr_string(name)));
    if (kind == "type") return nb::cast(static_cast<int>(value_of(n.attr_type(name))));
    if (kind == "shape") return nb::cast(value_of(n.attr_shape(name)));
    if (kind == "tensor") return tensor_tuple(value_of(n.attr_tensor(name)));
    if (kind == "ints") return nb::cast(value_of(n.attr_ints(name)));
    if (kind == "floats") return nb::cast(value_of(n.attr_floats(name)));
    nb::list list;
    if (kind == "strings")
      for (const std::string& s : value_of(n.attr_strings(name))) list.append(bytes_of(s));
    else
      for (DType t : value_of(n.attr_types(name))) list.append(static_cast<int>(t));
    return list;
  }
  void ignore(const std::string& name) { node().ignore({name}); }

  size_t inputs() { return node().inputs(); }
  Handle input(size_t index) { return handle_of(value_of(node().input(index))); }
  // (dtype number, extents)
  nb::tuple type(Handle tensor) {
    const TensorSpec spec = value_of(node().type(tensor_of(tensor)));
    return nb::make_tuple(static_cast<int>(spec.dtype), spec.dims);
  }
  nb::tuple constant_of(Handle tensor) {
    return tensor_tuple(value_of(node().constant_of(tensor_of(tensor))));
  }
  // The caller keeps the array alive.
  Handle constant(int dtype, const std::vector<int64_t>& dims, uintptr_t address, size_t bytes) {
    const TensorRef ref{static_cast<DType>(dtype), dims, reinterpret_cast<const void*>(address),
                        bytes};
    return handle_of(value_of(node().constant(ref)));
  }
  std::vector<Handle> emit(const std::string& op, const std::vector<Handle>& inputs,
                           const std::string& attrs, size_t outputs) {
    std::vector<ConverterTensor> tensors;
    for (Handle input : inputs) tensors.push_back(tensor_of(input));
    std::vector<Handle> made;
    for (ConverterTensor tensor : value_of(node().emit_many(op, tensors, attrs, outputs)))
      made.push_back(handle_of(tensor));
    return made;
  }
  void output(Handle tensor) {
    if (Status s = node().output(tensor_of(tensor)); !s.ok()) raise_status(s);
  }
  void refuse(const std::string& reason, const std::string& hint) {
    raise_status(node().refuse(reason, hint));
  }

 private:
  static nb::bytes bytes_of(const std::string& s) { return nb::bytes(s.data(), s.size()); }

  ConverterNode& node() {
    if (node_ == nullptr)
      raise_status(invalid_argument("the node is used after its converter has returned"));
    return *node_;
  }
  ConverterNode* node_;
};

// "ValueError: text", as Python's own last line of a traceback.
std::string text_of(const nb::python_error& error) {
  std::string text = nb::cast<std::string>(error.type().attr("__name__"));
  try {
    const std::string message = nb::cast<std::string>(nb::str(error.value()));
    if (!message.empty()) text += ": " + message;
  } catch (const std::exception&) {  // its __str__ raises, or gives no text
  }
  return text;
}

Status call(const nb::object& function, ConverterNode& node) {
  const auto seen = std::make_shared<PyNode>(&node);
  struct End {
    PyNode& node;
    ~End() { node.end(); }
  } const end{*seen};
  try {
    function(nb::cast(seen));
    return ok_status();
  } catch (nb::python_error& error) {
    // Ctrl-C reaches the main thread again once the conversion is through.
    if (error.matches(PyExc_KeyboardInterrupt)) PyErr_SetInterrupt();
    return unsupported(text_of(error));
  }
}

// The function is freed by whoever drops the converter last, on any thread.
ConverterFn converter_of(nb::object function) {
  const std::shared_ptr<nb::object> shared(new nb::object(std::move(function)),
                                           [](nb::object* object) {
                                             if (!Py_IsInitialized()) return;  // leaked
                                             const nb::gil_scoped_acquire gil;
                                             delete object;
                                           });
  return [shared](ConverterNode& node) -> Status {
    if (!Py_IsInitialized()) return unsupported("the Python interpreter has ended");
    const nb::gil_scoped_acquire gil;
    return call(*shared, node);
  };
}

}  // namespace

void bind_converters(nb::module_& m) {
  nb::class_<PyNode>(m, "ConverterNode")
      .def_prop_ro("name", &PyNode::name)
      .def_prop_ro("op", &PyNode::op)
      .def("has_attr", &PyNode::has_attr)
      .def("attr", &PyNode::attr)
      .def("ignore", &PyNode::ignore)
      .def_prop_ro("inputs", &PyNode::inputs)
      .def("input", &PyNode::input)
      .def("type", &PyNode::type)
      .def("constant_of", &PyNode::constant_of)
      .def("constant", &PyNode::constant)
      .def("emit", &PyNode::emit)
      .def("output", &PyNode::output)
      .def("refuse", &PyNode::refuse);
  m.def("register_converter",
        [](const std::string& op, nb::object function, const std::string& name,
           const std::vector<std::string>& outputs, bool override_existing) {
          const Status status = register_converter(op, converter_of(std::move(function)),
                                                   {name, outputs, override_existing});
          if (!status.ok()) raise_status(status);
        });
  m.def("unregister_converter", [](const std::string& op) {
    if (Status s = unregister_converter(op); !s.ok()) raise_status(s);
  });
}

}  // namespace graft::python

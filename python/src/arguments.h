// Arguments of the bindings: bytes, options from dicts, statuses as exceptions, progress callables.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <exception>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "graft/convert.h"
#include "graft/report.h"

namespace graft::python {

namespace nb = nanobind;

// Raises the Python class of the code: graftrt.errors.raise_code(name, message).
[[noreturn]] inline void raise_status(const Status& status) {
  nb::module_ errors = nb::module_::import_("graftrt.errors");
  errors.attr("raise_code")(std::string(code_name(status.code())), status.message());
  throw nb::python_error();  // not reached: raise_code always raises
}

inline std::span<const std::byte> bytes_view(const nb::bytes& bytes) {
  return {static_cast<const std::byte*>(bytes.data()), bytes.size()};
}

// Moves the bytes of a result into a Python object that owns them; uint8 [size].
inline nb::object owned_bytes(std::vector<std::byte>&& bytes) {
  auto* heap = new std::vector<std::byte>(std::move(bytes));
  nb::capsule owner(heap, [](void* p) noexcept { delete static_cast<std::vector<std::byte>*>(p); });
  return nb::cast(
      nb::ndarray<nb::numpy, uint8_t, nb::ndim<1>>(heap->data(), {heap->size()}, owner));
}

struct StopSource {
  std::stop_source source;
};

template <typename T>
void take(const nb::dict& options, const char* key, T& field, std::vector<std::string>& seen) {
  if (!options.contains(key)) return;
  seen.emplace_back(key);
  nb::object value = options[key];
  try {
    field = nb::cast<T>(value);
  } catch (const nb::cast_error&) {
    raise_status(invalid_argument(std::string(key) + ": got " +
                                  nb::cast<std::string>(nb::repr(value)) +
                                  ", which has the wrong type"));
  }
}

// The callable lives as long as the dict, which the caller holds over the call.
inline void take_progress(const nb::dict& dict, ProgressFn& progress,
                          std::vector<std::string>& seen) {
  if (!dict.contains("progress")) return;
  seen.emplace_back("progress");
  nb::handle callback = dict["progress"];
  if (callback.is_none()) return;
  progress = [callback](const std::string& stage, int64_t done, int64_t total, double eta_s) {
    nb::gil_scoped_acquire gil;
    callback(stage, done, total, eta_s);
  };
}

inline void refuse_unknown(const nb::dict& dict, const std::vector<std::string>& seen) {
  for (auto [key, value] : dict) {
    const std::string name = nb::cast<std::string>(key);
    if (std::find(seen.begin(), seen.end(), name) == seen.end())
      raise_status(invalid_argument("unknown option '" + name + "'"));
  }
}

// A progress callback that raises must not unwind through the library: the error is kept and
// raised afterwards.
class ProgressGuard {
 public:
  explicit ProgressGuard(ProgressFn& progress) {
    if (!progress) return;
    progress = [inner = progress, this](const std::string& s, int64_t d, int64_t t, double e) {
      if (error_) return;
      try {
        inner(s, d, t, e);
      } catch (...) {
        error_ = std::current_exception();
      }
    };
  }
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  std::exception_ptr error_;
};

// Feeds: (name, dtype number, shape, address, bytes) each; the caller keeps the arrays alive.
class FeedArguments {
 public:
  explicit FeedArguments(const nb::list& list) {
    dims_.reserve(nb::len(list));
    for (nb::handle item : list) {
      nb::tuple t = nb::cast<nb::tuple>(item);
      dims_.push_back(nb::cast<std::vector<int64_t>>(t[2]));
      TensorRef ref{static_cast<DType>(nb::cast<int>(t[1])), dims_.back(),
                    reinterpret_cast<const void*>(nb::cast<uintptr_t>(t[3])),
                    nb::cast<size_t>(t[4])};
      refs_.emplace_back(nb::cast<std::string>(t[0]), ref);
    }
  }
  FeedArguments(const FeedArguments&) = delete;
  FeedArguments& operator=(const FeedArguments&) = delete;
  std::span<const std::pair<std::string, TensorRef>> refs() const { return refs_; }

 private:
  std::vector<std::vector<int64_t>> dims_;
  std::vector<std::pair<std::string, TensorRef>> refs_;
};

inline nb::dict report_dict(const Report& report) {
  nb::dict d;
  d["summary"] = report.summary();
  d["text"] = report.text();
  d["json"] = report.json();
  d["engines"] = report.engines.size();
  return d;
}

void bind_finish(nb::module_& m);
void bind_compare(nb::module_& m);
void bind_converters(nb::module_& m);

}  // namespace graft::python

// Status and Result<T>: how every fallible function of Graft reports failure. Three kinds are kept
// apart: the caller's input is bad, the input is fine but not supported, and our own bug
// (kInternal). No exception crosses the public API.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace graft {

// Each code says when to choose it; Python maps them one to one to exception classes.
enum class Code {
  kOk = 0,
  kInvalidArgument,    // an option, feed or argument is wrong, whatever the graph
  kInvalidGraph,       // the bytes or the graph they hold are malformed
  kUnsupported,        // valid, but Graft does not handle it
  kFileError,          // the operating system refused a file operation
  kNotConverted,       // strict mode and nothing (or not everything) was converted
  kCalibrationError,   // calibration data missing, inconsistent or unusable
  kPlanError,          // plan bytes are corrupt, of another version, or do not belong to this node
  kResourceExhausted,  // an allocation, a cap of Limits or a work budget was hit
  kCancelled,          // the caller's stop token was set
  kAborted,            // a fallback was needed and is forbidden
  kInternal,           // our bug; never the caller's fault
};

// "InvalidArgument", ... as in the names of the Python exception classes.
std::string_view code_name(Code code);

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Code code, std::string message)
      : rep_(code == Code::kOk ? nullptr
                               : std::make_shared<const Rep>(Rep{code, std::move(message)})) {}

  bool ok() const { return rep_ == nullptr; }
  Code code() const { return rep_ ? rep_->code : Code::kOk; }
  const std::string& message() const;
  // Same code, with "context: " in front of the message; identity on ok.
  Status with_context(std::string_view context) const;

 private:
  struct Rep {
    Code code;
    std::string message;
  };
  std::shared_ptr<const Rep> rep_;
};

inline Status ok_status() { return Status(); }
inline Status invalid_argument(std::string m) { return {Code::kInvalidArgument, std::move(m)}; }
inline Status invalid_graph(std::string m) { return {Code::kInvalidGraph, std::move(m)}; }
inline Status unsupported(std::string m) { return {Code::kUnsupported, std::move(m)}; }
inline Status file_error(std::string m) { return {Code::kFileError, std::move(m)}; }
inline Status plan_error(std::string m) { return {Code::kPlanError, std::move(m)}; }
inline Status resource_exhausted(std::string m) { return {Code::kResourceExhausted, std::move(m)}; }
inline Status internal_error(std::string m) { return {Code::kInternal, std::move(m)}; }
inline Status cancelled(std::string m) { return {Code::kCancelled, std::move(m)}; }

// A value or the Status that says why there is none. Reading the value of a failed Result is our
// bug and throws InternalError (base/check.h), never undefined behaviour.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}  // NOLINT: implicit by design
  Result(Status status) : status_(std::move(status)) { require_error(); }  // NOLINT

  bool ok() const { return value_.has_value(); }
  const Status& status() const { return status_; }
  T& value() & {
    require_value();
    return *value_;
  }
  const T& value() const& {
    require_value();
    return *value_;
  }
  T&& value() && {
    require_value();
    return std::move(*value_);
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

 private:
  void require_value() const;
  void require_error() const;
  std::optional<T> value_;
  Status status_;
};

namespace detail {
[[noreturn]] void throw_bad_result(const Status& status);
}

template <typename T>
void Result<T>::require_value() const {
  if (!value_.has_value()) detail::throw_bad_result(status_);
}
template <typename T>
void Result<T>::require_error() const {
  if (status_.ok()) detail::throw_bad_result(status_);
}

}  // namespace graft

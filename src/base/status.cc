#include "base/status.h"

#include "base/check.h"

namespace graft {

std::string_view code_name(Code code) {
  switch (code) {
    case Code::kOk:
      return "Ok";
    case Code::kInvalidArgument:
      return "InvalidArgument";
    case Code::kInvalidGraph:
      return "InvalidGraph";
    case Code::kUnsupported:
      return "Unsupported";
    case Code::kFileError:
      return "FileError";
    case Code::kNotConverted:
      return "NotConverted";
    case Code::kCalibrationError:
      return "CalibrationError";
    case Code::kPlanError:
      return "PlanError";
    case Code::kResourceExhausted:
      return "ResourceExhausted";
    case Code::kCancelled:
      return "Cancelled";
    case Code::kAborted:
      return "Aborted";
    case Code::kInternal:
      return "InternalError";
  }
  return "Unknown";
}

const std::string& Status::message() const {
  static const std::string* const empty = new std::string();
  return rep_ ? rep_->message : *empty;
}

Status Status::with_context(std::string_view context) const {
  if (ok()) return *this;
  return Status(code(), std::string(context) + ": " + message());
}

namespace detail {
void throw_bad_result(const Status& status) {
  throw_internal_error(__FILE__, __LINE__,
                       status.ok() ? "Result made from an ok Status"
                                   : "value of a failed Result read: " + status.message());
}
}  // namespace detail

}  // namespace graft

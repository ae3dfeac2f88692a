#include "tensorflow/tf_handles.h"

namespace graft::tensorflow {

Status from_tf(const TF_Status* status) {
  const TF_Code code = TF_GetCode(status);
  if (code == TF_OK) return ok_status();
  std::string message = TF_Message(status);
  switch (code) {
    case TF_INVALID_ARGUMENT:
      return invalid_argument(std::move(message));
    case TF_RESOURCE_EXHAUSTED:
      return resource_exhausted(std::move(message));
    case TF_CANCELLED:
      return cancelled(std::move(message));
    case TF_ABORTED:
      return {Code::kAborted, std::move(message)};
    case TF_UNIMPLEMENTED:
      return unsupported(std::move(message));
    case TF_DATA_LOSS:
      return plan_error(std::move(message));
    default:
      return internal_error(std::move(message));
  }
}

void to_tf(const Status& status, TF_Status* out) {
  const auto code = [&]() -> TF_Code {
    switch (status.code()) {
      case Code::kOk:
        return TF_OK;
      case Code::kInvalidArgument:
      case Code::kInvalidGraph:
        return TF_INVALID_ARGUMENT;
      case Code::kUnsupported:
        return TF_UNIMPLEMENTED;
      case Code::kFileError:
        return TF_NOT_FOUND;
      case Code::kNotConverted:
      case Code::kCalibrationError:
        return TF_FAILED_PRECONDITION;
      case Code::kPlanError:
        return TF_DATA_LOSS;
      case Code::kResourceExhausted:
        return TF_RESOURCE_EXHAUSTED;
      case Code::kCancelled:
        return TF_CANCELLED;
      case Code::kAborted:
        return TF_ABORTED;
      case Code::kInternal:
        return TF_INTERNAL;
    }
    return TF_UNKNOWN;
  }();
  TF_SetStatus(out, code, status.message().c_str());
}

}  // namespace graft::tensorflow

#include <algorithm>

#include "base/status.h"
#include "graft/convert.h"

namespace graft {

Result<Precision> parse_precision(const std::string& text) {
  std::string upper = text;
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](unsigned char c) { return c >= 'a' && c <= 'z' ? c - 32 : c; });
  if (upper == "FP32") return Precision::kFp32;
  if (upper == "FP16") return Precision::kFp16;
  if (upper == "BF16") return Precision::kBf16;
  if (upper == "INT8") return Precision::kInt8;
  return invalid_argument(
      "precision mode '" + text +
      "' is not supported. It should be one of ['FP32', 'FP16', 'BF16', 'INT8']");
}

std::string precision_name(Precision precision) {
  switch (precision) {
    case Precision::kFp32:
      return "FP32";
    case Precision::kFp16:
      return "FP16";
    case Precision::kBf16:
      return "BF16";
    case Precision::kInt8:
      return "INT8";
  }
  return "FP32";
}

}  // namespace graft

// The library's static constructor. Apart from registration.cc, so that tests which link the
// plugin's code decide themselves when it registers.
#include "base/check.h"
#include "tensorflow/registration.h"

namespace {

[[maybe_unused]] const bool registered = [] {
  try {
    return graft::tensorflow::registration().error.empty();
  } catch (...) {  // out of memory: TensorFlow then misses the op and says so
    return false;
  }
}();

}  // namespace

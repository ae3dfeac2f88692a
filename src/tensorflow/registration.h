// Registers the plugin's ops and kernels with TensorFlow when the library is loaded.
#pragma once

#include <string>

namespace graft::tensorflow {

struct Registration {
  std::string engine_op = "TRTEngineOp", calib_op = "TRTCalibOp";
  std::string error;  // "" when everything was registered
};

// What loading this library did. Registers on the first call, which the library's static
// constructor makes.
const Registration& registration();

}  // namespace graft::tensorflow

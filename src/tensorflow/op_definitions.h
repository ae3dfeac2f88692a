// Definitions of the plugin's ops: names and attributes of TF-TRT 1.7 to 2.17, so that its graphs
// load, plus ours.
#pragma once

#include <string>

#include "base/status.h"

namespace graft::tensorflow {

Status register_engine_op(const std::string& op_name);
Status register_calib_op(const std::string& op_name);

}  // namespace graft::tensorflow

// TensorFlow's own log as the plugin's default sink.
#pragma once

namespace graft::tensorflow {

// Messages go to TensorFlow's log where its C API has one (TF_Log: 2.16 to 2.19), else to
// base/log.h's default sink.
void use_tf_log();

}  // namespace graft::tensorflow

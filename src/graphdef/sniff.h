// What a file that is no GraphDef looks like, for error texts.
#pragma once

#include <string>

#include "graphdef/wire.h"

namespace graft::graphdef {

// "" when nothing is recognised; else e.g. "it looks like gzip data: decompress it first".
std::string describe_foreign_format(Bytes bytes);

}  // namespace graft::graphdef

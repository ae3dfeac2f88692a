// Text form of an op's attributes, "strides=[2,2] padding=same act=relu": fields that differ from
// their default, in declaration order. One text line is a test, a repro and a benchmark.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "ir/network.h"

namespace graft::ir {

std::string print_attrs(const Attrs& attrs);
// Reads print_attrs' text: fields in any order, separated by spaces. InvalidArgument names the
// field.
Result<Attrs> parse_attrs(OpKind kind, std::string_view text);

}  // namespace graft::ir

// Feeds of `run` and `bench` from "name=file.npy" arguments.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "graft/session.h"

namespace graft::cli {

struct Feeds {
  std::vector<std::pair<std::string, HostTensor>> tensors;
  std::vector<std::pair<std::string, TensorRef>> refs() const;
};

Result<Feeds> load_feeds(const std::vector<std::string>& arguments);

}  // namespace graft::cli

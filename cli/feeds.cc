#include "feeds.h"

#include "graft/files.h"
#include "npy.h"

namespace graft::cli {

std::vector<std::pair<std::string, TensorRef>> Feeds::refs() const {
  std::vector<std::pair<std::string, TensorRef>> result;
  for (const auto& [name, tensor] : tensors) result.emplace_back(name, tensor.ref());
  return result;
}

Result<Feeds> load_feeds(const std::vector<std::string>& arguments) {
  Feeds feeds;
  for (const std::string& argument : arguments) {
    const size_t at = argument.find('=');
    if (at == std::string::npos)
      return invalid_argument("--feed '" + argument + "': expected NAME=FILE.npy");
    const std::string path = argument.substr(at + 1);
    Result<std::vector<std::byte>> bytes = read_file(path, int64_t{1} << 40);
    if (!bytes.ok()) return bytes.status();
    Result<HostTensor> tensor = parse_npy(*bytes, path);
    if (!tensor.ok()) return tensor.status();
    feeds.tensors.emplace_back(argument.substr(0, at), std::move(*tensor));
  }
  return feeds;
}

}  // namespace graft::cli

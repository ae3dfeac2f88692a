#include "compare/sides.h"

#include <algorithm>

namespace graft::compare_detail {

namespace {

// Equal but for the first extent, which slices cut.
bool like_shaped(std::span<const int64_t> a, std::span<const int64_t> b) {
  return a.size() == b.size() && (a.empty() || std::equal(a.begin() + 1, a.end(), b.begin() + 1));
}

std::string text_of(std::span<const int64_t> dims) {
  std::string text = "[";
  for (size_t i = 0; i < dims.size(); ++i) text += (i == 0 ? "?" : "," + std::to_string(dims[i]));
  return text + "]";
}

std::string unequal_text(size_t a_elems, const std::string& b_elems) {
  return "a has " + std::to_string(a_elems) + " elements, b " + b_elems;
}

}  // namespace

Status KeepA::observe(const std::string& tensor, double scale, std::span<const float> data,
                      std::span<const int64_t> dims) {
  if (!pairs_.wants(tensor)) return ok_status();
  const auto [it, is_new] = kept_.try_emplace(tensor);
  if (is_new) {
    it->second.order = pairs_.seen_a++;
    it->second.scale = scale;
    it->second.dims.assign(dims.begin(), dims.end());
  }
  it->second.elems.insert(it->second.elems.end(), data.begin(), data.end());
  return ok_status();
}

void KeepA::add_output(const std::string& tensor, std::vector<float> elems,
                       std::span<const int64_t> dims) {
  if (!pairs_.wants(tensor)) return;
  Kept& kept = kept_[tensor];
  kept = {pairs_.seen_a++, true, 0, {dims.begin(), dims.end()}, std::move(elems), 0};
}

Status PairB::observe(const std::string& tensor, double scale, std::span<const float> data,
                      std::span<const int64_t> dims) {
  const auto it = a_.kept_.find(tensor);
  if (it != a_.kept_.end() && !it->second.is_output) pair(tensor, it->second, scale, data, dims);
  return ok_status();
}

void PairB::add_output(const std::string& tensor, std::span<const float> elems,
                       std::span<const int64_t> dims) {
  const auto it = a_.kept_.find(tensor);
  if (it != a_.kept_.end()) pair(tensor, it->second, 0, elems, dims);
}

void PairB::lose_output(const std::string& tensor, const std::string& why) {
  if (a_.kept_.contains(tensor)) give_up(tensor, why);
}

void PairB::give_up(const std::string& tensor, const std::string& why) {
  pairs_.unequal[tensor] = why;
  pairs_.by_name.erase(tensor);
}

void PairB::pair(const std::string& tensor, Kept& kept, double scale, std::span<const float> data,
                 std::span<const int64_t> dims) {
  if (pairs_.unequal.contains(tensor)) return;
  if (!like_shaped(kept.dims, dims))
    return give_up(tensor, "a has shape " + text_of(kept.dims) + ", b " + text_of(dims));
  if (data.size() > kept.elems.size() - kept.paired_elems)
    return give_up(tensor, unequal_text(kept.elems.size(), "more"));
  const auto [it, is_new] = pairs_.by_name.try_emplace(tensor);
  Pair& pair = it->second;
  if (is_new) {
    pair.order = kept.order;
    pair.is_output = kept.is_output;
    pair.scale_a = kept.scale;
    pair.scale_b = scale;
  }
  pair.statistics.add(std::span(kept.elems).subspan(kept.paired_elems, data.size()), data);
  kept.paired_elems += data.size();
}

void PairB::finish() {
  for (const auto& [name, kept] : a_.kept_)
    if (kept.paired_elems != kept.elems.size() && pairs_.by_name.contains(name))
      give_up(name, unequal_text(kept.elems.size(), std::to_string(kept.paired_elems)));
  pairs_.names_known = true;
}

}  // namespace graft::compare_detail

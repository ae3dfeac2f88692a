// The two observers of a comparison: what a makes in one run is kept, what b makes is paired with
// it by name and element offset, so that both may come in slices of any size.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "compare/statistics.h"
#include "graft/session.h"

namespace graft::compare_detail {

struct Pair {
  int64_t order = 0;
  bool is_output = false;
  double scale_a = 0, scale_b = 0;
  ErrorStatistics statistics;
};

// What is known of all runs.
struct Pairs {
  std::map<std::string, Pair, std::less<>> by_name;
  std::map<std::string, std::string, std::less<>> unequal;  // name -> why it can't be compared
  int64_t seen_a = 0;                                       // names of a until now, for their order
  bool names_known = false;  // after the first run: nothing but by_name is of interest

  bool wants(const std::string& name) const {
    return !unequal.contains(name) && (!names_known || by_name.contains(name));
  }
};

struct Kept {
  int64_t order = 0;
  bool is_output = false;
  double scale = 0;
  std::vector<int64_t> dims;  // of a slice; the first extent differs from slice to slice
  std::vector<float> elems;
  size_t paired_elems = 0;
};

class KeepA final : public TensorObserver {
 public:
  explicit KeepA(Pairs& pairs) : pairs_(pairs) {}
  Status observe(const std::string& tensor, double scale, std::span<const float> data,
                 std::span<const int64_t> dims) override;
  // A fetched tensor; takes the place of one inside of the same name.
  void add_output(const std::string& tensor, std::vector<float> elems,
                  std::span<const int64_t> dims);

 private:
  friend class PairB;
  Pairs& pairs_;
  std::map<std::string, Kept, std::less<>> kept_;
};

class PairB final : public TensorObserver {
 public:
  PairB(Pairs& pairs, KeepA& a) : pairs_(pairs), a_(a) {}
  Status observe(const std::string& tensor, double scale, std::span<const float> data,
                 std::span<const int64_t> dims) override;
  void add_output(const std::string& tensor, std::span<const float> elems,
                  std::span<const int64_t> dims);
  // A fetched tensor that b has in no form that can be compared; nothing where a has none either.
  void lose_output(const std::string& tensor, const std::string& why);
  // After the run: tensors of which b made fewer elements than a.
  void finish();

 private:
  void pair(const std::string& tensor, Kept& kept, double scale, std::span<const float> data,
            std::span<const int64_t> dims);
  void give_up(const std::string& tensor, const std::string& why);

  Pairs& pairs_;
  KeepA& a_;
};

}  // namespace graft::compare_detail

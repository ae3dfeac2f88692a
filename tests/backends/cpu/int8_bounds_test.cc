// INT8 convolutions read whole steps of four channels, but nothing behind the end of src: src ends
// at a page that can't be read.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "backends/cpu/cpu_features.h"
#include "backends/cpu/int8/conv8.h"
#include "backends/cpu/int8/product.h"

namespace graft::cpu {
namespace {

// `size` bytes of zeros that end where memory does.
class AtPageEnd {
 public:
  explicit AtPageEnd(size_t size) : page_(static_cast<size_t>(sysconf(_SC_PAGESIZE))) {
    bytes_ = (size + page_ - 1) / page_ * page_;
    map_ = static_cast<uint8_t*>(
        mmap(nullptr, bytes_ + page_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    EXPECT_EQ(mprotect(map_ + bytes_, page_, PROT_NONE), 0);
    data = map_ + bytes_ - size;
  }
  ~AtPageEnd() { munmap(map_, bytes_ + page_); }
  AtPageEnd(const AtPageEnd&) = delete;
  AtPageEnd& operator=(const AtPageEnd&) = delete;
  uint8_t* data;

 private:
  size_t page_, bytes_;
  uint8_t* map_;
};

void run(const Int8Isa& isa, const ConvShape& s, bool has_sign) {
  const std::vector<int8_t> weights(static_cast<size_t>(s.kh * s.kw * s.c / s.groups * s.oc));
  const AtPageEnd src(static_cast<size_t>(s.batch * s.h * s.w * s.c));
  std::vector<uint8_t> dst(static_cast<size_t>(s.batch * s.oh * s.ow * s.oc));
  const Int8Matrix matrix = int8_conv_matrix(s, weights.data());
  auto packed =
      Int8Weights::pack(int8_weights_table(isa, matrix, has_sign), matrix, nullptr, has_sign);
  ASSERT_TRUE(packed.ok());
  Int8Epilogue epilogue;
  epilogue.finish = isa.finish->to_quantized;
  epilogue.m.assign(packed->bias.size(), 1.0f);
  const Int8ConvPlan plan = plan_int8_conv(*packed, s, 1);
  std::vector<char> scratch(static_cast<size_t>(plan.scratch_bytes()));
  run_int8_conv(*packed, plan, epilogue, src.data, nullptr, dst.data(), scratch.data());
}

TEST(Int8Bounds, reads_nothing_behind_src) {
  for (int level = 0; level <= static_cast<int>(machine_target().isa); ++level) {
    ir::Target target;
    target.isa = static_cast<ir::Isa>(level);
    for (const int64_t c : {1, 2, 3, 5, 6, 17, 15, 64}) {
      for (const int64_t groups : {1, 3}) {
        for (const int64_t kernel : {1, 3}) {
          if (c % groups != 0) continue;
          ConvShape s;
          s.batch = 2;
          s.h = s.oh = 5;
          s.w = s.ow = 6;
          s.c = s.src_ld = c;
          s.oc = s.dst_ld = s.residual_ld = 21 * groups;
          s.groups = groups;
          s.kh = s.kw = kernel;
          s.pad_top = s.pad_left = kernel / 2;
          for (const bool has_sign : {false, true}) run(int8_isa_of(target), s, has_sign);
        }
      }
    }
  }
}

}  // namespace
}  // namespace graft::cpu

#include "base/huge_pages.h"

#include <sys/mman.h>

#include <cstdint>

namespace graft {

void advise_huge_pages(void* data, size_t size_bytes) {
  constexpr size_t kHugePage = size_t{2} << 20;
  const auto begin = (reinterpret_cast<uintptr_t>(data) + kHugePage - 1) / kHugePage * kHugePage;
  const auto end = (reinterpret_cast<uintptr_t>(data) + size_bytes) / kHugePage * kHugePage;
  if (data == nullptr || size_bytes < 2 * kHugePage || end <= begin) return;
  ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
}

}  // namespace graft

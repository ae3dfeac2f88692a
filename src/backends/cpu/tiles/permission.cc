#include "backends/cpu/tiles/permission.h"

#include <sys/syscall.h>
#include <unistd.h>

namespace graft::cpu {

bool amx_permitted() {
  constexpr long kRequestPermission = 0x1023, kTileData = 18;
  static const bool permitted = syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
  return permitted;
}

}  // namespace graft::cpu

#include "base/log.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/fault.h"

namespace graft {
namespace {

std::string last_message;

TEST(Log, messages_go_to_the_sink) {
  set_log_sink([](LogLevel level, const std::string& message) {
    last_message = std::to_string(static_cast<int>(level)) + " " + message;
  });
  log(LogLevel::kWarning, "careful");
  EXPECT_EQ(last_message, "30 careful");
  set_log_sink(nullptr);
  testing::internal::CaptureStderr();
  log(LogLevel::kError, "dropped");
  EXPECT_EQ(last_message, "30 careful");
  if (std::getenv("GRAFT_LOG") == nullptr) {
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  } else {
    testing::internal::GetCapturedStderr();
  }
}

TEST(Log, W11_text_from_bytes_is_escaped_and_cut) {
  EXPECT_EQ(printable("plain \"text\""), "plain \"text\"");
  EXPECT_EQ(printable(std::string_view("a\0b\n\x1b[31m\xff\\", 11)),
            "a\\x00b\\x0a\\x1b[31m\\xff\\\\");
  EXPECT_EQ(printable(std::string(200, 'x')), std::string(200, 'x'));
  const std::string cut = printable(std::string(1 << 20, '\n'));
  EXPECT_LE(cut.size(), 200u);
  EXPECT_EQ(cut.substr(cut.size() - 7), "\\x0a...");
}

#ifdef GRAFT_ENABLE_FAULTS
TEST(Fault, list_of_the_environment_is_matched_whole) {
  setenv("GRAFT_PLANTED_FAULT", "pad_off_by_one,swapped_stride", 1);
  EXPECT_TRUE(GRAFT_FAULT(pad_off_by_one));
  EXPECT_TRUE(GRAFT_FAULT(swapped_stride));
  EXPECT_FALSE(GRAFT_FAULT(swapped));
  EXPECT_FALSE(GRAFT_FAULT(stride));
  unsetenv("GRAFT_PLANTED_FAULT");
  EXPECT_FALSE(GRAFT_FAULT(pad_off_by_one));
}
#else
TEST(Fault, compiled_out_of_ordinary_builds) {
  setenv("GRAFT_PLANTED_FAULT", "pad_off_by_one", 1);
  EXPECT_FALSE(GRAFT_FAULT(pad_off_by_one));
  unsetenv("GRAFT_PLANTED_FAULT");
}
#endif

}  // namespace
}  // namespace graft

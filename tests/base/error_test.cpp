#include "base/error.hpp"

#include <gtest/gtest.h>

namespace tofu {
namespace {

TEST(Error, CategoryIsTheExitCode) {
  try {
    fail(ErrorCategory::input_data, "{}: line {} is not JSON", "full.json", 3);
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), 3);
    EXPECT_STREQ(error.what(), "full.json: line 3 is not JSON");
  }
}

}  // namespace
}  // namespace tofu

#include "store/checksum.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

namespace tofu {
namespace {

TEST(Checksum, MixIsTheFinaliserOfSplitmix64) {
  // The first output of splitmix64 with seed 0: its state is then one golden-ratio step.
  EXPECT_EQ(mix64(0x9E3779B97F4A7C15U), 0xE220A8397B1DCDAFU);
}

TEST(Checksum, FollowsItsDefinition) {
  const std::vector<std::uint16_t> values = {0, 0xFFFF, 7};
  std::uint64_t expected = 0;
  for (std::uint64_t i = 0; i < values.size(); ++i) {
    expected += mix64(values[i] + (i + 1) * 0x9E3779B97F4A7C15U);
  }
  EXPECT_EQ(checksum_part(values.data(), 2, 0, 3), expected);
}

TEST(Checksum, PartsAddUpWhereverTheArrayIsCut) {
  std::vector<float> values(97);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) * 0.37F;
  const std::uint64_t whole = checksum_part(values.data(), 4, 0, 97);
  for (std::int64_t cut = 0; cut <= 97; ++cut) {
    EXPECT_EQ(checksum_part(values.data(), 4, 0, cut) +
                  checksum_part(values.data() + cut, 4, cut, 97 - cut),
              whole);
  }
}

TEST(Checksum, SeesChangedSwappedAndShiftedElements) {
  const std::vector<std::uint8_t> values = {1, 2, 3, 4};
  const std::vector<std::uint8_t> swapped = {2, 1, 3, 4};
  const std::vector<std::uint8_t> changed = {1, 2, 3, 5};
  const std::uint64_t whole = checksum_part(values.data(), 1, 0, 4);
  EXPECT_NE(checksum_part(swapped.data(), 1, 0, 4), whole);
  EXPECT_NE(checksum_part(changed.data(), 1, 0, 4), whole);
  EXPECT_NE(checksum_part(values.data(), 1, 1, 4), whole);
}

TEST(Checksum, OfNothingIsZero) {
  EXPECT_EQ(checksum_part(nullptr, 8, 5, 0), 0U);
}

}  // namespace
}  // namespace tofu

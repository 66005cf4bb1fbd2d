#include "store/checksum.hpp"

#include <cstring>
#include <stdexcept>

namespace tofu {
namespace {

constexpr std::uint64_t kIndexStep = 0x9E3779B97F4A7C15U;

template <typename Word>
std::uint64_t sum_of(const void* data, std::int64_t first, std::int64_t count) {
  const auto* bytes = static_cast<const unsigned char*>(data);
  std::uint64_t index_term = (static_cast<std::uint64_t>(first) + 1) * kIndexStep;
  std::uint64_t sum = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    Word word;
    std::memcpy(&word, bytes, sizeof word);
    sum += mix64(static_cast<std::uint64_t>(word) + index_term);
    bytes += sizeof word;
    index_term += kIndexStep;
  }
  return sum;
}

}  // namespace

std::uint64_t checksum_part(const void* data, std::size_t element_size, std::int64_t first,
                            std::int64_t count) {
  switch (element_size) {
    case 1:
      return sum_of<std::uint8_t>(data, first, count);
    case 2:
      return sum_of<std::uint16_t>(data, first, count);
    case 4:
      return sum_of<std::uint32_t>(data, first, count);
    case 8:
      return sum_of<std::uint64_t>(data, first, count);
    default:
      throw std::invalid_argument("checksum_part: elements of 1, 2, 4 or 8 bytes only");
  }
}

}  // namespace tofu

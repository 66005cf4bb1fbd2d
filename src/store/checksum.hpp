// A checksum that does not depend on how an array is cut into parts: the sum over its elements of a
// hash of value and index, modulo 2^64. The sum of the parts' checksums is that of the whole.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tofu {

// The finaliser of splitmix64 (Steele, Lea, Flood 2014, "Fast splittable pseudorandom number
// generators"): a bijection of 64-bit words in which every input bit reaches every output bit.
constexpr std::uint64_t mix64(std::uint64_t bits) {
  bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9U;
  bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EBU;
  return bits ^ (bits >> 31);
}

// Sum over i of mix64(bits of element first + i + (first + i + 1) * 0x9E3779B97F4A7C15), the bits
// extended with zeros. `data` holds `count` elements of `element_size` (1, 2, 4 or 8) bytes, which
// are the elements [first, first + count) of the array.
std::uint64_t checksum_part(const void* data, std::size_t element_size, std::int64_t first,
                            std::int64_t count);

}  // namespace tofu

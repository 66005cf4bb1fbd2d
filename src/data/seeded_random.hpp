// Random numbers that are the same on every machine and at any number of ranks: only generators
// whose sequence the C++ standard fixes.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <random>

namespace tofu {

// One number out of several: splitmix64's finisher applied after each of them is added. Nearby
// inputs give unrelated results.
inline std::uint64_t mix(std::initializer_list<std::uint64_t> values) {
  std::uint64_t state = 0;
  for (const auto value : values) {
    state += value + 0x9e3779b97f4a7c15u;
    state = (state ^ (state >> 30)) * 0xbf58476d1ce4e5b9u;
    state = (state ^ (state >> 27)) * 0x94d049bb133111ebu;
    state ^= state >> 31;
  }
  return state;
}

// A number below `bound` (> 0). The bias of the remainder, bound / 2^64, is far below anything that
// a data set could show.
inline std::int64_t draw_below(std::mt19937_64& generator, std::int64_t bound) {
  return static_cast<std::int64_t>(generator() % static_cast<std::uint64_t>(bound));
}

}  // namespace tofu

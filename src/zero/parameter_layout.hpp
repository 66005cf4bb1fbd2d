// Where each parameter lies in the flat buffers, and which part of them a rank keeps.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "model/parameters.hpp"

namespace tofu {

// Elements [first, first + count) of a flat buffer.
struct FlatRange {
  std::int64_t first = 0;
  std::int64_t count = 0;
};

// One unit's flat buffer: its parameters in order, then padding up to a multiple that every group
// size divides.
struct FlatUnit {
  UnitSpec spec;
  std::int64_t numel = 0;         // without padding
  std::int64_t padded_numel = 0;  // with padding

  FlatRange whole() const { return {0, padded_numel}; }
  FlatRange part_of(int rank, int group_size) const;
};

std::vector<FlatUnit> flat_units(const std::vector<UnitSpec>& units, int world_size);

// The stretch of one parameter that lies in a range of its unit's buffer.
struct ParameterPart {
  const ParameterSpec* parameter;
  std::int64_t first_in_parameter;  // row-major element index
  std::int64_t first_in_range;      // element index from the start of the range
  std::int64_t count;
};

// Calls `visit` for every parameter of `unit`, also those with no element in `range` (count 0), so
// that collective operations per parameter match over the ranks.
void for_each_part(const FlatUnit& unit, FlatRange range,
                   const std::function<void(const ParameterPart&)>& visit);

}  // namespace tofu

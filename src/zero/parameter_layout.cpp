#include "zero/parameter_layout.hpp"

#include <algorithm>

namespace tofu {
namespace {

// Parts start at multiples of this many elements: a cache line of fp32.
constexpr std::int64_t kAlignment = 16;

}  // namespace

FlatRange FlatUnit::part_of(int rank, int group_size) const {
  const std::int64_t count = padded_numel / group_size;
  return {rank * count, count};
}

std::vector<FlatUnit> flat_units(const std::vector<UnitSpec>& units, int world_size) {
  const std::int64_t multiple = kAlignment * world_size;
  std::vector<FlatUnit> result;
  for (const UnitSpec& unit : units) {
    const std::int64_t numel = unit.numel();
    result.push_back({unit, numel, (numel + multiple - 1) / multiple * multiple});
  }
  return result;
}

void for_each_part(const FlatUnit& unit, FlatRange range,
                   const std::function<void(const ParameterPart&)>& visit) {
  std::int64_t begin = 0;
  for (const ParameterSpec& parameter : unit.spec.parameters) {
    const std::int64_t end = begin + parameter.numel();
    const std::int64_t first = std::max(begin, range.first);
    const std::int64_t last = std::min(end, range.first + range.count);
    const std::int64_t count = std::max<std::int64_t>(0, last - first);
    visit(count > 0 ? ParameterPart{&parameter, first - begin, first - range.first, count}
                    : ParameterPart{&parameter, 0, 0, 0});
    begin = end;
  }
}

}  // namespace tofu

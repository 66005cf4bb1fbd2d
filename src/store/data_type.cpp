#include "store/data_type.hpp"

#include <fmt/ranges.h>

#include <array>
#include <utility>

#include "base/error.hpp"

namespace tofu {
namespace {

constexpr std::array<std::pair<DataType, std::string_view>, 5> kNames = {{
    {DataType::f32, "F32"},
    {DataType::f16, "F16"},
    {DataType::bf16, "BF16"},
    {DataType::i64, "I64"},
    {DataType::u8, "U8"},
}};

}  // namespace

std::size_t byte_size(DataType type) {
  switch (type) {
    case DataType::u8:
      return 1;
    case DataType::f16:
    case DataType::bf16:
      return 2;
    case DataType::f32:
      return 4;
    case DataType::i64:
      return 8;
  }
  return 0;
}

std::string_view name_of(DataType type) {
  for (const auto& [candidate, name] : kNames) {
    if (candidate == type) return name;
  }
  return "?";
}

std::optional<DataType> data_type_from_name(std::string_view name) {
  for (const auto& [type, candidate] : kNames) {
    if (candidate == name) return type;
  }
  return std::nullopt;
}

std::int64_t element_count(const std::vector<std::int64_t>& shape, std::string_view array) {
  std::int64_t count = 1;
  for (const std::int64_t dimension : shape) {
    if (dimension < 0 || __builtin_mul_overflow(count, dimension, &count)) {
      fail(ErrorCategory::input_data, "{}: impossible shape {}", array, shape_text(shape));
    }
  }
  return count;
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

}  // namespace tofu

// The element types of stored arrays.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tofu {

enum class DataType { f32, f16, bf16, i64, u8 };

std::size_t byte_size(DataType type);

// As safetensors spells it: "F32", "F16", "BF16", "I64", "U8".
std::string_view name_of(DataType type);
std::optional<DataType> data_type_from_name(std::string_view name);

// Product of the dimensions (1 for a scalar's empty shape). Error{input_data} that names `array`
// when a dimension is negative or the product does not fit 63 bits.
std::int64_t element_count(const std::vector<std::int64_t>& shape, std::string_view array);

// "[3, 4]"
std::string shape_text(const std::vector<std::int64_t>& shape);

}  // namespace tofu

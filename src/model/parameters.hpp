// The parameters of a Llama, in the order of computation, grouped into units: what is gathered,
// computed with and let go as one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/llama_config.hpp"

namespace tofu {

struct ParameterSpec {
  std::string name;                 // as Hugging Face names it
  std::vector<std::int64_t> shape;  // one or two sizes
  std::int64_t numel() const;
};

struct UnitSpec {
  std::vector<ParameterSpec> parameters;
  std::int64_t numel() const;
};

// num_layers + 2 units: the token embedding; each block; the final norm with the LM head (which is
// not there where it is tied to the embedding).
std::vector<UnitSpec> llama_units(const LlamaConfig& config);

std::int64_t count_parameters(const LlamaConfig& config);

}  // namespace tofu

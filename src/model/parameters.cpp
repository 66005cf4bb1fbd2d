#include "model/parameters.hpp"

#include <functional>
#include <numeric>

#include <fmt/format.h>

namespace tofu {

std::int64_t ParameterSpec::numel() const {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

std::int64_t UnitSpec::numel() const {
  std::int64_t sum = 0;
  for (const ParameterSpec& parameter : parameters) sum += parameter.numel();
  return sum;
}

std::vector<UnitSpec> llama_units(const LlamaConfig& c) {
  const std::int64_t query_size = c.num_heads * c.head_dim;
  const std::int64_t kv_size = c.num_kv_heads * c.head_dim;
  std::vector<UnitSpec> units;
  units.push_back({{{"model.embed_tokens.weight", {c.vocab_size, c.hidden_size}}}});
  for (std::int64_t layer = 0; layer < c.num_layers; ++layer) {
    const std::string prefix = fmt::format("model.layers.{}.", layer);
    // q, k, v and gate, up follow one another: each group is one matrix product (llama_block.cpp).
    units.push_back({{
        {prefix + "input_layernorm.weight", {c.hidden_size}},
        {prefix + "self_attn.q_proj.weight", {query_size, c.hidden_size}},
        {prefix + "self_attn.k_proj.weight", {kv_size, c.hidden_size}},
        {prefix + "self_attn.v_proj.weight", {kv_size, c.hidden_size}},
        {prefix + "self_attn.o_proj.weight", {c.hidden_size, query_size}},
        {prefix + "post_attention_layernorm.weight", {c.hidden_size}},
        {prefix + "mlp.gate_proj.weight", {c.intermediate_size, c.hidden_size}},
        {prefix + "mlp.up_proj.weight", {c.intermediate_size, c.hidden_size}},
        {prefix + "mlp.down_proj.weight", {c.hidden_size, c.intermediate_size}},
    }});
  }
  UnitSpec last{{{"model.norm.weight", {c.hidden_size}}}};
  if (!c.tie_word_embeddings) {
    last.parameters.push_back({"lm_head.weight", {c.vocab_size, c.hidden_size}});
  }
  units.push_back(last);
  return units;
}

std::int64_t count_parameters(const LlamaConfig& config) {
  std::int64_t sum = 0;
  for (const UnitSpec& unit : llama_units(config)) sum += unit.numel();
  return sum;
}

}  // namespace tofu

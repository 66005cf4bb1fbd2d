// One block of a Llama over packed tokens.
// N tokens, D hidden_size, H heads, G key-value heads, d head_dim, I intermediate_size.
#pragma once

#include <ATen/ATen.h>

#include <array>
#include <vector>

#include "model/llama_config.hpp"
#include "model/packed_batch.hpp"
#include "model/rotary.hpp"

namespace tofu {

// The weights of a block as the block computes with them: views of its unit's flat buffer, in the
// buffer's order. Query, key and value are one matrix, gate and up another.
struct BlockWeights {
  at::Tensor attention_norm_D;
  at::Tensor qkv_weight;     // [(H + 2G) d, D]
  at::Tensor output_weight;  // [D, H d]
  at::Tensor mlp_norm_D;
  at::Tensor gate_up_weight;  // [2I, D]
  at::Tensor down_weight;     // [D, I]

  std::vector<at::Tensor> list() const {
    return {attention_norm_D, qkv_weight, output_weight, mlp_norm_D, gate_up_weight, down_weight};
  }
};

// Views of `flat`, the buffer of a block's unit (parameters.hpp).
BlockWeights block_weights(const LlamaConfig& config, const at::Tensor& flat);

// x * rsqrt(mean(x^2) + eps) * weight over the last dimension, the mean in fp32
// (arXiv 1910.07467).
at::Tensor rms_norm(const at::Tensor& x_ND, const at::Tensor& weight_D, double eps);

// The block's output [N, D] for the packed sequences: causal attention inside each.
at::Tensor block_forward(const LlamaConfig& config, const BlockWeights& weights,
                         const at::Tensor& hidden_ND, const PackedBatch& batch,
                         const Rotary::Angles& angles);

// The parts of block_forward that generation shares: q [N, H, d], k and v [N, G, d] after the norm,
// the projection and the rotation; and what follows the attention's output [N, H d].
struct QueryKeyValue {
  at::Tensor query_NHd;
  at::Tensor key_NGd;
  at::Tensor value_NGd;
};
QueryKeyValue project_query_key_value(const LlamaConfig& config, const BlockWeights& weights,
                                      const at::Tensor& hidden_ND, const Rotary::Angles& angles);
at::Tensor finish_block(const LlamaConfig& config, const BlockWeights& weights,
                        const at::Tensor& hidden_ND, const at::Tensor& attention_out);

}  // namespace tofu

// A Llama whose parameters are whole on this rank: for evaluation and generation.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "model/llama_block.hpp"
#include "model/llama_config.hpp"
#include "model/packed_batch.hpp"
#include "model/rotary.hpp"

namespace tofu {

// What computes a loss from the last block's output: the final norm and the LM head.
// N tokens, D hidden_size, V vocabulary, P chosen positions.
struct Head {
  at::Tensor norm_weight_D;
  at::Tensor weight_VD;
  double rms_norm_eps;

  // The normalised hidden states at the given positions [P, D], ready for head.hpp's functions.
  at::Tensor normed(const at::Tensor& hidden_ND, const at::Tensor& positions_P) const;
};

// The embedding and head weights of a model whose first and last unit buffers are given.
at::Tensor embedding_weight(const LlamaConfig& config, const at::Tensor& first_flat);
Head make_head(const LlamaConfig& config, const at::Tensor& first_flat,
               const at::Tensor& last_flat);

// N tokens, D hidden_size.
class Llama {
 public:
  // `units`: the flat buffer of each unit (parameters.hpp), all of one type. Positions up to
  // `max_positions` can be computed.
  Llama(const LlamaConfig& config, std::vector<at::Tensor> units, std::int64_t max_positions);

  const LlamaConfig& config() const { return config_; }
  at::Device device() const { return units_.front().device(); }
  at::ScalarType type() const { return units_.front().scalar_type(); }
  std::int64_t max_positions() const { return max_positions_; }
  const Head& head() const { return head_; }
  const BlockWeights& block(std::int64_t layer) const {
    return blocks_[static_cast<std::size_t>(layer)];
  }
  const Rotary& rotary() const { return rotary_; }

  at::Tensor embed(const at::Tensor& ids_N) const;
  // The last block's output [N, D], before the final norm; without gradients.
  at::Tensor forward(const PackedBatch& batch) const;

 private:
  LlamaConfig config_;
  std::vector<at::Tensor> units_;
  std::vector<BlockWeights> blocks_;
  Head head_;
  Rotary rotary_;
  std::int64_t max_positions_;
};

}  // namespace tofu

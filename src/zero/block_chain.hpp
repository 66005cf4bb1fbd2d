// A Llama as a chain of blocks over sharded parameters: forward gathers each block, runs it and
// lets it go; backward goes from the last to the first, gathers again, recomputes, and hands each
// block's gradient to be summed while the next one works. All micro-batches of a rank pass through
// a block together, so a block is gathered and its gradient summed once, however many there are.
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <vector>

#include "model/llama.hpp"
#include "model/llama_block.hpp"
#include "model/llama_config.hpp"
#include "model/packed_batch.hpp"
#include "zero/sharded_parameters.hpp"

namespace tofu {

using LossFunction = std::function<at::Tensor(const Head& head, const at::Tensor& hidden_ND)>;
using HeadVisitor = std::function<void(const Head& head, const at::Tensor& hidden_ND)>;

class BlockChain {
 public:
  // `recompute`: keep only each block's input for the backward pass, not what happened inside.
  // Positions up to `max_positions` can be computed.
  BlockChain(const LlamaConfig& config, ShardedParameters* parameters, std::int64_t max_positions,
             bool recompute);

  // Adds the gradient of `loss` over `batch` to the parameters' gradients. A rank without a batch
  // gives nullptr and still takes part. Collective over the shard group.
  void forward_backward(const PackedBatch* batch, const LossFunction& loss, bool last_pass);

  // Computes without gradients and shows the result to `visit`; nullptr as above. Collective.
  void forward(const PackedBatch* batch, const HeadVisitor& visit);

  // A copy of the LM head's weight [V, D], whole on every rank. Collective.
  at::Tensor copy_of_head();

  const LlamaConfig& config() const { return config_; }
  ShardedParameters& parameters() { return *parameters_; }

 private:
  // What the backward pass needs of one block.
  struct BlockTrace {
    at::Tensor input;
    at::Tensor output;
    BlockWeights weights;
  };

  BlockTrace run_block(std::size_t unit, const at::Tensor& input, const PackedBatch& batch,
                       const Rotary::Angles& angles);
  at::Tensor head_backward(const at::Tensor& hidden_ND, const LossFunction& loss,
                           const ShardedParameters::GradientBuffer& first_gradient, bool last_pass);
  std::size_t last_unit() const { return parameters_->unit_count() - 1; }

  LlamaConfig config_;
  ShardedParameters* parameters_;
  Rotary rotary_;
  bool recompute_;
};

}  // namespace tofu

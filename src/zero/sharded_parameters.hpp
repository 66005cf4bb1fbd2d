// A model's parameters with gradients and optimizer state, sharded over the ranks of a group as in
// ZeRO (arXiv 1910.02054): stage 0 keeps all on every rank, 1 shards the optimizer state (fp32
// master weights and moments), 2 the gradients too, 3 the parameters too.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

#include "comm/groups.hpp"
#include "zero/buffer_pool.hpp"
#include "zero/parameter_layout.hpp"

namespace tofu {

struct ShardingOptions {
  int zero_stage = 2;
  at::ScalarType compute_type = at::kFloat;  // what the model computes in; masters are fp32
  at::Device device = at::kCPU;
};

struct AdamWOptions {
  double lr = 0;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0;
};

// The part of one unit that this rank updates: fp32, all of the same range.
struct OptimizerShard {
  FlatRange range;
  at::Tensor master;
  at::Tensor exp_avg;
  at::Tensor exp_avg_sq;
};

class ShardedParameters {
 public:
  // All zero. `groups` must outlive this object.
  ShardedParameters(const std::vector<UnitSpec>& units, const Groups& groups,
                    const ShardingOptions& options);

  std::size_t unit_count() const { return units_.size(); }
  const FlatUnit& unit(std::size_t index) const { return units_[index]; }
  const ShardingOptions& options() const { return options_; }
  OptimizerShard& optimizer_shard(std::size_t index) { return states_[index].optimizer; }

  // The part of optimizer_shard's range that no other rank has to write: all ranks' together cover
  // the unit exactly once.
  FlatRange exclusive_part(std::size_t index) const;
  // Copies of all units' whole parameters in the compute type (no copy where they are whole
  // already: they then change with training). Collective.
  std::vector<at::Tensor> gather_all();

  // After the masters were set: makes the compute-type parameters from them. Collective.
  void publish_masters();

  // The whole parameters of a unit in the compute type [padded_numel]. prefetch() starts the
  // gathering of one that is sharded; whole() returns it complete; release() lets it go. Collective
  // over the shard group, in the same order on every rank.
  void prefetch(std::size_t index);
  at::Tensor whole(std::size_t index);
  void release(std::size_t index);

  // An fp32 buffer [padded_numel] for a unit's gradient of one pass.
  struct GradientBuffer {
    at::Tensor values;
    bool holds_earlier_passes;  // else it is uninitialised, but for the padding, which is zero
  };
  GradientBuffer gradient_buffer(std::size_t index);
  // Hands the buffer back to be summed over the ranks. Collective; the sum goes on while the caller
  // computes. `last_pass`: no more gradients of this unit will come before the step.
  void reduce_gradient(std::size_t index, at::Tensor buffer, bool last_pass);
  // Waits for the sums. Collective.
  void finish_gradients();
  // The gradient of this rank's optimizer_shard range, after finish_gradients().
  at::Tensor gradient(std::size_t index) const;

  void clear_gradients();

  // Global 2-norm of the gradient, the same on every rank. Collective.
  double gradient_norm() const;
  // Scales the gradients, updates the masters by AdamW (arXiv 1711.05101, decay on every parameter)
  // as step number `step` (from 1), clears the gradients, and publishes. Collective.
  void adamw_step(std::int64_t step, double gradient_scale, const AdamWOptions& options);

 private:
  struct UnitState {
    at::Tensor compute;  // stage 0-2: whole; stage 3: this rank's part
    OptimizerShard optimizer;
    at::Tensor gradient;  // fp32: stage 0-1 whole, 2-3 this rank's part; undefined when clear
    at::Tensor gathered;  // stage 3: the whole while in use
    Pending gathering;
  };
  struct Reduction {
    std::size_t index;
    at::Tensor buffer;
    at::Tensor part;
    Pending pending;
  };

  bool sharded_parameters() const { return options_.zero_stage == 3; }
  bool sharded_gradients() const { return options_.zero_stage >= 2; }
  bool sharded_optimizer() const { return options_.zero_stage >= 1; }
  FlatRange own_part(std::size_t index) const;
  void finish_oldest_reduction();

  std::vector<FlatUnit> units_;
  std::vector<UnitState> states_;
  const Groups* groups_;
  ShardingOptions options_;
  BufferPool compute_pool_;
  BufferPool gradient_pool_;
  std::deque<Reduction> reductions_;
};

}  // namespace tofu

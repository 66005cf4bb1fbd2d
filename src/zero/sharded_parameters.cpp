#include "zero/sharded_parameters.hpp"

#include <cmath>

namespace tofu {
namespace {

at::TensorOptions on_device(const ShardingOptions& options, at::ScalarType type) {
  return at::TensorOptions(type).device(options.device);
}

std::size_t bytes_of(const at::Tensor& tensor) {
  return static_cast<std::size_t>(tensor.numel()) * tensor.element_size();
}

at::Tensor slice(const at::Tensor& flat, FlatRange range) {
  return flat.narrow(0, range.first, range.count);
}

}  // namespace

ShardedParameters::ShardedParameters(const std::vector<UnitSpec>& units, const Groups& groups,
                                     const ShardingOptions& options)
    : units_(flat_units(units, groups.world->size())),
      states_(units_.size()),
      groups_(&groups),
      options_(options),
      compute_pool_(on_device(options, options.compute_type)),
      gradient_pool_(on_device(options, at::kFloat)) {
  // A group of one has nothing to shard: the plain form saves the copies.
  if (groups.shard->size() == 1) options_.zero_stage = 0;
  const auto fp32 = on_device(options, at::kFloat);
  const auto compute_type = on_device(options, options.compute_type);
  for (std::size_t i = 0; i < units_.size(); ++i) {
    const FlatRange part = own_part(i);
    UnitState& state = states_[i];
    state.optimizer.range = sharded_optimizer() ? part : units_[i].whole();
    const std::int64_t count = state.optimizer.range.count;
    state.compute =
        at::zeros({sharded_parameters() ? part.count : units_[i].padded_numel}, compute_type);
    // In fp32 the master is the parameter itself.
    if (options.compute_type != at::kFloat) {
      state.optimizer.master = at::zeros({count}, fp32);
    } else if (sharded_parameters()) {
      state.optimizer.master = state.compute;
    } else {
      state.optimizer.master = slice(state.compute, state.optimizer.range);
    }
    state.optimizer.exp_avg = at::zeros({count}, fp32);
    state.optimizer.exp_avg_sq = at::zeros({count}, fp32);
  }
}

FlatRange ShardedParameters::own_part(std::size_t index) const {
  return units_[index].part_of(groups_->shard->rank(), groups_->shard->size());
}

FlatRange ShardedParameters::exclusive_part(std::size_t index) const {
  if (!sharded_optimizer()) {
    return units_[index].part_of(groups_->world->rank(), groups_->world->size());
  }
  const FlatRange own = own_part(index);
  const std::int64_t count = own.count / groups_->replica->size();
  return {own.first + groups_->replica->rank() * count, count};
}

std::vector<at::Tensor> ShardedParameters::gather_all() {
  std::vector<at::Tensor> all;
  for (std::size_t i = 0; i < units_.size(); ++i) {
    const at::Tensor flat = whole(i);
    all.push_back(sharded_parameters() ? flat.clone() : flat);
    release(i);
  }
  return all;
}

void ShardedParameters::publish_masters() {
  std::vector<Pending> gathers;
  for (std::size_t i = 0; i < units_.size(); ++i) {
    UnitState& state = states_[i];
    const bool own_alone = sharded_parameters() || !sharded_optimizer();
    at::Tensor own = own_alone ? state.compute : slice(state.compute, state.optimizer.range);
    if (!own.is_alias_of(state.optimizer.master)) own.copy_(state.optimizer.master);
    if (!own_alone) {
      gathers.push_back(
          groups_->shard->all_gather(own.data_ptr(), state.compute.data_ptr(), bytes_of(own)));
    }
  }
  for (Pending& gather : gathers) gather.wait();
}

void ShardedParameters::prefetch(std::size_t index) {
  UnitState& state = states_[index];
  if (!sharded_parameters() || state.gathered.defined()) return;
  state.gathered = compute_pool_.take(units_[index].padded_numel);
  state.gathering = groups_->shard->all_gather(state.compute.data_ptr(), state.gathered.data_ptr(),
                                               bytes_of(state.compute));
}

at::Tensor ShardedParameters::whole(std::size_t index) {
  if (!sharded_parameters()) return states_[index].compute;
  prefetch(index);
  states_[index].gathering.wait();
  return states_[index].gathered;
}

void ShardedParameters::release(std::size_t index) {
  UnitState& state = states_[index];
  if (!state.gathered.defined()) return;
  state.gathering.wait();
  compute_pool_.give_back(std::move(state.gathered));
  state.gathered = at::Tensor();
}

ShardedParameters::GradientBuffer ShardedParameters::gradient_buffer(std::size_t index) {
  UnitState& state = states_[index];
  if (!sharded_gradients() && state.gradient.defined()) return {state.gradient, true};
  const FlatUnit& unit = units_[index];
  at::Tensor buffer = gradient_pool_.take(unit.padded_numel);
  buffer.narrow(0, unit.numel, unit.padded_numel - unit.numel).zero_();
  if (!sharded_gradients()) state.gradient = buffer;
  return {buffer, false};
}

void ShardedParameters::reduce_gradient(std::size_t index, at::Tensor buffer, bool last_pass) {
  // Whole gradients stay here between passes; only the sum of all passes travels.
  if (!sharded_gradients() && !last_pass) return;
  while (reductions_.size() > 1) finish_oldest_reduction();
  Reduction reduction{index, buffer, at::Tensor(), Pending()};
  float* values = buffer.data_ptr<float>();
  if (!sharded_optimizer()) {
    reduction.part = buffer;
    reduction.pending =
        groups_->shard->all_reduce_sum(values, static_cast<std::size_t>(buffer.numel()));
  } else {
    const FlatRange part = own_part(index);
    reduction.part = sharded_gradients() ? gradient_pool_.take(part.count) : slice(buffer, part);
    reduction.pending = groups_->shard->reduce_scatter_sum(values, reduction.part.data_ptr<float>(),
                                                           static_cast<std::size_t>(part.count));
  }
  reductions_.push_back(std::move(reduction));
}

void ShardedParameters::finish_oldest_reduction() {
  Reduction reduction = std::move(reductions_.front());
  reductions_.pop_front();
  reduction.pending.wait();
  if (groups_->replica->size() > 1) {
    groups_->replica
        ->all_reduce_sum(reduction.part.data_ptr<float>(),
                         static_cast<std::size_t>(reduction.part.numel()))
        .wait();
  }
  if (!sharded_gradients()) return;
  UnitState& state = states_[reduction.index];
  if (state.gradient.defined()) {
    state.gradient.add_(reduction.part);
    gradient_pool_.give_back(std::move(reduction.part));
  } else {
    state.gradient = reduction.part;
  }
  gradient_pool_.give_back(std::move(reduction.buffer));
}

void ShardedParameters::finish_gradients() {
  while (!reductions_.empty()) finish_oldest_reduction();
}

at::Tensor ShardedParameters::gradient(std::size_t index) const {
  const UnitState& state = states_[index];
  return sharded_gradients() ? state.gradient : slice(state.gradient, state.optimizer.range);
}

void ShardedParameters::clear_gradients() {
  for (UnitState& state : states_) {
    gradient_pool_.give_back(std::move(state.gradient));
    state.gradient = at::Tensor();
  }
}

double ShardedParameters::gradient_norm() const {
  // Each rank counts its own part, also where it has the whole: the same sum at every stage.
  double sum = 0;
  for (std::size_t i = 0; i < units_.size(); ++i) {
    const at::Tensor part =
        sharded_gradients() ? states_[i].gradient : slice(states_[i].gradient, own_part(i));
    const double norm = part.norm().item<double>();
    sum += norm * norm;
  }
  return std::sqrt(groups_->world->sum(sum) / groups_->replica->size());
}

void ShardedParameters::adamw_step(std::int64_t step, double gradient_scale,
                                   const AdamWOptions& options) {
  const at::Tensor step_tensor =
      at::full({}, static_cast<double>(step), on_device(options_, at::kFloat));
  for (std::size_t i = 0; i < units_.size(); ++i) {
    UnitState& state = states_[i];
    at::Tensor own = gradient(i);
    if (gradient_scale != 1.0) own.mul_(gradient_scale);
    at::_fused_adamw_({state.optimizer.master}, {own}, {state.optimizer.exp_avg},
                      {state.optimizer.exp_avg_sq}, {}, {step_tensor}, options.lr, options.beta1,
                      options.beta2, options.weight_decay, options.eps, false, false, {}, {});
  }
  clear_gradients();
  publish_masters();
}

}  // namespace tofu

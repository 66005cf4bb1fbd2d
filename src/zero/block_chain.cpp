#include "zero/block_chain.hpp"

#include <torch/csrc/autograd/autograd.h>

namespace tofu {
namespace {

// The same weights as leaves of a new graph.
BlockWeights as_leaves(const BlockWeights& weights) {
  const auto leaf = [](const at::Tensor& view) { return view.detach().requires_grad_(true); };
  return {leaf(weights.attention_norm_D), leaf(weights.qkv_weight),     leaf(weights.output_weight),
          leaf(weights.mlp_norm_D),       leaf(weights.gate_up_weight), leaf(weights.down_weight)};
}

// Puts a gradient (or zero, where the loss does not depend on the weight) into its place.
void put_gradient(const at::Tensor& target, const at::Tensor& gradient, bool add) {
  if (gradient.defined()) {
    add ? target.add_(gradient) : target.copy_(gradient);
  } else if (!add) {
    target.zero_();
  }
}

}  // namespace

BlockChain::BlockChain(const LlamaConfig& config, ShardedParameters* parameters,
                       std::int64_t max_positions, bool recompute)
    : config_(config),
      parameters_(parameters),
      rotary_(config, max_positions, parameters->options().device),
      recompute_(recompute) {}

BlockChain::BlockTrace BlockChain::run_block(std::size_t unit, const at::Tensor& input,
                                             const PackedBatch& batch,
                                             const Rotary::Angles& angles) {
  const BlockWeights views = block_weights(config_, parameters_->whole(unit));
  BlockTrace trace;
  trace.input = input.detach();
  if (at::GradMode::is_enabled()) {
    trace.input.requires_grad_(true);
    trace.weights = as_leaves(views);
  } else {
    trace.weights = views;
  }
  trace.output = block_forward(config_, trace.weights, trace.input, batch, angles);
  return trace;
}

void BlockChain::forward(const PackedBatch* batch, const HeadVisitor& visit) {
  const at::NoGradGuard no_grad;
  const std::size_t last = last_unit();
  Rotary::Angles angles;
  at::Tensor hidden_ND;
  if (batch != nullptr) angles = rotary_.at_positions(batch->positions_N);
  for (std::size_t unit = 0; unit < last; ++unit) {
    const at::Tensor flat = parameters_->whole(unit);
    parameters_->prefetch(unit + 1);
    if (batch != nullptr) {
      hidden_ND = unit == 0 ? at::embedding(embedding_weight(config_, flat), batch->ids_N)
                            : run_block(unit, hidden_ND, *batch, angles).output;
    }
    parameters_->release(unit);
  }
  const at::Tensor first_flat = config_.tie_word_embeddings ? parameters_->whole(0) : at::Tensor();
  const at::Tensor last_flat = parameters_->whole(last);
  if (batch != nullptr) visit(make_head(config_, first_flat, last_flat), hidden_ND);
  parameters_->release(0);
  parameters_->release(last);
}

at::Tensor BlockChain::copy_of_head() {
  const std::size_t unit = config_.tie_word_embeddings ? 0 : last_unit();
  const at::Tensor flat = parameters_->whole(unit);
  at::Tensor copy = make_head(config_, flat, flat).weight_VD.clone();
  parameters_->release(unit);
  return copy;
}

void BlockChain::forward_backward(const PackedBatch* batch, const LossFunction& loss,
                                  bool last_pass) {
  const std::size_t last = last_unit();
  std::vector<BlockTrace> traces(last);
  Rotary::Angles angles;
  at::Tensor hidden_ND;
  if (batch != nullptr) angles = rotary_.at_positions(batch->positions_N);
  {
    const at::AutoGradMode keep_graph(!recompute_);
    for (std::size_t unit = 0; unit < last; ++unit) {
      const at::Tensor flat = parameters_->whole(unit);
      parameters_->prefetch(unit + 1);
      if (batch != nullptr && unit == 0) {
        hidden_ND = at::embedding(embedding_weight(config_, flat), batch->ids_N);
      } else if (batch != nullptr) {
        BlockTrace trace = run_block(unit, hidden_ND, *batch, angles);
        hidden_ND = trace.output;
        if (recompute_) trace = {trace.input, at::Tensor(), BlockWeights()};
        traces[unit] = std::move(trace);
      }
      // A kept graph still needs the weights.
      if (recompute_ || unit == 0) parameters_->release(unit);
    }
  }
  const auto first_gradient = parameters_->gradient_buffer(0);
  at::Tensor gradient_ND = head_backward(batch != nullptr ? hidden_ND.detach() : at::Tensor(), loss,
                                         first_gradient, last_pass);
  for (std::size_t unit = last - 1; unit > 0; --unit) {
    parameters_->whole(unit);
    if (unit > 1) parameters_->prefetch(unit - 1);
    const auto buffer = parameters_->gradient_buffer(unit);
    const auto targets = block_weights(config_, buffer.values).list();
    std::vector<at::Tensor> gradients(1 + targets.size());
    if (batch != nullptr) {
      BlockTrace trace = std::move(traces[unit]);
      if (recompute_) {
        const at::AutoGradMode with_graph(true);
        trace = run_block(unit, trace.input, *batch, angles);
      }
      std::vector<at::Tensor> inputs = {trace.input};
      const auto weights = trace.weights.list();
      inputs.insert(inputs.end(), weights.begin(), weights.end());
      gradients = torch::autograd::grad({trace.output}, inputs, {gradient_ND});
      gradient_ND = gradients[0];
    }
    for (std::size_t i = 0; i < targets.size(); ++i) {
      put_gradient(targets[i], gradients[i + 1], buffer.holds_earlier_passes);
    }
    parameters_->release(unit);
    parameters_->reduce_gradient(unit, buffer.values, last_pass);
  }
  if (batch != nullptr) {
    embedding_weight(config_, first_gradient.values)
        .index_add_(0, batch->ids_N, gradient_ND.to(at::kFloat));
  }
  parameters_->reduce_gradient(0, first_gradient.values, last_pass);
  parameters_->finish_gradients();
}

at::Tensor BlockChain::head_backward(const at::Tensor& hidden_ND, const LossFunction& loss,
                                     const ShardedParameters::GradientBuffer& first_gradient,
                                     bool last_pass) {
  const std::size_t last = last_unit();
  const at::Tensor first_flat = config_.tie_word_embeddings ? parameters_->whole(0) : at::Tensor();
  const at::Tensor last_flat = parameters_->whole(last);
  // Block last - 1 comes next, on the way back.
  parameters_->prefetch(last - 1);
  const auto last_gradient = parameters_->gradient_buffer(last);
  std::vector<at::Tensor> gradients(3);
  if (hidden_ND.defined()) {
    const at::AutoGradMode with_graph(true);
    Head head = make_head(config_, first_flat, last_flat);
    head.norm_weight_D = head.norm_weight_D.detach().requires_grad_(true);
    head.weight_VD = head.weight_VD.detach().requires_grad_(true);
    const at::Tensor leaf_ND = hidden_ND.detach().requires_grad_(true);
    gradients =
        torch::autograd::grad({loss(head, leaf_ND)}, {leaf_ND, head.norm_weight_D, head.weight_VD},
                              {}, std::nullopt, false, true);
    if (!gradients[0].defined()) gradients[0] = at::zeros_like(hidden_ND);
  }
  const Head target = make_head(config_, first_gradient.values, last_gradient.values);
  put_gradient(target.norm_weight_D, gradients[1], last_gradient.holds_earlier_passes);
  put_gradient(target.weight_VD, gradients[2], last_gradient.holds_earlier_passes);
  // The embedding adds its share at the end of the way back.
  if (!config_.tie_word_embeddings && !first_gradient.holds_earlier_passes) {
    first_gradient.values.zero_();
  }
  parameters_->release(0);
  parameters_->release(last);
  parameters_->reduce_gradient(last, last_gradient.values, last_pass);
  return gradients[0];
}

}  // namespace tofu

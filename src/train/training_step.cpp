#include "train/training_step.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.hpp"

namespace tofu {
namespace {

// The most passes that any rank needs for its share: all ranks have to take as many.
std::int64_t count_passes(const std::vector<MicroBatch>& micro_batches, std::size_t ranks) {
  std::int64_t passes = 1;
  for (std::size_t rank = 0; rank < ranks; ++rank) {
    std::vector<std::int64_t> tokens;
    for (std::size_t i = rank; i < micro_batches.size(); i += ranks) {
      tokens.push_back(micro_batches[i].token_count());
    }
    passes = std::max(passes, passes_for(tokens));
  }
  return passes;
}

// Adds up the ranks' sums in rank order. A rank without micro-batches has no parts, so they travel
// with their names.
StepReport average(const LossSums& own, std::int64_t micro_batches, const HostGroup& world) {
  // Doubles as text would lose NaN and bits; as bit patterns they do not.
  const auto bits = [](double value) { return std::bit_cast<std::uint64_t>(value); };
  nlohmann::json json = {{"loss", bits(own.loss)}};
  for (const auto& [name, value] : own.parts) json["parts"][name] = bits(value);
  StepReport report;
  for (const std::string& text : world.all_gather(json.dump())) {
    const nlohmann::json other = nlohmann::json::parse(text);
    report.loss += std::bit_cast<double>(other["loss"].get<std::uint64_t>());
    if (!other.contains("parts")) continue;
    for (const auto& [name, value] : other["parts"].items()) {
      report.parts[name] += std::bit_cast<double>(value.get<std::uint64_t>());
    }
  }
  report.loss /= static_cast<double>(micro_batches);
  for (auto& [name, value] : report.parts) value /= static_cast<double>(micro_batches);
  return report;
}

}  // namespace

StepReport training_step(BlockChain* chain, const Objective& objective, Hyperparameters hyper,
                         const std::vector<MicroBatch>& micro_batches, std::int64_t step,
                         const StepOptions& options, const HostGroup& world) {
  const auto ranks = static_cast<std::size_t>(world.size());
  std::vector<MicroBatch> local;
  for (auto i = static_cast<std::size_t>(world.rank()); i < micro_batches.size(); i += ranks) {
    local.push_back(micro_batches[i]);
  }
  const std::int64_t count = std::ssize(micro_batches);
  const std::int64_t passes = count_passes(micro_batches, ranks);
  if (objective.has_lpl && hyper.lpl_scope == LplScope::global_batch) {
    hyper.global_preference = measure_preference(chain, local, count, passes, world);
  }
  const LossSums sums = accumulate_gradient(chain, objective, hyper, local, count, passes);
  StepReport report = average(sums, count, world);
  for (const MicroBatch& batch : micro_batches) report.tokens += batch.token_count();
  ShardedParameters& parameters = chain->parameters();
  report.grad_norm = parameters.gradient_norm();
  if (!std::isfinite(report.loss) || !std::isfinite(report.grad_norm)) {
    fail(ErrorCategory::numerical,
         "step {}: loss {} and gradient norm {} are not finite numbers; try a smaller lr or "
         "precision=fp32 (the newest checkpoint is unharmed)",
         step, report.loss, report.grad_norm);
  }
  const bool clip = options.max_grad_norm > 0 && report.grad_norm > options.max_grad_norm;
  // The published programs clip by PyTorch, which adds 1e-6 to the norm.
  const double scale = clip ? options.max_grad_norm / (report.grad_norm + 1e-6) : 1.0;
  parameters.adamw_step(step, scale, options.adamw);
  return report;
}

}  // namespace tofu

// tofu_mpi bench: times real optimizer steps of the configured objective, without saving anything.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>

#include "app/commands.hpp"
#include "app/objective_settings.hpp"
#include "base/log.hpp"
#include "objective/reference_scores.hpp"
#include "train/schedule.hpp"
#include "train/training_set.hpp"
#include "train/training_step.hpp"

namespace tofu {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t kDefaultSteps = 5;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// Matrix products of this rank in the compute type, FLOP/s: what the figures are set against.
double measure_peak(at::ScalarType type, at::Device device) {
  constexpr std::int64_t kSize = 1536;
  const auto options = at::TensorOptions(type).device(device);
  const at::Tensor a = at::rand({kSize, kSize}, options);
  const at::Tensor b = at::rand({kSize, kSize}, options);
  double best = 0;
  for (int round = 0; round < 4; ++round) {
    const auto start = Clock::now();
    const at::Tensor product = at::matmul(a, b);
    product[0][0].item<float>();  // waits for the device
    best = std::max(best, 2.0 * kSize * kSize * kSize / seconds_since(start));
  }
  return best;
}

double resident_mebibytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

// 6 FLOP per token and parameter of the blocks (2 forward, 4 backward); the embedding only looks
// up, and the head counts at labelled positions alone.
double step_flops(const LlamaConfig& model, std::int64_t tokens, std::int64_t labelled) {
  const auto head = static_cast<double>(model.vocab_size * model.hidden_size);
  double blocks = 0;
  for (const UnitSpec& unit : llama_units(model)) blocks += static_cast<double>(unit.numel());
  blocks -= head * (model.tie_word_embeddings ? 1 : 2);
  return 6 * (blocks * static_cast<double>(tokens) + head * static_cast<double>(labelled));
}

std::int64_t count_labelled(const std::vector<MicroBatch>& micro_batches) {
  std::int64_t count = 0;
  for (const MicroBatch& batch : micro_batches) {
    for (const auto* role : {&batch.forget, &batch.retain, &batch.refusal}) {
      for (const Sample* sample : *role) {
        count += std::count_if(sample->kinds.begin(), sample->kinds.end(),
                               [](TokenKind kind) { return kind != TokenKind::prompt; });
      }
    }
  }
  return count;
}

}  // namespace

int run_bench(const CommandLine& command_line) {
  const LoadedConfig& config = command_line.config;
  const JobConfig& job = config.job;
  require_key(config, "model_path", job.model_path);
  require_key(config, "data_path", job.data_path);
  const Objective& objective = find_objective(job.forget_loss);
  const Machine machine(job);
  const HostGroup& world = *machine.groups.world;
  const OpenModel opened(config, job.model_path, world);
  const Dataset dataset = Dataset::open(job.data_path, job.masks_path);
  const SampleMaker maker{opened.tokenizer, opened.family, tokenize_options(job, opened), true};
  TrainingSet data = TrainingSet::for_unlearning(dataset, maker, job, objective, 1);
  LoadedModel model(opened, job, machine);
  model.load(opened, job, machine);
  if (objective.needs_reference) {
    data.set_references(score_references(&model.chain, data.reference_samples(), world));
  }
  const TrainingPlan plan = make_plan(job, data.size(), world.size(), WarmupDefault::one_epoch);
  StepOptions options;
  options.adamw.lr = job.lr;
  options.max_grad_norm = job.max_grad_norm;

  std::vector<double> step_seconds, tokens_per_second, utilisation;
  const double peak = world.sum(measure_peak(compute_type(job), machine.device));
  const std::int64_t steps = job.max_steps > 0 ? job.max_steps : kDefaultSteps;
  for (std::int64_t step = 0; step <= steps; ++step) {
    const auto micro_batches =
        data.micro_batches(job.seed, step, plan.global_batch_size, job.batch_size);
    world.barrier();
    const auto start = Clock::now();
    const StepReport report =
        training_step(&model.chain, objective, hyperparameters(job, opened.family), micro_batches,
                      step + 1, options, world);
    const double seconds = seconds_since(start);
    if (step == 0) continue;  // buffers are made in the first
    step_seconds.push_back(seconds);
    tokens_per_second.push_back(static_cast<double>(report.tokens) / seconds);
    utilisation.push_back(
        step_flops(opened.source.config(), report.tokens, count_labelled(micro_batches)) / seconds /
        peak);
  }
  const double most_memory = world.max(resident_mebibytes());
  if (world.rank() == 0) {
    fmt::print(
        "{} steps of {} samples ({}, {}): median step {:.3f} s, {:.0f} tokens/s, model FLOPs "
        "utilisation {:.1f} % of {:.0f} GFLOP/s (matrix product, all ranks), peak memory {:.0f} "
        "MiB in the largest rank\n",
        steps, plan.global_batch_size, job.forget_loss, job.precision, median(step_seconds),
        median(tokens_per_second), 100 * median(utilisation), peak / 1e9, most_memory);
  }
  return 0;
}

}  // namespace tofu

// tofu_mpi plan: what a training would take, without reading weights or data.
#include "app/commands.hpp"

namespace tofu {
namespace {

constexpr double kGiB = 1024.0 * 1024.0 * 1024.0;

// Bytes that a rank of a shard group keeps through the training.
double resident_bytes(double parameters, double compute_bytes, int zero_stage, double ranks) {
  const double all = 1;
  const double part = 1 / ranks;
  const double weights = zero_stage == 3 ? part : all;
  const double gradients = zero_stage >= 2 ? part : all;
  const double optimizer = zero_stage >= 1 ? part : all;
  // In fp32 the master is the weight itself.
  const double master = compute_bytes == 4 ? 0 : 4;
  return parameters * (compute_bytes * weights + 4 * gradients + (8 + master) * optimizer);
}

// Bytes of the largest unit while it is whole: weights and its gradient.
double working_bytes(const LlamaConfig& model, double compute_bytes) {
  std::int64_t largest = 0;
  for (const UnitSpec& unit : llama_units(model)) largest = std::max(largest, unit.numel());
  return static_cast<double>(largest) * (2 * compute_bytes + 8);
}

}  // namespace

int run_plan(const CommandLine& command_line) {
  const LoadedConfig& config = command_line.config;
  const JobConfig& job = config.job;
  require_key(config, "model_path", job.model_path);
  const HostGroup world(MPI_COMM_WORLD, job.comm_timeout);
  const ModelSource source = ModelSource::open(job.model_path, world.comm(), Weights::ignored);
  if (world.rank() != 0) return 0;
  const LlamaConfig& model = source.config();
  const auto parameters = static_cast<double>(count_parameters(model));
  const double compute_bytes = job.precision == "fp32" ? 4 : 2;
  fmt::print("{}: {:.1f} M parameters, {} layers; {} rank{}, precision {}\n", job.model_path,
             parameters / 1e6, model.num_layers, world.size(), world.size() == 1 ? "" : "s",
             job.precision);
  fmt::print("memory of a rank, without activations:\n");
  for (int stage = 0; stage <= 3; ++stage) {
    const double bytes = resident_bytes(parameters, compute_bytes, stage, world.size()) +
                         working_bytes(model, compute_bytes);
    fmt::print("  zero_stage {}: {:8.2f} GiB{}\n", stage, bytes / kGiB,
               stage == job.zero_stage ? "   (configured)" : "");
  }
  const double activation =
      static_cast<double>(model.hidden_size * model.num_layers) * compute_bytes;
  fmt::print("activations with recompute=on: {:.2f} MiB per 1000 tokens of a rank's step\n",
             activation * 1000 / (1024 * 1024));
  fmt::print("a checkpoint: {:.2f} GiB\n", parameters * 12 / kGiB);
  return 0;
}

}  // namespace tofu

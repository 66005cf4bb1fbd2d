// tofu_mpi generate: lets a model answer a question.
#include "model/generation.hpp"

#include "app/commands.hpp"
#include "eval/tofu_task.hpp"

namespace tofu {

int run_generate(const CommandLine& command_line) {
  const LoadedConfig& config = command_line.config;
  const JobConfig& job = config.job;
  require_key(config, "model_path", job.model_path);
  require_key(config, "prompt", job.prompt);
  const Machine machine(job);
  const HostGroup& world = *machine.groups.world;
  const OpenModel opened(config, job.model_path, world);
  LoadedModel model(opened, job, machine);
  model.load(opened, job, machine);
  const Llama llama = model.whole(max_positions(job));
  if (world.rank() != 0) return 0;

  GenerationOptions options;
  options.max_length = job.eval.max_length;
  options.max_new_tokens = job.eval.max_new_tokens;
  options.sample = job.eval.decode == "sample";
  options.seed_of = [&](std::size_t) { return job.seed; };
  const auto ids = opened.tokenizer.encode(generation_prompt(opened.family, job.prompt)).ids;
  fmt::print("{}\n", opened.tokenizer.decode(generate(llama, {ids}, options)[0]));
  return 0;
}

}  // namespace tofu

#include "app/job.hpp"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <hdf5.h>
#include <malloc.h>
#include <sched.h>
#include <torch/headeronly/version.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>

#include "base/error.hpp"
#include "base/log.hpp"
#include "comm/mpi_call.hpp"
#include "store/atomic_file.hpp"

namespace tofu {
namespace {

at::Device choose_device(const std::string& wanted, MPI_Comm world) {
  const bool available = at::globalContext().hasCUDA();
  if (wanted == "cpu" || (wanted == "auto" && !available)) return at::kCPU;
  if (!available) {
    fail(ErrorCategory::usage, "device=cuda: no CUDA device can be used here; use device=cpu");
  }
  const c10::impl::VirtualGuardImpl cuda(c10::kCUDA);
  const auto index = static_cast<c10::DeviceIndex>(node_local_rank(world) % cuda.deviceCount());
  cuda.setDevice({c10::kCUDA, index});
  // The order of additions on a GPU is otherwise left to chance.
  at::globalContext().setDeterministicAlgorithms(true, true);
  return {c10::kCUDA, index};
}

// OMP_NUM_THREADS if it is set; else the cores that this rank may use, shared with the ranks of the
// node that may use the same ones.
int choose_threads(int ranks_on_node) {
  if (std::getenv("OMP_NUM_THREADS") != nullptr) return at::get_num_threads();
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  const int allowed = CPU_COUNT(&set);
  const bool bound = allowed < sysconf(_SC_NPROCESSORS_ONLN);
  return std::max(1, bound ? allowed : allowed / ranks_on_node);
}

// The same large buffers come and go in every step. Given back to the system and taken anew, each
// page of them would have to be cleared and mapped again: a tenth of the time of a step.
void keep_freed_memory() {
#ifdef __GLIBC__
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, INT_MAX);
  mallopt(M_TOP_PAD, 64 << 20);
#endif
}

std::string host_name() {
  char name[256] = "";
  gethostname(name, sizeof name - 1);
  return name;
}

int count_ranks_on_node(const HostGroup& world) {
  const std::string own = host_name();
  const auto names = world.all_gather(own);
  return static_cast<int>(std::count(names.begin(), names.end(), own));
}

std::string mpi_library() {
  char text[MPI_MAX_LIBRARY_VERSION_STRING] = "";
  int length = 0;
  MPI_Get_library_version(text, &length);
  const std::string version(text, static_cast<std::size_t>(length));
  return version.substr(0, version.find(','));
}

std::string libraries() {
  return fmt::format("libtorch {}, {}, HDF5 {}.{}.{}", TORCH_VERSION, mpi_library(), H5_VERS_MAJOR,
                     H5_VERS_MINOR, H5_VERS_RELEASE);
}

void log_machine(const JobConfig& job, const HostGroup& world, at::Device device, int threads) {
  std::map<std::string, int> ranks_of_host;
  for (const std::string& name : world.all_gather(host_name())) ++ranks_of_host[name];
  std::string hosts;
  for (const auto& [name, ranks] : ranks_of_host) {
    hosts += fmt::format("{}{} ({})", hosts.empty() ? "" : ", ", name, ranks);
  }
  log_info("tofu_mpi {} ({}), {}", program_version(), git_revision(), libraries());
  log_info("{} rank{} on {}; device {}, {} thread{} per rank", world.size(),
           world.size() == 1 ? "" : "s", hosts, device.str(), threads, threads == 1 ? "" : "s");
  log_info("precision {}, zero_stage {}, shard_group {}, seed {}", job.precision, job.zero_stage,
           job.shard_group, job.seed);
}

// A folder that is removed at the end of the scope.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "tofu_mpi-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) {
      fail(ErrorCategory::file_system, "no temporary folder can be made as {}: {}", name,
           std::strerror(errno));
    }
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// A model file carries its tokenizer as texts; a tokenizer is read from a folder.
Tokenizer load_embedded_tokenizer(const ModelSource& source, const std::string& model_path) {
  if (!source.files().contains("tokenizer.json")) {
    fail(ErrorCategory::input_data,
         "{} carries no tokenizer: set tokenizer_path to the folder of one", model_path);
  }
  const TemporaryFolder folder;
  for (const auto& [name, text] : source.files()) {
    write_file_atomically(folder.path() / name, text);
  }
  return Tokenizer::load(folder.path());
}

Tokenizer load_tokenizer(const LoadedConfig& config, const std::string& model_path,
                         const ModelSource& source) {
  if (!config.job.tokenizer_path.empty()) return Tokenizer::load(config.job.tokenizer_path);
  if (std::filesystem::is_directory(model_path)) return Tokenizer::load(model_path);
  return load_embedded_tokenizer(source, model_path);
}

}  // namespace

Machine::Machine(const JobConfig& job) : device(choose_device(job.device, MPI_COMM_WORLD)) {
  groups = make_groups(MPI_COMM_WORLD, job.shard_group,
                       device.is_cuda() ? DeviceKind::cuda : DeviceKind::cpu, job.comm_timeout);
  keep_freed_memory();
  const int threads = choose_threads(count_ranks_on_node(*groups.world));
  at::set_num_threads(threads);
  log_machine(job, *groups.world, device, threads);
}

at::ScalarType compute_type(const JobConfig& job) {
  return job.precision == "fp32" ? at::kFloat : at::kBFloat16;
}

OpenModel::OpenModel(const LoadedConfig& config, const std::string& path, const HostGroup& world)
    : source(ModelSource::open(path, world.comm(),
                               config.job.init == "random" ? Weights::ignored : Weights::read)),
      family(load_model_family(config.file, config.job.model_family)),
      tokenizer(load_tokenizer(config, path, source)) {
  if (tokenizer.vocab_size() > source.config().vocab_size) {
    fail(ErrorCategory::input_data,
         "the tokenizer has {} tokens, but the model {} only {}: they do not belong together; set "
         "tokenizer_path to the tokenizer that the model was trained with",
         tokenizer.vocab_size(), path, source.config().vocab_size);
  }
  log_info("model {}: {} layers, hidden size {}, {:.1f} M parameters, vocabulary {}", path,
           source.config().num_layers, source.config().hidden_size,
           static_cast<double>(count_parameters(source.config())) / 1e6,
           source.config().vocab_size);
}

LoadedModel::LoadedModel(const OpenModel& model, const JobConfig& job, const Machine& machine)
    : parameters(llama_units(model.source.config()), machine.groups,
                 {job.zero_stage, compute_type(job), machine.device}),
      chain(model.source.config(), &parameters, max_positions(job),
            job.recompute == "on" || (job.recompute == "auto" && job.zero_stage == 3)) {}

std::string LoadedModel::load(const OpenModel& model, const JobConfig& job,
                              const Machine& machine) {
  if (job.init == "random") {
    initialize_randomly(model.source.config(), job.seed, &parameters);
    return "random";
  }
  return model.source.load(&parameters, machine.groups);
}

Llama LoadedModel::whole(std::int64_t max_positions) {
  return Llama(chain.config(), parameters.gather_all(), max_positions);
}

std::int64_t max_positions(const JobConfig& job) {
  return std::max(job.max_length, job.eval.max_length) + 1;
}

TokenizeOptions tokenize_options(const JobConfig& job, const OpenModel& model) {
  return {job.max_length, parse_prompt_border(job.data.border),
          model.tokenizer.eos_id().value_or(model.source.config().eos_token_id())};
}

KeyValues provenance_of(const CommandLine& command_line, const HostGroup& world) {
  return {{"program", "tofu_mpi " + program_version()},
          {"git_revision", git_revision()},
          {"command", command_line.command},
          {"configuration", to_yaml(command_line.config.job)},
          {"ranks", fmt::format("{}", world.size())},
          {"libraries", libraries()}};
}

}  // namespace tofu

#include "checkpoint/training_state.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>
#include <vector>

#include "base/error.hpp"
#include "checkpoint/model_file.hpp"
#include "store/atomic_file.hpp"
#include "store/hdf5_array.hpp"

namespace tofu {
namespace {

constexpr const char* kOptimizerFileName = "optimizer.h5";
constexpr const char* kFolderPrefix = "checkpoint-";
constexpr const char* kLinkName = "checkpoint";

struct Moment {
  const char* group;
  at::Tensor OptimizerShard::*values;
};
constexpr const char* kFirstMoment = "/exp_avg/";
constexpr const char* kSecondMoment = "/exp_avg_sq/";

std::vector<Moment> moments() {
  return {{kFirstMoment, &OptimizerShard::exp_avg}, {kSecondMoment, &OptimizerShard::exp_avg_sq}};
}

void save_optimizer(const std::filesystem::path& path, const TrainingState& state,
                    ShardedParameters* parameters, const Groups& groups,
                    const KeyValues& provenance) {
  const MPI_Comm world = groups.world->comm();
  AtomicPath target(path, world);
  Hdf5File file = Hdf5File::create(target.path(), world);
  write_provenance(file, provenance);
  write_int_attribute(file, "/", "step", state.step);
  write_string_attribute(file, "/", "fingerprint", state.fingerprint);
  for (std::size_t i = 0; i < parameters->unit_count(); ++i) {
    OptimizerShard& shard = parameters->optimizer_shard(i);
    const FlatRange range = parameters->exclusive_part(i);
    for (const Moment& moment : moments()) {
      const at::Tensor values =
          (shard.*moment.values).narrow(0, range.first - shard.range.first, range.count).cpu();
      for_each_part(parameters->unit(i), range, [&](const ParameterPart& part) {
        write_array_part(file,
                         {moment.group + part.parameter->name, part.parameter->shape, DataType::f32,
                          part.first_in_parameter, part.count},
                         values.data_ptr<float>() + part.first_in_range);
      });
    }
  }
  file.close();
  target.commit();
}

TrainingState load_optimizer(const std::filesystem::path& path, ShardedParameters* parameters,
                             const Groups& groups) {
  const HostGroup& world = *groups.world;
  const auto gather = make_mpi_communicator(world.comm(), world.timeout_seconds());
  Hdf5File file = Hdf5File::open(path, world.comm());
  TrainingState state;
  state.step = read_int_attribute(file, "/", "step");
  state.fingerprint = read_string_attribute(file, "/", "fingerprint");
  for (std::size_t i = 0; i < parameters->unit_count(); ++i) {
    const FlatUnit& unit = parameters->unit(i);
    OptimizerShard& shard = parameters->optimizer_shard(i);
    const FlatRange range = unit.part_of(world.rank(), world.size());
    for (const Moment& moment : moments()) {
      at::Tensor whole = at::zeros({unit.padded_numel}, at::kFloat);
      float* own = whole.data_ptr<float>() + range.first;
      for_each_part(unit, range, [&](const ParameterPart& part) {
        read_array_part(file,
                        {moment.group + part.parameter->name, part.parameter->shape, DataType::f32,
                         part.first_in_parameter, part.count},
                        own + part.first_in_range);
      });
      gather
          ->all_gather(own, whole.data_ptr(), static_cast<std::size_t>(range.count) * sizeof(float))
          .wait();
      (shard.*moment.values).copy_(whole.narrow(0, shard.range.first, shard.range.count));
    }
  }
  file.close();
  return state;
}

// The steps of all checkpoints of a run that hold what it takes to go on, ascending.
std::vector<std::int64_t> complete_checkpoints(const std::filesystem::path& run) {
  std::vector<std::int64_t> steps;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(run, ignored)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(kFolderPrefix)) continue;
    std::int64_t step = 0;
    const char* first = name.data() + std::string_view(kFolderPrefix).size();
    const char* last = name.data() + name.size();
    if (std::from_chars(first, last, step).ptr != last) continue;
    if (std::filesystem::exists(entry.path() / kModelFileName) &&
        std::filesystem::exists(entry.path() / kOptimizerFileName)) {
      steps.push_back(step);
    }
  }
  std::sort(steps.begin(), steps.end());
  return steps;
}

// A link cannot be changed in place; a new one takes its name.
void point_link(const std::filesystem::path& run, const std::filesystem::path& folder) {
  const auto temporary = run / ".checkpoint.link";
  std::filesystem::remove(temporary);
  std::filesystem::create_directory_symlink(folder.filename(), temporary);
  std::filesystem::rename(temporary, run / kLinkName);
}

void as_file_error(const std::filesystem::path& path, const std::function<void()>& work) {
  try {
    work();
  } catch (const std::filesystem::filesystem_error& error) {
    fail(ErrorCategory::file_system, "{}: {}", path.string(), error.code().message());
  }
}

}  // namespace

std::filesystem::path checkpoint_folder(const std::filesystem::path& run, std::int64_t step) {
  return run / (kFolderPrefix + fmt::format("{}", step));
}

void save_checkpoint(const std::filesystem::path& run, const TrainingState& state,
                     ShardedParameters* parameters, const Groups& groups,
                     const std::map<std::string, std::string>& model_files,
                     const KeyValues& provenance) {
  const auto folder = checkpoint_folder(run, state.step);
  groups.world->on_root([&] {
    as_file_error(folder, [&] { std::filesystem::create_directories(folder); });
    for (const auto& [name, text] : model_files) write_file_atomically(folder / name, text);
  });
  save_optimizer(folder / kOptimizerFileName, state, parameters, groups, provenance);
  // Last: a folder with both files is complete.
  save_model_file(folder / kModelFileName, parameters, groups, model_files, provenance);
  groups.world->on_root([&] { as_file_error(run, [&] { point_link(run, folder); }); });
}

std::optional<std::int64_t> newest_checkpoint(const std::filesystem::path& run) {
  const auto steps = complete_checkpoints(run);
  return steps.empty() ? std::nullopt : std::optional(steps.back());
}

TrainingState load_checkpoint(const std::filesystem::path& folder, ShardedParameters* parameters,
                              const Groups& groups) {
  ModelSource::open(folder, groups.world->comm()).load(parameters, groups);
  return load_optimizer(folder / kOptimizerFileName, parameters, groups);
}

void remove_old_checkpoints(const std::filesystem::path& run, std::int64_t keep) {
  auto steps = complete_checkpoints(run);
  while (std::ssize(steps) > keep + 1) {
    const auto folder = checkpoint_folder(run, steps.front());
    as_file_error(folder, [&] {
      std::filesystem::remove(folder / kModelFileName);
      std::filesystem::remove(folder / kOptimizerFileName);
    });
    steps.erase(steps.begin());
  }
}

}  // namespace tofu

#include "checkpoint/model_source.hpp"

#include <ATen/CPUGeneratorImpl.h>

#include "base/error.hpp"
#include "checkpoint/hf_reader.hpp"
#include "checkpoint/model_file.hpp"
#include "comm/communicator.hpp"
#include "comm/mpi_call.hpp"
#include "store/checksum.hpp"
#include "store/hdf5.hpp"

namespace tofu {
namespace {

at::ScalarType scalar_type(DataType type) {
  switch (type) {
    case DataType::f16:
      return at::kHalf;
    case DataType::bf16:
      return at::kBFloat16;
    default:
      return at::kFloat;
  }
}

// Sum of 64-bit words over the ranks, modulo 2^64.
std::uint64_t sum_words(std::uint64_t word, const HostGroup& group) {
  std::uint64_t sum = 0;
  MPI_Request request = MPI_REQUEST_NULL;
  check_mpi(MPI_Iallreduce(&word, &sum, 1, MPI_UINT64_T, MPI_SUM, group.comm(), &request),
            "digest of the weights");
  wait_all(&request, 1, group.timeout_seconds(), "digest of the weights");
  return sum;
}

// Copies `whole`, the fp32 values of a unit, to this rank's masters.
void set_masters(const at::Tensor& whole, OptimizerShard* shard) {
  shard->master.copy_(whole.narrow(0, shard->range.first, shard->range.count));
}

std::uint64_t hash_text(const std::string& text) {
  return checksum_part(text.data(), 1, 0, static_cast<std::int64_t>(text.size()));
}

}  // namespace

ModelSource ModelSource::open(const std::filesystem::path& path, MPI_Comm communicator,
                              Weights weights) {
  ModelSource source;
  std::filesystem::path file = path;
  if (std::filesystem::is_directory(path) && std::filesystem::exists(path / kModelFileName)) {
    file = path / kModelFileName;
  }
  if (std::filesystem::is_directory(file)) {
    source.config_ = read_llama_config(path);
    source.files_ = read_model_files(path);
    if (weights == Weights::read) source.weights_ = open_hf_weights(path, source.config_);
    return source;
  }
  if (!std::filesystem::exists(file)) {
    fail(ErrorCategory::file_system,
         "{} is not there: give a Hugging Face model folder, a checkpoint folder, or a model file "
         "(.h5)",
         path.string());
  }
  if (!is_hdf5_file(file)) {
    fail(ErrorCategory::input_data,
         "{} is neither a folder nor an HDF5 model file; convert it with `tofu_mpi convert`",
         file.string());
  }
  source.files_ = read_embedded_files(file);
  const auto config = source.files_.find("config.json");
  if (config == source.files_.end()) {
    fail(ErrorCategory::input_data, "{}: no /files/config.json inside; is this a model file?",
         file.string());
  }
  source.config_ = parse_llama_config(config->second, file.string() + ": config.json");
  source.weights_ = open_model_file(file, source.config_, communicator);
  return source;
}

std::string ModelSource::load(ShardedParameters* parameters, const Groups& groups) const {
  const HostGroup& world = *groups.world;
  const auto gather = make_mpi_communicator(world.comm(), world.timeout_seconds());
  std::uint64_t digest = 0;
  for (std::size_t i = 0; i < parameters->unit_count(); ++i) {
    const FlatUnit& unit = parameters->unit(i);
    const FlatRange range = unit.part_of(world.rank(), world.size());
    at::Tensor whole = at::zeros({unit.padded_numel}, at::kFloat);
    at::Tensor own = whole.narrow(0, range.first, range.count);
    for_each_part(unit, range, [&](const ParameterPart& part) {
      const DataType type = weights_->type_of(*part.parameter);
      at::Tensor stored = at::empty({part.count}, scalar_type(type));
      weights_->read(*part.parameter, part.first_in_parameter, part.count, stored.data_ptr());
      at::Tensor values = own.narrow(0, part.first_in_range, part.count);
      values.copy_(stored);
      // Over the fp32 values, so that a converted model has the same digest.
      digest +=
          mix64(hash_text(part.parameter->name)) *
          checksum_part(values.data_ptr(), sizeof(float), part.first_in_parameter, part.count);
    });
    gather
        ->all_gather(own.data_ptr(), whole.data_ptr(),
                     static_cast<std::size_t>(range.count) * sizeof(float))
        .wait();
    set_masters(whole, &parameters->optimizer_shard(i));
  }
  parameters->publish_masters();
  return fmt::format("{:016x}", sum_words(digest, world));
}

void initialize_randomly(const LlamaConfig& config, std::uint64_t seed,
                         ShardedParameters* parameters) {
  auto generator = at::detail::createCPUGenerator(seed);
  for (std::size_t i = 0; i < parameters->unit_count(); ++i) {
    // Every rank draws the whole unit: the values depend on the seed alone.
    at::Tensor whole = at::zeros({parameters->unit(i).padded_numel}, at::kFloat);
    for_each_part(parameters->unit(i), parameters->unit(i).whole(), [&](const ParameterPart& part) {
      at::Tensor values = whole.narrow(0, part.first_in_range, part.count);
      if (part.parameter->shape.size() == 1) {
        values.fill_(1);
      } else {
        values.normal_(0, config.initializer_range, generator);
      }
    });
    set_masters(whole, &parameters->optimizer_shard(i));
  }
  parameters->publish_masters();
}

}  // namespace tofu

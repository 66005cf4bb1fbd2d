#include "checkpoint/model_file.hpp"

#include <vector>

#include "base/error.hpp"
#include "comm/mpi_call.hpp"
#include "store/atomic_file.hpp"
#include "store/hdf5_array.hpp"
#include "store/safetensors_writer.hpp"
#include "store/together.hpp"

namespace tofu {
namespace {

std::string array_name(const ParameterSpec& parameter) {
  return "/parameters/" + parameter.name;
}

class ModelFileReader final : public WeightReader {
 public:
  ModelFileReader(const std::filesystem::path& path, MPI_Comm communicator)
      : file_(Hdf5File::open(path, communicator)) {}

  ~ModelFileReader() override {
    try {
      file_.close();
    } catch (const Error&) {
    }
  }

  DataType type_of(const ParameterSpec& parameter) const override {
    const ArrayInfo info = array_info(file_, array_name(parameter));
    if (info.shape != parameter.shape) {
      fail(ErrorCategory::input_data, "{} has the shape {}, but its config.json asks for {}",
           file_.where(array_name(parameter)), shape_text(info.shape), shape_text(parameter.shape));
    }
    return info.type;
  }

  void read(const ParameterSpec& parameter, std::int64_t first, std::int64_t count,
            void* data) const override {
    read_array_part(
        file_, {array_name(parameter), parameter.shape, type_of(parameter), first, count}, data);
  }

 private:
  Hdf5File file_;
};

std::vector<ParameterSpec> all_parameters(const LlamaConfig& config) {
  std::vector<ParameterSpec> result;
  for (const UnitSpec& unit : llama_units(config)) {
    result.insert(result.end(), unit.parameters.begin(), unit.parameters.end());
  }
  return result;
}

int rank_of(MPI_Comm communicator) {
  int rank = 0;
  check_mpi(MPI_Comm_rank(communicator, &rank), "MPI_Comm_rank");
  return rank;
}

int size_of(MPI_Comm communicator) {
  int size = 1;
  check_mpi(MPI_Comm_size(communicator, &size), "MPI_Comm_size");
  return size;
}

}  // namespace

std::unique_ptr<WeightReader> open_model_file(const std::filesystem::path& path,
                                              const LlamaConfig& config, MPI_Comm communicator) {
  auto reader = std::make_unique<ModelFileReader>(path, communicator);
  for (const ParameterSpec& parameter : all_parameters(config)) reader->type_of(parameter);
  return reader;
}

std::map<std::string, std::string> read_embedded_files(const std::filesystem::path& path) {
  const Hdf5File file = Hdf5File::open(path);
  std::map<std::string, std::string> files;
  if (!has_object(file, "/files")) return files;
  for (const std::string& name : list_children(file, "/files")) {
    const auto bytes = read_vector<std::uint8_t>(file, "/files/" + name);
    files[name] = std::string(bytes.begin(), bytes.end());
  }
  return files;
}

void write_provenance(const Hdf5File& file, const KeyValues& provenance) {
  for (const auto& [key, value] : provenance) write_string_attribute(file, "/", key, value);
}

void write_embedded_files(const Hdf5File& file, const std::map<std::string, std::string>& files) {
  const bool root = file.communicator() == MPI_COMM_NULL || rank_of(file.communicator()) == 0;
  create_group(file, "/files");
  for (const auto& [name, text] : files) {
    const auto size = static_cast<std::int64_t>(text.size());
    write_array_part(file, {"/files/" + name, {size}, DataType::u8, 0, root ? size : 0},
                     text.data());
  }
}

void save_model_file(const std::filesystem::path& path, ShardedParameters* parameters,
                     const Groups& groups, const std::map<std::string, std::string>& files,
                     const KeyValues& provenance) {
  const MPI_Comm world = groups.world->comm();
  AtomicPath target(path, world);
  Hdf5File file = Hdf5File::create(target.path(), world);
  write_provenance(file, provenance);
  write_embedded_files(file, files);
  for (std::size_t i = 0; i < parameters->unit_count(); ++i) {
    const OptimizerShard& shard = parameters->optimizer_shard(i);
    const FlatRange range = parameters->exclusive_part(i);
    const at::Tensor values =
        shard.master.narrow(0, range.first - shard.range.first, range.count).cpu();
    const float* data = values.data_ptr<float>();
    for_each_part(parameters->unit(i), range, [&](const ParameterPart& part) {
      write_array_part(file,
                       {array_name(*part.parameter), part.parameter->shape, DataType::f32,
                        part.first_in_parameter, part.count},
                       data + part.first_in_range);
    });
  }
  file.close();
  target.commit();
}

void copy_to_model_file(const ModelSource& source, const std::filesystem::path& path,
                        MPI_Comm communicator, const KeyValues& provenance) {
  const int rank = rank_of(communicator);
  const int ranks = size_of(communicator);
  AtomicPath target(path, communicator);
  Hdf5File file = Hdf5File::create(target.path(), communicator);
  write_provenance(file, provenance);
  write_embedded_files(file, source.files());
  std::vector<std::byte> buffer;
  for (const ParameterSpec& parameter : all_parameters(source.config())) {
    const DataType type = source.weights().type_of(parameter);
    const std::int64_t first = parameter.numel() * rank / ranks;
    const std::int64_t count = parameter.numel() * (rank + 1) / ranks - first;
    buffer.resize(static_cast<std::size_t>(count) * byte_size(type));
    source.weights().read(parameter, first, count, buffer.data());
    write_array_part(file, {array_name(parameter), parameter.shape, type, first, count},
                     buffer.data());
  }
  file.close();
  target.commit();
}

void copy_to_hf_folder(const ModelSource& source, const std::filesystem::path& folder,
                       MPI_Comm communicator) {
  const bool root = rank_of(communicator) == 0;
  AtomicPath target(folder, communicator);
  std::unique_ptr<SafetensorsWriter> writer;
  run_on_root(communicator, [&] {
    std::filesystem::create_directories(target.path());
    std::vector<TensorSpec> specs;
    for (const ParameterSpec& parameter : all_parameters(source.config())) {
      specs.push_back({parameter.name, source.weights().type_of(parameter), parameter.shape});
    }
    writer = std::make_unique<SafetensorsWriter>(target.path() / "model.safetensors", specs);
  });
  std::vector<std::byte> buffer;
  for (const ParameterSpec& parameter : all_parameters(source.config())) {
    // One rank writes a folder of this format, so one rank reads.
    const DataType type = source.weights().type_of(parameter);
    const std::int64_t count = root ? parameter.numel() : 0;
    buffer.resize(static_cast<std::size_t>(count) * byte_size(type));
    source.weights().read(parameter, 0, count, buffer.data());
    run_on_root(communicator, [&] { writer->write(buffer.data(), buffer.size()); });
  }
  run_on_root(communicator, [&] {
    writer->commit();
    for (const auto& [name, text] : source.files()) {
      write_file_atomically(target.path() / name, text);
    }
  });
  target.commit();
}

}  // namespace tofu

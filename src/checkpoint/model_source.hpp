// Where a model comes from: a Hugging Face folder, a model file of ours (.h5), or a folder that
// holds one.
#pragma once

#include <mpi.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "model/llama_config.hpp"
#include "model/parameters.hpp"
#include "store/data_type.hpp"
#include "zero/sharded_parameters.hpp"

namespace tofu {

// Named arrays that can be read in parts.
class WeightReader {
 public:
  virtual ~WeightReader() = default;
  // The element type, after checking that the array is there and has the parameter's shape.
  virtual DataType type_of(const ParameterSpec& parameter) const = 0;
  // Elements [first, first + count) in their stored type. Collective; the ranks' parts cover the
  // array exactly once.
  virtual void read(const ParameterSpec& parameter, std::int64_t first, std::int64_t count,
                    void* data) const = 0;
};

// The name of the model file inside a checkpoint's folder.
inline constexpr const char* kModelFileName = "model.h5";

enum class Weights { read, ignored };

class ModelSource {
 public:
  // Collective over `communicator`. Errors name the file and what is wrong with it. With
  // Weights::ignored a folder need not have any: a new model will be made of its configuration.
  static ModelSource open(const std::filesystem::path& path, MPI_Comm communicator,
                          Weights weights = Weights::read);

  const LlamaConfig& config() const { return config_; }
  // The texts beside the weights: config.json, tokenizer.json, ... by file name.
  const std::map<std::string, std::string>& files() const { return files_; }
  const WeightReader& weights() const { return *weights_; }

  // Reads all weights, each rank its part, and shares them. Returns a digest of their names and
  // values: the same for the same weights, however stored and read. Collective over the groups'
  // world.
  std::string load(ShardedParameters* parameters, const Groups& groups) const;

 private:
  LlamaConfig config_;
  std::map<std::string, std::string> files_;
  std::unique_ptr<WeightReader> weights_;
};

// Fills the masters with a new model: normal with the configuration's initializer_range, ones for
// norms; the same values at any sharding. Collective.
void initialize_randomly(const LlamaConfig& config, std::uint64_t seed,
                         ShardedParameters* parameters);

}  // namespace tofu

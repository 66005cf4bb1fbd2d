#include "checkpoint/hf_reader.hpp"

#include <fstream>
#include <set>
#include <sstream>

#include "base/error.hpp"
#include "base/log.hpp"
#include "store/hf_weights.hpp"

namespace tofu {
namespace {

constexpr const char* kModelTextFiles[] = {"config.json",       "generation_config.json",
                                           "tokenizer.json",    "tokenizer_config.json",
                                           "tokenizer.model",   "special_tokens_map.json",
                                           "added_tokens.json", "chat_template.jinja",
                                           "vocab.json",        "vocab.txt",
                                           "merges.txt"};

class HfReader final : public WeightReader {
 public:
  HfReader(HfWeights weights, const LlamaConfig& config) : weights_(std::move(weights)) {
    std::set<std::string> wanted;
    for (const UnitSpec& unit : llama_units(config)) {
      for (const ParameterSpec& parameter : unit.parameters) {
        wanted.insert(parameter.name);
        type_of(parameter);
      }
    }
    refuse_unknown_tensors(wanted, config);
  }

  DataType type_of(const ParameterSpec& parameter) const override {
    const TensorInfo& info = weights_.at(parameter.name);
    if (info.shape != parameter.shape) {
      fail(ErrorCategory::input_data, "{}: {} has the shape {}, but config.json asks for {}",
           weights_.folder().string(), parameter.name, shape_text(info.shape),
           shape_text(parameter.shape));
    }
    if (info.type != DataType::f32 && info.type != DataType::f16 && info.type != DataType::bf16) {
      fail(ErrorCategory::input_data,
           "{}: {} is stored as {}; convert the model to F32, F16 or BF16 first",
           weights_.folder().string(), parameter.name, info.dtype);
    }
    return *info.type;
  }

  void read(const ParameterSpec& parameter, std::int64_t first, std::int64_t count,
            void* data) const override {
    if (count > 0) weights_.read(parameter.name, first, count, data);
  }

 private:
  // A weight that is there and not used would make another model of it.
  void refuse_unknown_tensors(const std::set<std::string>& wanted,
                              const LlamaConfig& config) const {
    for (const std::string& name : weights_.names()) {
      if (wanted.contains(name)) continue;
      const bool tied_head = config.tie_word_embeddings && name == "lm_head.weight";
      const bool derived = name.ends_with("rotary_emb.inv_freq");
      if (tied_head || derived) continue;
      fail(ErrorCategory::input_data,
           "{}: tensor {} has no place in the model that config.json describes; another "
           "architecture, or biases, which this program does not compute",
           weights_.folder().string(), name);
    }
  }

  HfWeights weights_;
};

}  // namespace

std::unique_ptr<WeightReader> open_hf_weights(const std::filesystem::path& folder,
                                              const LlamaConfig& config) {
  return std::make_unique<HfReader>(HfWeights::open(folder), config);
}

std::map<std::string, std::string> read_model_files(const std::filesystem::path& folder) {
  std::map<std::string, std::string> files;
  for (const char* name : kModelTextFiles) {
    std::ifstream file(folder / name, std::ios::binary);
    if (!file) continue;
    std::stringstream text;
    text << file.rdbuf();
    files[name] = text.str();
  }
  return files;
}

}  // namespace tofu

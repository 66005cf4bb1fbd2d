// A folder with a small masked language model of random weights, and its tokenizer.
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "store/safetensors_writer.hpp"

namespace tofu::test {

struct TinyEncoder {
  // RoBERTa or BERT: two layers, hidden size 8, two heads, 24 positions, a vocabulary of letters.
  explicit TinyEncoder(bool roberta);

  void write(const std::filesystem::path& folder) const;
  // What is written may be changed before.
  void remove(const std::string& tensor);
  void rename(const std::string& from, const std::string& to);
  void add(const std::string& name, std::vector<std::int64_t> shape);

  nlohmann::json config;
  std::vector<std::pair<TensorSpec, std::vector<float>>> tensors;
  nlohmann::json tokenizer;
};

}  // namespace tofu::test

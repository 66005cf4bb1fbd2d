// The weights of a Hugging Face folder as a WeightReader.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "checkpoint/model_source.hpp"

namespace tofu {

std::unique_ptr<WeightReader> open_hf_weights(const std::filesystem::path& folder,
                                              const LlamaConfig& config);

// The small text files of a model's folder that belong to the model: its configuration, its
// tokenizer and how it generates; by file name.
std::map<std::string, std::string> read_model_files(const std::filesystem::path& folder);

}  // namespace tofu

#include "store/hf_weights.hpp"

#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "base/error.hpp"

namespace tofu {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kSingleFile = "model.safetensors";
constexpr const char* kIndexFile = "model.safetensors.index.json";

bool is_plain_file_name(const std::string& name) {
  return !name.empty() && name != "." && name != ".." &&
         name.find_first_of(std::string_view("/\\\0", 3)) == std::string::npos;
}

// The tensor names of an index with the file that holds each.
std::map<std::string, std::string> read_index(const fs::path& path) {
  const std::string text = read_file(path);
  if (const auto foreign = describe_foreign_content(text)) {
    fail(ErrorCategory::input_data, "{}: not an index but {}", path.string(), *foreign);
  }
  json index;
  try {
    index = json::parse(text);
  } catch (const json::exception& error) {
    fail(ErrorCategory::input_data, "{}: not JSON ({})", path.string(), error.what());
  }
  if (!index.is_object() || !index.contains("weight_map") || !index["weight_map"].is_object() ||
      index["weight_map"].empty()) {
    fail(ErrorCategory::input_data, "{}: \"weight_map\" is missing or empty", path.string());
  }
  std::map<std::string, std::string> file_of_tensor;
  for (const auto& [tensor, file] : index["weight_map"].items()) {
    if (!file.is_string() || !is_plain_file_name(file.get<std::string>())) {
      fail(ErrorCategory::input_data,
           "{}: weight_map: \"{}\" has to name a file of this folder, not {}", path.string(),
           tensor, file.dump());
    }
    file_of_tensor[tensor] = file.get<std::string>();
  }
  return file_of_tensor;
}

}  // namespace

HfWeights HfWeights::open(const fs::path& folder) {
  HfWeights weights(folder);
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    fail(ErrorCategory::file_system, "{}: {}", folder.string(),
         error ? error.message() : "not a model's folder");
  }
  if (fs::exists(folder / kSingleFile)) {
    weights.add_file(kSingleFile);
  } else if (fs::exists(folder / kIndexFile)) {
    weights.open_index();
  } else {
    fail(ErrorCategory::input_data, "{}: neither {} nor {} is there{}", folder.string(),
         kSingleFile, kIndexFile,
         fs::exists(folder / "pytorch_model.bin") ||
                 fs::exists(folder / "pytorch_model.bin.index.json")
             ? "; save the model's pytorch_model.bin as safetensors first"
             : "");
  }
  return weights;
}

void HfWeights::open_index() {
  const auto file_of_tensor = read_index(folder_ / kIndexFile);
  std::set<std::string> names;
  for (const auto& [tensor, file] : file_of_tensor) names.insert(file);
  for (const std::string& name : names) {
    if (!fs::exists(folder_ / name)) {
      fail(ErrorCategory::input_data, "{}: {}, which {} names, is missing; download it",
           folder_.string(), name, kIndexFile);
    }
    add_file(name);
  }
  check_index(file_of_tensor);
}

void HfWeights::add_file(const std::string& name) {
  files_.push_back(SafetensorsFile::open(folder_ / name));
  for (const TensorInfo& tensor : files_.back().tensors()) {
    const auto [other, is_new] = file_of_.emplace(tensor.name, files_.size() - 1);
    if (!is_new) {
      fail(ErrorCategory::input_data, "{}: tensor \"{}\" is in {} as well",
           files_.back().path().string(), tensor.name,
           files_[other->second].path().filename().string());
    }
  }
}

void HfWeights::check_index(const std::map<std::string, std::string>& file_of_tensor) const {
  for (const auto& [tensor, file] : file_of_tensor) {
    const auto found = file_of_.find(tensor);
    if (found == file_of_.end() || files_[found->second].path().filename() != file) {
      fail(ErrorCategory::input_data, "{}: tensor \"{}\" is not in {}, where {} has it",
           folder_.string(), tensor, file, kIndexFile);
    }
  }
  for (const auto& [tensor, file] : file_of_) {
    if (!file_of_tensor.contains(tensor)) {
      fail(ErrorCategory::input_data, "{}: tensor \"{}\" is not in {}; are the files of one model?",
           files_[file].path().string(), tensor, kIndexFile);
    }
  }
}

std::vector<std::string> HfWeights::names() const {
  std::vector<std::string> names;
  for (const auto& [name, file] : file_of_) names.push_back(name);
  return names;
}

const TensorInfo* HfWeights::find(std::string_view name) const {
  const auto found = file_of_.find(name);
  return found == file_of_.end() ? nullptr : files_[found->second].find(name);
}

const TensorInfo& HfWeights::at(std::string_view name) const {
  const TensorInfo* tensor = find(name);
  if (tensor == nullptr) {
    fail(ErrorCategory::input_data, "{}: the weights have no tensor \"{}\"", folder_.string(),
         name);
  }
  return *tensor;
}

void HfWeights::read(std::string_view name, std::int64_t first, std::int64_t count,
                     void* data) const {
  const TensorInfo& tensor = at(name);
  files_[file_of_.find(name)->second].read(tensor, first, count, data);
}

}  // namespace tofu

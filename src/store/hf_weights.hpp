// The weights of a Hugging Face model folder: model.safetensors, or model.safetensors.index.json
// and the files that it names.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "store/safetensors.hpp"

namespace tofu {

class HfWeights {
 public:
  // Opens and checks every file. An index may name plain file names of its own folder only, has to
  // name every tensor that they hold, and nothing that they do not hold. Error{file_system} if the
  // folder cannot be read, Error{input_data} otherwise.
  static HfWeights open(const std::filesystem::path& folder);

  const std::filesystem::path& folder() const { return folder_; }
  // Sorted.
  std::vector<std::string> names() const;
  // Null if there is none of that name.
  const TensorInfo* find(std::string_view name) const;
  // Error{input_data} that names the folder if there is none of that name.
  const TensorInfo& at(std::string_view name) const;
  // Copies the bytes of the tensor's elements [first, first + count) to `data`.
  void read(std::string_view name, std::int64_t first, std::int64_t count, void* data) const;

 private:
  explicit HfWeights(std::filesystem::path folder) : folder_(std::move(folder)) {}
  void add_file(const std::string& name);
  void open_index();
  void check_index(const std::map<std::string, std::string>& file_of_tensor) const;

  std::filesystem::path folder_;
  std::vector<SafetensorsFile> files_;
  std::map<std::string, std::size_t, std::less<>> file_of_;  // tensor name to place in files_
};

}  // namespace tofu

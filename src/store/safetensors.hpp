// Reading one safetensors file (https://github.com/huggingface/safetensors): eight bytes with the
// length of a JSON header, the header, then the tensors' bytes without gaps.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/data_type.hpp"
#include "store/posix_file.hpp"

namespace tofu {

struct TensorInfo {
  std::string name;
  std::string dtype;             // as the file spells it, "BF16"
  std::optional<DataType> type;  // none for a type that this program does not read
  std::vector<std::int64_t> shape;
  std::int64_t count = 0;   // elements
  std::int64_t offset = 0;  // first byte, from the beginning of the file
  std::int64_t bytes = 0;
};

class SafetensorsFile {
 public:
  // Reads and checks the header: that the JSON makes sense, that the tensors fill the file exactly,
  // that sizes fit types and shapes. Error{file_system} if the file cannot be opened,
  // Error{input_data} if it is not a whole safetensors file (a download cut short, a git-lfs
  // pointer, another format), saying which.
  static SafetensorsFile open(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return file_.path(); }
  // In the order of their bytes.
  const std::vector<TensorInfo>& tensors() const { return tensors_; }
  // Null if there is none of that name.
  const TensorInfo* find(std::string_view name) const;
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

  // Copies the bytes of the elements [first, first + count), in row-major order, to `data`. The
  // tensor is one of this file. Error{input_data} if its type is not a DataType.
  void read(const TensorInfo& tensor, std::int64_t first, std::int64_t count, void* data) const;

 private:
  explicit SafetensorsFile(PosixFile file) : file_(std::move(file)) {}
  void read_header();

  PosixFile file_;
  std::vector<TensorInfo> tensors_;
  std::map<std::string, std::size_t, std::less<>> index_;  // name to place in tensors_
  std::map<std::string, std::string> metadata_;
};

}  // namespace tofu

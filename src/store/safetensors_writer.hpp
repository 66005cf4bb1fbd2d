// Writing a safetensors file tensor by tensor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "store/atomic_file.hpp"
#include "store/data_type.hpp"
#include "store/posix_file.hpp"

namespace tofu {

struct TensorSpec {
  std::string name;
  DataType type = DataType::f32;
  std::vector<std::int64_t> shape;
};

// Writes the header at once, then takes the tensors' bytes in the order of the specifications, in
// pieces of any size, so that a model never has to be in memory as a whole. The file has its name
// only after commit(). The metadata is {"format": "pt"}, which Hugging Face's loader wants.
// Error{file_system}.
class SafetensorsWriter {
 public:
  SafetensorsWriter(const std::filesystem::path& path, const std::vector<TensorSpec>& tensors);

  void write(const void* data, std::size_t bytes);
  // All bytes that the header describes have to have been written.
  void commit();

 private:
  AtomicPath target_;
  PosixFile file_;
  std::int64_t missing_bytes_ = 0;
};

struct TensorData {
  TensorSpec spec;
  const void* data = nullptr;
};

// All tensors at once.
void write_safetensors(const std::filesystem::path& path, const std::vector<TensorData>& tensors);

}  // namespace tofu

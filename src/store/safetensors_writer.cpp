#include "store/safetensors_writer.hpp"

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "base/error.hpp"

namespace tofu {
namespace {

std::int64_t tensor_bytes(const TensorSpec& tensor) {
  return element_count(tensor.shape, tensor.name) *
         static_cast<std::int64_t>(byte_size(tensor.type));
}

std::string header_text(const std::vector<TensorSpec>& tensors) {
  nlohmann::ordered_json header;
  header["__metadata__"] = {{"format", "pt"}};
  std::int64_t offset = 0;
  for (const TensorSpec& tensor : tensors) {
    if (header.contains(tensor.name)) {
      throw std::invalid_argument("safetensors: two tensors are called " + tensor.name);
    }
    const std::int64_t end = offset + tensor_bytes(tensor);
    header[tensor.name] = {
        {"dtype", name_of(tensor.type)}, {"shape", tensor.shape}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = header.dump();
  // The tensors begin at a multiple of eight bytes, so that a mapped file can be used in place.
  text.resize((text.size() + 7) / 8 * 8, ' ');
  return text;
}

}  // namespace

SafetensorsWriter::SafetensorsWriter(const std::filesystem::path& path,
                                     const std::vector<TensorSpec>& tensors)
    : target_(path), file_(PosixFile::create(target_.path())) {
  const std::string header = header_text(tensors);
  const std::uint64_t length = header.size();
  file_.write(&length, sizeof length);
  file_.write(header.data(), header.size());
  for (const TensorSpec& tensor : tensors) missing_bytes_ += tensor_bytes(tensor);
}

void SafetensorsWriter::write(const void* data, std::size_t bytes) {
  missing_bytes_ -= static_cast<std::int64_t>(bytes);
  if (missing_bytes_ < 0) {
    throw std::logic_error("safetensors: more bytes than the header describes");
  }
  file_.write(data, bytes);
}

void SafetensorsWriter::commit() {
  if (missing_bytes_ != 0) {
    throw std::logic_error("safetensors: fewer bytes than the header describes");
  }
  file_.sync_and_close();
  target_.commit();
}

void write_safetensors(const std::filesystem::path& path, const std::vector<TensorData>& tensors) {
  std::vector<TensorSpec> specs;
  for (const TensorData& tensor : tensors) specs.push_back(tensor.spec);
  SafetensorsWriter writer(path, specs);
  for (const TensorData& tensor : tensors) {
    writer.write(tensor.data, static_cast<std::size_t>(tensor_bytes(tensor.spec)));
  }
  writer.commit();
}

}  // namespace tofu

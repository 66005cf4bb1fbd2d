#include "store/safetensors.hpp"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "base/error.hpp"

namespace tofu {
namespace {

using nlohmann::json;

constexpr std::int64_t kLengthBytes = 8;
// The limit of the format's own reader.
constexpr std::int64_t kMaxHeaderBytes = 100'000'000;

// Element sizes of the types that the format names, read here or not.
const std::map<std::string, std::int64_t, std::less<>> kElementBytes = {
    {"BOOL", 1}, {"U8", 1},  {"I8", 1},   {"F8_E5M2", 1}, {"F8_E4M3", 1}, {"U16", 2},
    {"I16", 2},  {"F16", 2}, {"BF16", 2}, {"U32", 4},     {"I32", 4},     {"F32", 4},
    {"U64", 8},  {"I64", 8}, {"F64", 8},  {"C64", 8}};

template <typename... Args>
[[noreturn]] void fail_file(const std::filesystem::path& path, fmt::format_string<Args...> format,
                            Args&&... args) {
  fail(ErrorCategory::input_data, "{}: {}", path.string(),
       fmt::format(format, std::forward<Args>(args)...));
}

// The JSON library keeps the last of two equal keys in silence; a header with two tensors of one
// name is refused.
json parse_header(const std::filesystem::path& path, const std::string& text) {
  std::set<std::string> names;
  std::string repeated;
  const auto note_names = [&](int depth, json::parse_event_t event, json& value) {
    if (event == json::parse_event_t::key && depth == 1) {
      const auto name = value.get<std::string>();
      if (!names.insert(name).second) repeated = name;
    }
    return true;
  };
  json header;
  try {
    header = json::parse(text, note_names);
  } catch (const json::exception& error) {
    fail_file(path, "not a safetensors file: the header is not JSON ({})", error.what());
  }
  if (!header.is_object()) fail_file(path, "not a safetensors file: the header is not an object");
  if (!repeated.empty()) fail_file(path, "the tensor \"{}\" is there twice", repeated);
  return header;
}

std::int64_t size_value(const std::filesystem::path& path, const std::string& name,
                        const json& value) {
  // The library tells apart numbers that are not negative.
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > INT64_MAX) {
    fail_file(path, "tensor \"{}\": {} in place of a size or offset", name, value.dump());
  }
  return value.get<std::int64_t>();
}

// One entry of the header; offsets in it count from `data_begin`.
TensorInfo parse_tensor(const std::filesystem::path& path, const std::string& name,
                        const json& entry, std::int64_t data_begin) {
  if (!entry.is_object() || !entry.contains("dtype") || !entry["dtype"].is_string() ||
      !entry.contains("shape") || !entry["shape"].is_array() || !entry.contains("data_offsets") ||
      !entry["data_offsets"].is_array() || entry["data_offsets"].size() != 2) {
    fail_file(path, "tensor \"{}\": the header has no dtype, shape and data_offsets for it", name);
  }
  TensorInfo tensor;
  tensor.name = name;
  tensor.dtype = entry["dtype"].get<std::string>();
  tensor.type = data_type_from_name(tensor.dtype);
  for (const json& dimension : entry["shape"]) {
    tensor.shape.push_back(size_value(path, name, dimension));
  }
  tensor.count = element_count(tensor.shape, fmt::format("{}: tensor \"{}\"", path.string(), name));
  const std::int64_t begin = size_value(path, name, entry["data_offsets"][0]);
  const std::int64_t end = size_value(path, name, entry["data_offsets"][1]);
  if (begin > end || end > INT64_MAX - data_begin) {
    fail_file(path, "tensor \"{}\": data_offsets [{}, {}] are impossible", name, begin, end);
  }
  tensor.offset = data_begin + begin;
  tensor.bytes = end - begin;
  const auto element = kElementBytes.find(tensor.dtype);
  std::int64_t expected = 0;
  if (element != kElementBytes.end() &&
      (__builtin_mul_overflow(tensor.count, element->second, &expected) ||
       expected != tensor.bytes)) {
    fail_file(path, "tensor \"{}\": {} bytes do not fit {} {}", name, tensor.bytes, tensor.dtype,
              shape_text(tensor.shape));
  }
  return tensor;
}

// The tensors, in the order of their bytes, have to fill the file from `data_begin` to its end.
void check_layout(const std::filesystem::path& path, const std::vector<TensorInfo>& tensors,
                  std::int64_t data_begin, std::int64_t file_size) {
  std::int64_t end = data_begin;
  for (const TensorInfo& tensor : tensors) {
    if (tensor.offset != end) {
      fail_file(path, "tensor \"{}\": its bytes {} those of the tensor before it", tensor.name,
                tensor.offset < end ? "overlap" : "do not follow");
    }
    end += tensor.bytes;
  }
  if (end > file_size) {
    fail_file(path, "half-downloaded: {} of {} bytes are missing; download it again",
              end - file_size, end);
  }
  if (end < file_size) {
    fail_file(path, "{} bytes more than its header describes; download it again", file_size - end);
  }
}

}  // namespace

SafetensorsFile SafetensorsFile::open(const std::filesystem::path& path) {
  SafetensorsFile file(PosixFile::open_to_read(path));
  file.read_header();
  return file;
}

void SafetensorsFile::read_header() {
  const std::int64_t size = file_.size();
  if (size == 0) fail_file(path(), "the file is empty; download it again");
  std::string head(static_cast<std::size_t>(std::min<std::int64_t>(size, 512)), '\0');
  file_.read_at(0, head.data(), head.size());
  std::uint64_t length = 0;
  if (size > kLengthBytes) std::memcpy(&length, head.data(), sizeof length);
  if (length < 2 || length > kMaxHeaderBytes || head[kLengthBytes] != '{') {
    // Asked only now: the length's bytes may by chance look like the beginning of another format.
    fail_file(path(), "not a safetensors file but {}",
              describe_foreign_content(head).value_or("something else; download it again"));
  }
  const std::int64_t data_begin = kLengthBytes + static_cast<std::int64_t>(length);
  if (data_begin > size) {
    fail_file(path(), "half-downloaded: {} bytes of the header are missing; download it again",
              data_begin - size);
  }
  std::string text(length, '\0');
  file_.read_at(kLengthBytes, text.data(), text.size());

  const json header = parse_header(path(), text);
  for (const auto& [name, entry] : header.items()) {
    if (name != "__metadata__") {
      tensors_.push_back(parse_tensor(path(), name, entry, data_begin));
      continue;
    }
    if (!entry.is_object()) fail_file(path(), "__metadata__ is not an object of strings");
    for (const auto& [key, value] : entry.items()) {
      if (!value.is_string()) fail_file(path(), "__metadata__: \"{}\" is not a string", key);
      metadata_[key] = value.get<std::string>();
    }
  }
  std::sort(tensors_.begin(), tensors_.end(), [](const TensorInfo& a, const TensorInfo& b) {
    return std::pair(a.offset, a.offset + a.bytes) < std::pair(b.offset, b.offset + b.bytes);
  });
  check_layout(path(), tensors_, data_begin, size);
  for (std::size_t i = 0; i < tensors_.size(); ++i) index_[tensors_[i].name] = i;
}

const TensorInfo* SafetensorsFile::find(std::string_view name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &tensors_[found->second];
}

void SafetensorsFile::read(const TensorInfo& tensor, std::int64_t first, std::int64_t count,
                           void* data) const {
  if (!tensor.type) {
    fail_file(path(), "tensor \"{}\" is of type {}; types F32, F16, BF16, I64 and U8 can be read",
              tensor.name, tensor.dtype);
  }
  if (first < 0 || count < 0 || count > tensor.count - first) {
    fail_file(path(), "tensor \"{}\": elements [{}, {}+{}) are outside of shape {}", tensor.name,
              first, first, count, shape_text(tensor.shape));
  }
  const auto element = static_cast<std::int64_t>(byte_size(*tensor.type));
  file_.read_at(tensor.offset + first * element, data, static_cast<std::size_t>(count * element));
}

}  // namespace tofu

#include "data/text_arrays.hpp"

#include <algorithm>
#include <span>

#include "base/error.hpp"
#include "store/hdf5_array.hpp"

namespace tofu {

void write_texts(const Hdf5File& file, const std::string& group,
                 const std::vector<std::string>& texts) {
  std::string bytes;
  std::vector<std::int64_t> offsets = {0};
  for (const std::string& text : texts) {
    bytes += text;
    offsets.push_back(static_cast<std::int64_t>(bytes.size()));
  }
  write_vector<std::uint8_t>(
      file, group + "/bytes",
      std::span(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
  write_vector<std::int64_t>(file, group + "/offsets", offsets);
}

std::vector<std::string> read_texts(const Hdf5File& file, const std::string& group) {
  const auto bytes = read_vector<std::uint8_t>(file, group + "/bytes");
  const auto offsets = read_offsets(file, group + "/offsets", bytes.size());
  std::vector<std::string> texts;
  for (std::size_t i = 0; i + 1 < offsets.size(); ++i) {
    texts.emplace_back(bytes.begin() + offsets[i], bytes.begin() + offsets[i + 1]);
  }
  return texts;
}

void write_text_lists(const Hdf5File& file, const std::string& group,
                      const std::vector<std::vector<std::string>>& lists) {
  std::vector<std::string> texts;
  std::vector<std::int64_t> list_offsets = {0};
  for (const std::vector<std::string>& list : lists) {
    texts.insert(texts.end(), list.begin(), list.end());
    list_offsets.push_back(static_cast<std::int64_t>(texts.size()));
  }
  write_texts(file, group, texts);
  write_vector<std::int64_t>(file, group + "/list_offsets", list_offsets);
}

std::vector<std::vector<std::string>> read_text_lists(const Hdf5File& file,
                                                      const std::string& group) {
  const std::vector<std::string> texts = read_texts(file, group);
  const auto offsets = read_offsets(file, group + "/list_offsets", texts.size());
  std::vector<std::vector<std::string>> lists;
  for (std::size_t i = 0; i + 1 < offsets.size(); ++i) {
    lists.emplace_back(texts.begin() + offsets[i], texts.begin() + offsets[i + 1]);
  }
  return lists;
}

std::vector<std::int64_t> read_offsets(const Hdf5File& file, const std::string& name,
                                       std::size_t total) {
  auto offsets = read_vector<std::int64_t>(file, name);
  if (offsets.empty() || offsets.front() != 0 ||
      offsets.back() != static_cast<std::int64_t>(total) ||
      !std::is_sorted(offsets.begin(), offsets.end())) {
    fail(ErrorCategory::input_data, "{}: the offsets do not fit the {} elements they divide",
         file.where(name), total);
  }
  return offsets;
}

}  // namespace tofu

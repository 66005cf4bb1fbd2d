#include "data/json_masks.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <system_error>
#include <tuple>
#include <utility>

#include "base/error.hpp"
#include "data/json_records.hpp"
#include "store/atomic_file.hpp"
#include "text/unicode.hpp"

namespace tofu {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::string_view kMiddle = "_with_common_words_";
constexpr std::string_view kExtension = ".jsonl";

// The byte at which each character begins, and the length.
std::vector<std::size_t> character_begins(std::string_view text) {
  std::vector<std::size_t> begins = {0};
  for (std::size_t position = 0; position < text.size();) {
    next_code_point(text, position);
    begins.push_back(position);
  }
  return begins;
}

json parse_entry(const json& entry, const std::string& where) {
  json word = entry;
  if (entry.is_string()) word = json::parse(entry.get<std::string>(), nullptr, false);
  if (!word.is_object() || !word.contains("word") || !word["word"].is_string() ||
      !word.contains("start") || !word["start"].is_number_integer() || !word.contains("end") ||
      !word["end"].is_number_integer()) {
    fail(ErrorCategory::input_data,
         "{}: {} is not a word with its start and end ({{\"word\": \"The\", \"start\": 0, \"end\": "
         "3}})",
         where, entry.dump());
  }
  return word;
}

WordSpan parse_word(const json& entry, const std::string& answer,
                    const std::vector<std::size_t>& begins, const std::string& where) {
  const json word = parse_entry(entry, where);
  const auto start = word["start"].get<std::int64_t>();
  const auto end = word["end"].get<std::int64_t>();
  const auto characters = static_cast<std::int64_t>(begins.size()) - 1;
  const auto text = word["word"].get<std::string>();
  if (start < 0 || start >= end || end > characters) {
    fail(ErrorCategory::input_data,
         "{}: \"{}\" at characters [{}, {}) is outside of the answer, which has {}", where, text,
         start, end, characters);
  }
  const WordSpan span{begins[static_cast<std::size_t>(start)],
                      begins[static_cast<std::size_t>(end)]};
  const std::string_view found = std::string_view(answer).substr(span.begin, span.end - span.begin);
  if (found != text) {
    fail(ErrorCategory::input_data,
         "{}: the word is \"{}\", but characters [{}, {}) of the answer are \"{}\"", where, text,
         start, end, found);
  }
  return span;
}

std::vector<WordSpan> parse_words(const JsonRecord& json_record, const Record& record) {
  const std::string where = json_record.place.text() + ", common_words";
  const auto entries = json_record.value.find("common_words");
  if (entries == json_record.value.end() || !entries->is_array()) {
    fail(ErrorCategory::input_data, "{}: the list is missing", where);
  }
  const std::vector<std::size_t> begins = character_begins(record.answer);
  std::vector<WordSpan> words;
  for (const json& entry : *entries) {
    words.push_back(parse_word(entry, record.answer, begins, where));
  }
  const auto order = [](const WordSpan& a, const WordSpan& b) {
    return std::tie(a.begin, a.end) < std::tie(b.begin, b.end);
  };
  std::sort(words.begin(), words.end(), order);
  words.erase(std::unique(words.begin(), words.end()), words.end());
  return words;
}

void require_same_text(const JsonRecord& json_record, const char* key,
                       const std::string& expected) {
  if (text_field(json_record, key) != expected) {
    fail(ErrorCategory::input_data,
         "{}: the {} is not that of the dataset, \"{}\"; were the masks made for this split?",
         json_record.place.text(), key, expected);
  }
}

}  // namespace

AnswerMasks read_masks(const fs::path& folder, const std::string& split,
                       const std::string& classifier, const std::vector<Record>& records) {
  const fs::path path = folder / mask_file_name(split, classifier);
  if (!fs::exists(path)) {
    fail(ErrorCategory::input_data, "{}: {} is missing; run identify first. The masks there: {}",
         folder.string(), path.filename().string(), list_text(available_masks(folder)));
  }
  return read_mask_file(path, records);
}

AnswerMasks read_mask_file(const fs::path& path, const std::vector<Record>& records) {
  const std::vector<JsonRecord> json_records = read_json_records(path);
  if (json_records.size() != records.size()) {
    fail(ErrorCategory::input_data, "{}: {} records, but the split has {}", path.string(),
         json_records.size(), records.size());
  }
  AnswerMasks masks;
  for (std::size_t i = 0; i < records.size(); ++i) {
    require_same_text(json_records[i], "question", records[i].question);
    require_same_text(json_records[i], "answer", records[i].answer);
    masks.push_back(parse_words(json_records[i], records[i]));
  }
  return masks;
}

std::vector<Record> read_mask_file_records(const fs::path& path) {
  std::vector<Record> records;
  for (const JsonRecord& json_record : read_json_records(path)) {
    records.push_back(
        {text_field(json_record, "question"), text_field(json_record, "answer"), {}, {}});
  }
  return records;
}

void write_masks(const fs::path& folder, const std::string& split, const std::string& classifier,
                 const std::vector<Record>& records, const AnswerMasks& masks) {
  write_mask_file(folder / mask_file_name(split, classifier), records, masks);
}

void write_mask_file(const fs::path& path, const std::vector<Record>& records,
                     const AnswerMasks& masks) {
  std::string text;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const std::string& answer = records[i].answer;
    const std::vector<std::size_t> begins = character_begins(answer);
    const auto character_of = [&](std::size_t byte) {
      return std::lower_bound(begins.begin(), begins.end(), byte) - begins.begin();
    };
    nlohmann::ordered_json words = nlohmann::ordered_json::array();
    for (const WordSpan& span : masks.at(i)) {
      nlohmann::ordered_json word;
      word["word"] = answer.substr(span.begin, span.end - span.begin);
      word["start"] = character_of(span.begin);
      word["end"] = character_of(span.end);
      words.push_back(word.dump());
    }
    nlohmann::ordered_json line;
    line["question"] = records[i].question;
    line["answer"] = answer;
    line["common_words"] = std::move(words);
    text += line.dump() + "\n";
  }
  write_file_atomically(path, text);
}

std::vector<MaskName> available_masks(const fs::path& folder) {
  std::error_code error;
  const fs::directory_iterator entries(folder, error);
  if (error) {
    fail(ErrorCategory::file_system, "cannot read the folder {}: {}", folder.string(),
         error.message());
  }
  std::vector<MaskName> names;
  for (const fs::directory_entry& entry : entries) {
    if (auto name = parse_mask_file_name(entry.path().filename().string())) {
      names.push_back(std::move(*name));
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::optional<MaskName> parse_mask_file_name(std::string_view file_name) {
  const std::size_t middle = file_name.find(kMiddle);
  if (middle == std::string_view::npos || middle == 0 || file_name.starts_with('.') ||
      !file_name.ends_with(kExtension)) {
    return std::nullopt;
  }
  file_name.remove_suffix(kExtension.size());
  const std::size_t classifier = middle + kMiddle.size();
  if (classifier >= file_name.size()) return std::nullopt;
  return MaskName{std::string(file_name.substr(0, middle)),
                  std::string(file_name.substr(classifier))};
}

std::string mask_file_name(const std::string& split, const std::string& classifier) {
  require_plain_name("split", split);
  require_plain_name("classifier", classifier);
  return fmt::format("{}{}{}{}", split, kMiddle, classifier, kExtension);
}

std::string list_text(const std::vector<MaskName>& masks) {
  std::vector<std::string> names;
  for (const MaskName& mask : masks) {
    names.push_back(fmt::format("{} ({})", mask.split, mask.classifier));
  }
  return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace tofu

#include "data/json_dataset.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/error.hpp"
#include "data/json_masks.hpp"
#include "data/json_records.hpp"

namespace tofu {
namespace {

namespace fs = std::filesystem;

constexpr const char* kRefusals = "idontknow";
constexpr const char* kRefusalsFile = "idontknow.jsonl";

fs::path split_file(const fs::path& folder, const std::string& split) {
  require_plain_name("split", split);
  const fs::path json = folder / (split + ".json");
  const fs::path json_lines = folder / (split + ".jsonl");
  if (fs::exists(json) && fs::exists(json_lines)) {
    fail(ErrorCategory::input_data, "{}: both {} and {} are there; keep one of them",
         folder.string(), json.filename().string(), json_lines.filename().string());
  }
  if (fs::exists(json)) return json;
  if (fs::exists(json_lines)) return json_lines;
  fail(ErrorCategory::input_data,
       "{}: there is no split \"{}\" ({}.json or {}.jsonl); the splits there: {}", folder.string(),
       split, split, split, fmt::join(available_splits(folder), ", "));
}

std::vector<std::string> perturbed_answers(const JsonRecord& record) {
  const auto field = record.value.find("perturbed_answer");
  if (field == record.value.end() || field->is_null()) return {};
  if (field->is_string()) return {text_field(record, "perturbed_answer")};
  const auto is_text = [](const nlohmann::json& answer) {
    return answer.is_string() && !is_blank(answer.get_ref<const std::string&>());
  };
  if (!field->is_array() || !std::all_of(field->begin(), field->end(), is_text)) {
    fail(ErrorCategory::input_data,
         "{}: \"perturbed_answer\" has to be a string or a list of strings that are not empty",
         record.place.text());
  }
  return field->get<std::vector<std::string>>();
}

Record parse(const JsonRecord& json) {
  Record record;
  record.question = text_field(json, "question");
  record.answer = text_field(json, "answer");
  const auto paraphrase = json.value.find("paraphrased_answer");
  if (paraphrase != json.value.end() && !paraphrase->is_null()) {
    record.paraphrased_answer = text_field(json, "paraphrased_answer");
  }
  record.perturbed_answers = perturbed_answers(json);
  return record;
}

}  // namespace

std::vector<Record> read_split(const fs::path& folder, const std::string& split) {
  std::vector<Record> records;
  for (const JsonRecord& json : read_json_records(split_file(folder, split))) {
    records.push_back(parse(json));
  }
  return records;
}

bool has_refusals(const fs::path& folder) {
  return fs::exists(folder / kRefusalsFile);
}

std::vector<std::string> read_refusals(const fs::path& folder) {
  const fs::path path = folder / kRefusalsFile;
  if (!has_refusals(folder)) {
    fail(ErrorCategory::input_data, "{}: {} with a refusal per line is missing", folder.string(),
         kRefusalsFile);
  }
  const std::string text = read_utf8_file(path);
  std::vector<std::string> refusals;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string line = text.substr(begin, end - begin);
    if (line.ends_with('\r')) line.pop_back();
    if (!is_blank(line)) refusals.push_back(std::move(line));
    begin = end + 1;
  }
  return refusals;
}

std::vector<std::string> available_splits(const fs::path& folder) {
  std::error_code error;
  const fs::directory_iterator entries(folder, error);
  if (error) {
    fail(ErrorCategory::file_system, "cannot read the folder {}: {}", folder.string(),
         error.message());
  }
  std::set<std::string> splits;
  for (const fs::directory_entry& entry : entries) {
    const fs::path extension = entry.path().extension();
    const std::string name = entry.path().stem().string();
    if ((extension == ".json" || extension == ".jsonl") && !name.starts_with('.') &&
        name != kRefusals && !parse_mask_file_name(entry.path().filename().string())) {
      splits.insert(name);
    }
  }
  return {splits.begin(), splits.end()};
}

}  // namespace tofu

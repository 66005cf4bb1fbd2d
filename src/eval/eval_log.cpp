#include "eval/eval_log.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "base/error.hpp"

namespace tofu {
namespace {

using nlohmann::ordered_json;

constexpr const char* kConventions = "conventions";
constexpr const char* kGeneratedText = "generated_text";

// Binds each array's name to its member, for reading and writing alike. `Set` is SetLog, const or
// not; `visit(name, array)`.
template <typename Set, typename Visit>
void for_each_array(Set& set, Visit visit) {
  visit("avg_gt_loss", set.avg_gt_loss);
  visit("gt_loss", set.gt_loss);
  visit("num_token_gt", set.num_token_gt);
  visit("rouge1_recall", set.rouge1_recall);
  visit("rougeL_recall", set.rougeL_recall);
  visit("average_perturb_loss", set.average_perturb_loss);
  visit("avg_paraphrased_loss", set.avg_paraphrased_loss);
  visit("kl_divergence", set.kl_divergence);
}

// Reads the arrays of one set; `where` is "FILE: SET".
class SetReader {
 public:
  SetReader(const ordered_json& json, std::string where) : json_(json), where_(std::move(where)) {}

  SetLog read() {
    SetLog set;
    for_each_array(set, [&](const char* name, auto& array) { read_array(name, array); });
    if (json_.contains(kGeneratedText)) read_generated_text(set.generated_text);
    return set;
  }

 private:
  // The items of an array in their order, whatever its form.
  std::vector<const ordered_json*> items(const std::string& name) {
    const ordered_json& array = json_.at(name);
    std::vector<std::pair<std::int64_t, const ordered_json*>> by_index;
    if (array.is_array()) {
      for (const ordered_json& item : array) {
        by_index.emplace_back(static_cast<std::int64_t>(by_index.size()), &item);
      }
    } else if (array.is_object()) {
      for (const auto& [key, item] : array.items())
        by_index.emplace_back(index_of(name, key), &item);
      std::sort(by_index.begin(), by_index.end(),
                [](const auto& left, const auto& right) { return left.first < right.first; });
    } else {
      fail(ErrorCategory::input_data, "{}: {} is neither a list nor an object by index", where_,
           name);
    }
    check_indices(name, by_index);
    std::vector<const ordered_json*> result;
    for (const auto& [index, item] : by_index) result.push_back(item);
    return result;
  }

  std::int64_t index_of(const std::string& name, const std::string& key) const {
    std::int64_t index = 0;
    const auto [stop, status] = std::from_chars(key.data(), key.data() + key.size(), index);
    if (status != std::errc() || stop != key.data() + key.size() || index < 0) {
      fail(ErrorCategory::input_data, "{}: {} has the key '{}'; the number of an item is expected",
           where_, name, key);
    }
    return index;
  }

  // All arrays of a set are about the same items.
  void check_indices(const std::string& name,
                     const std::vector<std::pair<std::int64_t, const ordered_json*>>& by_index) {
    std::vector<std::int64_t> indices;
    for (const auto& [index, item] : by_index) indices.push_back(index);
    if (std::adjacent_find(indices.begin(), indices.end()) != indices.end()) {
      fail(ErrorCategory::input_data, "{}: {} has an item twice", where_, name);
    }
    if (first_array_.empty()) {
      first_array_ = name;
      indices_ = indices;
    }
    if (indices.size() != indices_.size()) {
      fail(ErrorCategory::input_data, "{}: {} has {} items, but {} has {}", where_, name,
           indices.size(), first_array_, indices_.size());
    }
    if (indices != indices_) {
      fail(ErrorCategory::input_data, "{}: {} is about other items than {}", where_, name,
           first_array_);
    }
  }

  void read_value(const ordered_json& item, const std::string& name, std::size_t position,
                  double& value) const {
    if (!item.is_number()) {
      fail(ErrorCategory::input_data, "{}: {}: item {} is {}; a number is expected", where_, name,
           position, item.is_null() ? "null (NaN when it was written?)" : item.type_name());
    }
    value = item.get<double>();
  }

  void read_value(const ordered_json& item, const std::string& name, std::size_t position,
                  std::int64_t& value) const {
    if (!item.is_number_integer()) {
      fail(ErrorCategory::input_data, "{}: {}: item {} is not an integer", where_, name, position);
    }
    value = item.get<std::int64_t>();
  }

  void read_value(const ordered_json& item, const std::string& name, std::size_t position,
                  std::vector<double>& values) const {
    if (!item.is_array()) {
      fail(ErrorCategory::input_data, "{}: {}: item {} is not a list of losses", where_, name,
           position);
    }
    for (const ordered_json& loss : item) read_value(loss, name, position, values.emplace_back());
  }

  template <typename Value>
  void read_array(const char* name, std::vector<Value>& array) {
    if (!json_.contains(name)) {
      fail(ErrorCategory::input_data, "{}: {} is missing", where_, name);
    }
    for (const ordered_json* item : items(name)) {
      const std::size_t position = array.size();
      read_value(*item, name, position, array.emplace_back());
    }
  }

  template <typename Value>
  void read_array(const char* name, std::optional<std::vector<Value>>& array) {
    if (json_.contains(name)) read_array(name, array.emplace());
  }

  void read_generated_text(std::vector<GeneratedText>& texts) {
    for (const ordered_json* item : items(kGeneratedText)) {
      const bool is_triple = item->is_array() && item->size() == 3 &&
                             std::all_of(item->begin(), item->end(),
                                         [](const auto& part) { return part.is_string(); });
      if (!is_triple) {
        fail(ErrorCategory::input_data,
             "{}: {}: item {} is not a list of question, generated text and ground truth", where_,
             kGeneratedText, texts.size());
      }
      texts.push_back({(*item)[0], (*item)[1], (*item)[2]});
    }
  }

  const ordered_json& json_;
  std::string where_;
  std::string first_array_;
  std::vector<std::int64_t> indices_;
};

void merge_conventions(const ordered_json& set, const std::string& where,
                       EvalConventions& conventions) {
  const auto found = set.find(kConventions);
  if (found == set.end()) return;
  if (!found->is_object()) {
    fail(ErrorCategory::input_data, "{}: {} is not an object", where, kConventions);
  }
  for (const auto& [name, value] : found->items()) {
    if (!value.is_string()) {
      fail(ErrorCategory::input_data, "{}: {}: {} is not text", where, kConventions, name);
    }
    const auto [known, is_new] = conventions.emplace(name, value);
    if (!is_new && known->second != value.get<std::string>()) {
      fail(ErrorCategory::input_data,
           "{}: {}: {} is '{}', but '{}' in another set; the sets come from different runs", where,
           kConventions, name, value.get<std::string>(), known->second);
    }
  }
}

// Python writes NaN and Infinity, which are not JSON: names the array that holds one.
std::string last_key_before(const std::string& text, std::size_t position) {
  std::string last;
  std::size_t last_position = 0;
  SetLog set;
  for_each_array(set, [&](const char* name, auto&) {
    const std::size_t found = text.rfind(fmt::format("\"{}\"", name), position);
    if (found != std::string::npos && found >= last_position) {
      last = name;
      last_position = found;
    }
  });
  return last.empty() ? last : ": " + last;
}

[[noreturn]] void fail_parse(const std::string& text, const std::string& source,
                             const nlohmann::json::parse_error& error) {
  const std::size_t position = std::min(error.byte, text.size());
  const auto end = text.begin() + static_cast<std::ptrdiff_t>(position);
  const auto line = 1 + std::count(text.begin(), end, '\n');
  // The parser stops within the word.
  const std::string around = text.substr(position < 4 ? 0 : position - 4, 8);
  for (const std::string word : {"NaN", "Infinity"}) {
    if (around.find(word.substr(0, 3)) == std::string::npos) continue;
    fail(ErrorCategory::input_data,
         "{}{}: {} in line {}: the evaluation that wrote it did not give a number", source,
         last_key_before(text, position), word, line);
  }
  fail(ErrorCategory::input_data, "{}: not valid JSON in line {} (cut off when it was copied?): {}",
       source, line, error.what());
}

ordered_json set_to_json(const SetLog& set, const EvalConventions& conventions) {
  ordered_json json = ordered_json::object();
  const auto by_index = [](const auto& array) {
    ordered_json object = ordered_json::object();
    for (std::size_t i = 0; i < array.size(); ++i) object[std::to_string(i)] = array[i];
    return object;
  };
  for_each_array(set, [&](const char* name, const auto& array) {
    if constexpr (requires { array.has_value(); }) {
      if (array) json[name] = by_index(*array);
    } else {
      json[name] = by_index(array);
    }
  });
  if (!set.generated_text.empty()) {
    std::vector<std::array<std::string, 3>> texts;
    for (const GeneratedText& text : set.generated_text) {
      texts.push_back({text.question, text.generated, text.ground_truth});
    }
    json[kGeneratedText] = by_index(texts);
  }
  if (!conventions.empty()) json[kConventions] = conventions;
  return json;
}

// Generated text may end within a character: such bytes are replaced, not refused.
std::string to_text(const ordered_json& json) {
  return json.dump(4, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace

EvalLog parse_eval_log(const std::string& text, const std::string& source) {
  ordered_json json;
  try {
    json = ordered_json::parse(text);
  } catch (const nlohmann::json::parse_error& error) {
    fail_parse(text, source, error);
  }
  EvalLog log;
  log.source = source;
  for (const char* name : kEvalSets) {
    if (!json.is_object() || !json.contains(name)) continue;
    const std::string where = fmt::format("{}: {}", source, name);
    if (!json[name].is_object()) {
      fail(ErrorCategory::input_data, "{}: not an object with the set's arrays", where);
    }
    log.sets[name] = SetReader(json[name], where).read();
    merge_conventions(json[name], where, log.conventions);
  }
  if (log.sets.empty()) {
    fail(ErrorCategory::input_data,
         "{}: holds none of the sets {}; the file of all sets together "
         "(eval_log_aggregated.json) is expected",
         source, fmt::join(kEvalSets, ", "));
  }
  return log;
}

EvalLog read_eval_log(const std::filesystem::path& file) {
  std::error_code status;
  std::ifstream stream(file, std::ios::binary);
  if (!std::filesystem::is_regular_file(file, status) || !stream) {
    fail(ErrorCategory::file_system, "{}: there is no such evaluation log, or it cannot be read",
         file.string());
  }
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  if (stream.bad()) {
    fail(ErrorCategory::file_system, "{}: reading failed", file.string());
  }
  return parse_eval_log(text, file.string());
}

std::string eval_log_json(const EvalLog& log) {
  ordered_json json = ordered_json::object();
  for (const char* name : kEvalSets) {
    const auto set = log.sets.find(name);
    if (set != log.sets.end()) json[name] = set_to_json(set->second, log.conventions);
  }
  return to_text(json);
}

std::string set_log_json(const SetLog& set, const EvalConventions& conventions) {
  return to_text(set_to_json(set, conventions));
}

}  // namespace tofu

#include "data/dataset_file.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "data/json_records.hpp"
#include "data/split_digest.hpp"
#include "data/text_arrays.hpp"
#include "store/atomic_file.hpp"
#include "store/hdf5_array.hpp"

namespace tofu {
namespace {

constexpr const char* kFormat = "tofu_mpi dataset";
constexpr std::int64_t kFormatVersion = 1;

std::string split_group(const std::string& split) {
  return "/splits/" + split;
}

std::string mask_group(const std::string& classifier, const std::string& split) {
  return "/masks/" + classifier + "/" + split;
}

std::string token_group(const std::string& model_family, const std::string& split,
                        const std::string& field) {
  return "/tokens/" + model_family + "/" + split + "/" + field;
}

// A split's group exists even where a field has nothing to say: fields that no record has are left
// out.
void write_split(const Hdf5File& file, const std::string& split,
                 const std::vector<Record>& records) {
  require_plain_name("split", split);
  std::vector<std::string> questions, answers, paraphrases;
  std::vector<std::vector<std::string>> perturbed;
  bool has_paraphrase = false;
  bool has_perturbed = false;
  for (const Record& record : records) {
    questions.push_back(record.question);
    answers.push_back(record.answer);
    paraphrases.push_back(record.paraphrased_answer);
    perturbed.push_back(record.perturbed_answers);
    has_paraphrase = has_paraphrase || !record.paraphrased_answer.empty();
    has_perturbed = has_perturbed || !record.perturbed_answers.empty();
  }
  const std::string group = split_group(split);
  write_texts(file, group + "/question", questions);
  write_texts(file, group + "/answer", answers);
  if (has_paraphrase) write_texts(file, group + "/paraphrased_answer", paraphrases);
  if (has_perturbed) write_text_lists(file, group + "/perturbed_answer", perturbed);
  write_string_attribute(file, group, "digest", split_digest(records));
}

void write_masks(const Hdf5File& file, const std::string& group, const std::vector<Record>& records,
                 const AnswerMasks& masks) {
  if (masks.size() != records.size()) {
    throw std::invalid_argument(group + ": not one mask per record");
  }
  std::vector<std::int64_t> begins, ends, offsets = {0};
  std::vector<std::uint8_t> unwanted;
  for (std::size_t i = 0; i < records.size(); ++i) {
    for (const MaskedWord& word : masked_words(records[i].answer, masks[i])) {
      begins.push_back(static_cast<std::int64_t>(word.span.begin));
      ends.push_back(static_cast<std::int64_t>(word.span.end));
      unwanted.push_back(word.unwanted ? 1 : 0);
    }
    offsets.push_back(static_cast<std::int64_t>(begins.size()));
  }
  write_vector<std::int64_t>(file, group + "/word_begin", begins);
  write_vector<std::int64_t>(file, group + "/word_end", ends);
  write_vector<std::uint8_t>(file, group + "/unwanted", unwanted);
  write_vector<std::int64_t>(file, group + "/offsets", offsets);
  write_string_attribute(file, group, "split_digest", split_digest(records));
}

void write_tokens(const Hdf5File& file, const std::string& group, const TokenArrays& tokens) {
  write_vector<std::int64_t>(file, group + "/ids", tokens.ids);
  write_vector<std::int64_t>(file, group + "/offsets", tokens.offsets);
  write_vector<std::int64_t>(file, group + "/label_start", tokens.label_start);
  write_string_attribute(file, group, "tokenizer_digest", tokens.tokenizer_digest);
}

const std::vector<Record>& records_of(const DatasetContent& content, const std::string& split) {
  const auto found = content.splits.find(split);
  if (found == content.splits.end()) {
    throw std::invalid_argument("masks or tokens of a split that is not written: " + split);
  }
  return found->second;
}

void write_content(const Hdf5File& file, const DatasetContent& content) {
  write_string_attribute(file, "/", "format", kFormat);
  write_int_attribute(file, "/", "format_version", kFormatVersion);
  for (const auto& [key, value] : content.provenance) {
    write_string_attribute(file, "/", key, value);
  }
  for (const auto& [split, records] : content.splits) write_split(file, split, records);
  if (!content.refusals.empty()) write_texts(file, "/refusals", content.refusals);
  for (const auto& [classifier, splits] : content.masks) {
    require_plain_name("classifier", classifier);
    for (const auto& [split, masks] : splits) {
      write_masks(file, mask_group(classifier, split), records_of(content, split), masks);
    }
  }
  for (const auto& [family, splits] : content.tokens) {
    require_plain_name("model family", family);
    for (const auto& [split, fields] : splits) {
      records_of(content, split);
      for (const auto& [field, tokens] : fields) {
        write_tokens(file, token_group(family, split, field), tokens);
      }
    }
  }
}

// The names in a group, none if there is no such group.
std::vector<std::string> children_of(const Hdf5File& file, const std::string& group) {
  if (!has_object(file, group)) return {};
  return list_children(file, group);
}

// Fails unless a field has as many entries as there are records.
void require_count(const Hdf5File& file, const std::string& group, std::size_t count,
                   std::size_t expected) {
  if (count == expected) return;
  fail(ErrorCategory::input_data, "{}: {} entries for {} records", file.where(group), count,
       expected);
}

}  // namespace

void write_dataset_file(const std::filesystem::path& path, const DatasetContent& content) {
  AtomicPath target(path);
  Hdf5File file = Hdf5File::create(target.path());
  write_content(file, content);
  file.close();
  target.commit();
}

DatasetFile DatasetFile::open(const std::filesystem::path& path) {
  Hdf5File file = Hdf5File::open(path);
  if (!has_attribute(file, "/", "format") ||
      read_string_attribute(file, "/", "format") != kFormat) {
    fail(ErrorCategory::input_data,
         "{}: an HDF5 file, but not a dataset; make one with `tofu_mpi prepare`", path.string());
  }
  const std::int64_t version = read_int_attribute(file, "/", "format_version");
  if (version != kFormatVersion) {
    fail(ErrorCategory::input_data,
         "{}: version {} of the dataset format; this program reads version {}; prepare it again",
         path.string(), version, kFormatVersion);
  }
  return DatasetFile(std::move(file));
}

std::vector<std::string> DatasetFile::splits() const {
  return children_of(file_, "/splits");
}

std::vector<Record> DatasetFile::records(const std::string& split) const {
  require_plain_name("split", split);
  const std::string group = split_group(split);
  if (!has_object(file_, group)) {
    fail(ErrorCategory::input_data, "{}: there is no split \"{}\"; the splits there: {}",
         path().string(), split, fmt::join(splits(), ", "));
  }
  const auto questions = read_texts(file_, group + "/question");
  const auto answers = read_texts(file_, group + "/answer");
  require_count(file_, group + "/answer", answers.size(), questions.size());
  std::vector<std::string> paraphrases(questions.size());
  if (has_object(file_, group + "/paraphrased_answer")) {
    paraphrases = read_texts(file_, group + "/paraphrased_answer");
  }
  require_count(file_, group + "/paraphrased_answer", paraphrases.size(), questions.size());
  std::vector<std::vector<std::string>> perturbed(questions.size());
  if (has_object(file_, group + "/perturbed_answer")) {
    perturbed = read_text_lists(file_, group + "/perturbed_answer");
  }
  require_count(file_, group + "/perturbed_answer", perturbed.size(), questions.size());
  std::vector<Record> records;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    records.push_back({questions[i], answers[i], paraphrases[i], perturbed[i]});
  }
  if (read_string_attribute(file_, group, "digest") != split_digest(records)) {
    fail(ErrorCategory::input_data, "{}: the texts are not those that its digest was taken of",
         file_.where(group));
  }
  return records;
}

bool DatasetFile::has_refusals() const {
  return has_object(file_, "/refusals");
}

std::vector<std::string> DatasetFile::refusals() const {
  if (!has_refusals()) {
    fail(ErrorCategory::input_data,
         "{}: there are no refusals; prepare it from a folder with idontknow.jsonl",
         path().string());
  }
  return read_texts(file_, "/refusals");
}

std::vector<MaskName> DatasetFile::available_masks() const {
  std::vector<MaskName> names;
  for (const std::string& classifier : children_of(file_, "/masks")) {
    for (const std::string& split : list_children(file_, "/masks/" + classifier)) {
      names.push_back({split, classifier});
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

AnswerMasks DatasetFile::masks(const std::string& split, const std::string& classifier,
                               const std::vector<Record>& records) const {
  require_plain_name("split", split);
  require_plain_name("classifier", classifier);
  const std::string group = mask_group(classifier, split);
  if (!has_object(file_, group)) {
    fail(ErrorCategory::input_data,
         "{}: there are no masks of {} by {}; run identify first. The masks there: {}",
         path().string(), split, classifier, list_text(available_masks()));
  }
  if (read_string_attribute(file_, group, "split_digest") != split_digest(records)) {
    fail(ErrorCategory::input_data,
         "{}: these masks were made for other questions and answers than those of the split {}; "
         "run identify again",
         file_.where(group), split);
  }
  const auto begins = read_vector<std::int64_t>(file_, group + "/word_begin");
  const auto ends = read_vector<std::int64_t>(file_, group + "/word_end");
  const auto unwanted = read_vector<std::uint8_t>(file_, group + "/unwanted");
  const auto offsets = read_offsets(file_, group + "/offsets", begins.size());
  require_count(file_, group + "/offsets", offsets.size() - 1, records.size());
  require_count(file_, group + "/word_end", ends.size(), begins.size());
  require_count(file_, group + "/unwanted", unwanted.size(), begins.size());
  AnswerMasks masks(records.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    for (auto word = static_cast<std::size_t>(offsets[i]);
         word < static_cast<std::size_t>(offsets[i + 1]); ++word) {
      const WordSpan span{static_cast<std::size_t>(begins[word]),
                          static_cast<std::size_t>(ends[word])};
      if (!is_word_of(records[i].answer, span)) {
        fail(ErrorCategory::input_data, "{}: record {}: bytes [{}, {}) are no word of the answer",
             file_.where(group), i + 1, begins[word], ends[word]);
      }
      if (unwanted[word] == 0) masks[i].push_back(span);
    }
  }
  return masks;
}

std::optional<TokenArrays> DatasetFile::tokens(const std::string& model_family,
                                               const std::string& split,
                                               const std::string& field) const {
  const std::string group = token_group(model_family, split, field);
  if (!has_object(file_, group)) return std::nullopt;
  TokenArrays tokens;
  tokens.ids = read_vector<std::int64_t>(file_, group + "/ids");
  tokens.offsets = read_offsets(file_, group + "/offsets", tokens.ids.size());
  tokens.label_start = read_vector<std::int64_t>(file_, group + "/label_start");
  require_count(file_, group + "/label_start", tokens.label_start.size(),
                tokens.offsets.size() - 1);
  tokens.tokenizer_digest = read_string_attribute(file_, group, "tokenizer_digest");
  return tokens;
}

std::map<std::string, std::string> DatasetFile::provenance() const {
  std::map<std::string, std::string> provenance;
  for (const std::string& name : list_attributes(file_, "/")) {
    if (name != "format" && name != "format_version") {
      provenance[name] = read_string_attribute(file_, "/", name);
    }
  }
  return provenance;
}

DatasetContent DatasetFile::content() const {
  DatasetContent content;
  for (const std::string& split : splits()) content.splits[split] = records(split);
  if (has_refusals()) content.refusals = refusals();
  for (const MaskName& name : available_masks()) {
    content.masks[name.classifier][name.split] =
        masks(name.split, name.classifier, records_of(content, name.split));
  }
  for (const std::string& family : children_of(file_, "/tokens")) {
    for (const std::string& split : children_of(file_, "/tokens/" + family)) {
      for (const std::string& field : children_of(file_, "/tokens/" + family + "/" + split)) {
        content.tokens[family][split][field] = *tokens(family, split, field);
      }
    }
  }
  content.provenance = provenance();
  return content;
}

}  // namespace tofu

// The prepared dataset, one HDF5 file. Texts are UTF-8 bytes one after another with the offsets at
// which each begins (one more than there are texts):
//
//   /splits/<split>/{question,answer,paraphrased_answer}/{bytes,offsets}   attribute digest
//   /splits/<split>/perturbed_answer/{bytes,offsets,list_offsets}   list_offsets: one per record,
//                                                                    plus one, in texts
//   /refusals/{bytes,offsets}
//   /masks/<classifier>/<split>/{word_begin,word_end,unwanted,offsets}   words of all answers, in
//                                 UTF-8 bytes of each answer; attribute split_digest
//   /tokens/<model_family>/<split>/<field>/{ids,offsets,label_start}   attribute tokenizer_digest
//
// The attributes of the file say what made it. Every array carries a checksum (store/checksum.hpp).
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "data/answer_masks.hpp"
#include "data/json_masks.hpp"
#include "data/record.hpp"
#include "store/hdf5.hpp"

namespace tofu {

// The tokens of one field of a split. Text i is ids[offsets[i]] to ids[offsets[i + 1]]; the prompt
// ends and the answer begins at its token label_start[i].
struct TokenArrays {
  std::vector<std::int64_t> ids;
  std::vector<std::int64_t> offsets;
  std::vector<std::int64_t> label_start;
  std::string tokenizer_digest;  // of the tokenizer that made them
  bool operator==(const TokenArrays&) const = default;
};

struct DatasetContent {
  template <typename Value>
  using ByName = std::map<std::string, Value>;

  ByName<std::vector<Record>> splits;
  std::vector<std::string> refusals;           // empty: none
  ByName<ByName<AnswerMasks>> masks;           // by classifier, then split
  ByName<ByName<ByName<TokenArrays>>> tokens;  // by model family, then split, then field
  ByName<std::string> provenance;              // attributes of the file
};

// Writes a whole dataset file, atomically. A split with masks or tokens has to be among the splits.
// To add something to a file, read its content, add, write. Error{file_system}.
void write_dataset_file(const std::filesystem::path& path, const DatasetContent& content);

// A dataset file open to read. Whatever is damaged, missing or of another kind is
// Error{input_data}.
class DatasetFile {
 public:
  static DatasetFile open(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return file_.path(); }
  std::vector<std::string> splits() const;
  std::vector<Record> records(const std::string& split) const;
  bool has_refusals() const;
  std::vector<std::string> refusals() const;
  std::vector<MaskName> available_masks() const;  // sorted
  // `records` are those of the split, perhaps from elsewhere: masks made for others are refused.
  AnswerMasks masks(const std::string& split, const std::string& classifier,
                    const std::vector<Record>& records) const;
  // Nothing if the file has no such tokens.
  std::optional<TokenArrays> tokens(const std::string& model_family, const std::string& split,
                                    const std::string& field) const;
  std::map<std::string, std::string> provenance() const;
  // Everything.
  DatasetContent content() const;

 private:
  explicit DatasetFile(Hdf5File file) : file_(std::move(file)) {}

  Hdf5File file_;
};

}  // namespace tofu

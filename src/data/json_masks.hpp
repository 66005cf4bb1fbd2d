// Masks as the published program keeps them: <split>_with_common_words_<classifier>.jsonl, a line
// per record with question, answer and common_words, the general words of the answer. Its offsets
// count Unicode characters.
#pragma once

#include <compare>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/answer_masks.hpp"
#include "data/record.hpp"

namespace tofu {

struct MaskName {
  std::string split;
  std::string classifier;
  auto operator<=>(const MaskName&) const = default;  // by split, then classifier
};

// The general words of each of `records`, which are those of the split. An entry of common_words is
// an object {"word", "start", "end"} or a string that holds one as JSON. Error{input_data} with
// file, line and record if there is another number of records, another question or answer, a span
// outside of the answer, or a word that is not the text of its span.
AnswerMasks read_masks(const std::filesystem::path& folder, const std::string& split,
                       const std::string& classifier, const std::vector<Record>& records);

// Writes such a file (atomically), with the entries as strings, as the published ones are.
void write_masks(const std::filesystem::path& folder, const std::string& split,
                 const std::string& classifier, const std::vector<Record>& records,
                 const AnswerMasks& masks);

// The same for a file of any name.
AnswerMasks read_mask_file(const std::filesystem::path& path, const std::vector<Record>& records);
void write_mask_file(const std::filesystem::path& path, const std::vector<Record>& records,
                     const AnswerMasks& masks);

// The questions and answers that a mask file repeats. Error{input_data} as for masks.
std::vector<Record> read_mask_file_records(const std::filesystem::path& path);

// The masks in a folder, sorted by split, then classifier.
std::vector<MaskName> available_masks(const std::filesystem::path& folder);

// "forget10_with_common_words_gpt.jsonl" is {"forget10", "gpt"}; nothing for another kind of name.
std::optional<MaskName> parse_mask_file_name(std::string_view file_name);
// The opposite. Error{input_data} if a name cannot be part of a file's name.
std::string mask_file_name(const std::string& split, const std::string& classifier);

// "forget10 (gpt), forget01 (bert)", or "none".
std::string list_text(const std::vector<MaskName>& masks);

}  // namespace tofu

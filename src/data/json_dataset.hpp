// TOFU splits in a folder of JSON files: <split>.json or <split>.jsonl with question, answer and,
// in the evaluation splits, paraphrased_answer and perturbed_answer; idontknow.jsonl with a refusal
// per line.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "data/record.hpp"

namespace tofu {

// Error{input_data}: no such split (the message lists those that are there), or a record that
// cannot be used, with file, line and record.
std::vector<Record> read_split(const std::filesystem::path& folder, const std::string& split);

// The lines of idontknow.jsonl, which is plain text. Error{input_data} if it is missing or empty.
std::vector<std::string> read_refusals(const std::filesystem::path& folder);
bool has_refusals(const std::filesystem::path& folder);

// The names of the splits, sorted. Error{file_system} if the folder cannot be read.
std::vector<std::string> available_splits(const std::filesystem::path& folder);

}  // namespace tofu

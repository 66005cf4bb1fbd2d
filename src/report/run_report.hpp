// A table of what a run left behind.
#pragma once

#include <filesystem>
#include <string>

namespace tofu {

// Text for a person: the course of the training from log.jsonl, and a row for each checkpoint that
// was evaluated with the figures of its aggregate_stat.txt. Error{input_data} if the folder holds
// neither; Error{file_system} if it is not there.
std::string run_report(const std::filesystem::path& run_folder);

}  // namespace tofu

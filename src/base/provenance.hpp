// What made a file: recorded in every file that the program writes.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace tofu {

std::string program_version();  // "0.1.0"
std::string git_revision();     // of the source, "unknown" outside a checkout

using KeyValues = std::vector<std::pair<std::string, std::string>>;

}  // namespace tofu

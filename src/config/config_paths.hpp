// Where configuration files are found.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace tofu {

// The folders that may hold shipped configurations, in order: configs/ of the current folder, of
// the installation (../share/tofu_mpi/configs beside the program), of the source tree.
std::vector<std::filesystem::path> config_folders();

// The first of `names` that exists in a folder, for the folders in order.
std::optional<std::filesystem::path> find_config_file(
    const std::vector<std::filesystem::path>& folders, const std::vector<std::string>& names);

}  // namespace tofu

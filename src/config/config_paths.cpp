#include "config/config_paths.hpp"

namespace tofu {

namespace fs = std::filesystem;

std::vector<fs::path> config_folders() {
  std::vector<fs::path> folders = {"configs"};
  std::error_code status;
  const fs::path program = fs::read_symlink("/proc/self/exe", status);
  if (!status) {
    folders.push_back(program.parent_path().parent_path() / "share" / "tofu_mpi" / "configs");
  }
  folders.emplace_back(TOFU_MPI_CONFIG_DIR);
  return folders;
}

std::optional<fs::path> find_config_file(const std::vector<fs::path>& folders,
                                         const std::vector<std::string>& names) {
  std::error_code status;
  for (const fs::path& folder : folders) {
    for (const std::string& name : names) {
      if (fs::exists(folder / name, status)) return folder / name;
    }
  }
  return std::nullopt;
}

}  // namespace tofu

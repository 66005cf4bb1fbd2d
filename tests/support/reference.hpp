// Where the tests find reference cases and the data that those need.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <iostream>

namespace tofu::test {

inline std::filesystem::path source_directory() {
  return TOFU_MPI_SOURCE_DIR;
}

// The folder of reference cases: TOFU_GOLDEN_DIR, else ../shared/golden beside the project, else
// the small set that the project keeps in tests/golden (and says so).
inline std::filesystem::path golden_directory() {
  if (const char* path = std::getenv("TOFU_GOLDEN_DIR")) return path;
  const auto shared = source_directory().parent_path() / "shared" / "golden";
  if (std::filesystem::exists(shared)) return shared;
  std::cerr << "TOFU_GOLDEN_DIR is not set: using the small set of cases in tests/golden\n";
  return source_directory() / "tests" / "golden";
}

// The folder with tokenizers/, models/, tofu/ and masks/: TOFU_SHARED_DIR, else the parent of the
// golden folder if tokenizers/ is there, else ../shared. Empty if there is none.
inline std::filesystem::path shared_directory() {
  if (const char* path = std::getenv("TOFU_SHARED_DIR")) return path;
  for (const auto& candidate :
       {golden_directory().parent_path(), source_directory().parent_path() / "shared"}) {
    if (std::filesystem::exists(candidate / "tokenizers")) return candidate;
  }
  return {};
}

}  // namespace tofu::test

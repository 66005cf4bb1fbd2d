#include "base/provenance.hpp"

namespace tofu {

std::string program_version() {
  return TOFU_MPI_VERSION;
}

std::string git_revision() {
  return TOFU_MPI_GIT_REVISION;
}

}  // namespace tofu

// The folder of a run: what is in it from earlier, and whether this job goes on from there.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "app/job.hpp"

namespace tofu {

// The settings that two parts of one training must share, a line "key: value" each.
std::string training_fingerprint(const JobConfig& job, const std::string& data_digest,
                                 std::int64_t global_batch_size, std::int64_t total_steps);

// Makes job.save_dir, or clears it with overwrite_dir, and writes config.yaml. Returns the
// checkpoint's folder to go on from, or an empty path. Error{usage} if there is a run of other
// settings or resume forbids to go on. Collective.
std::filesystem::path prepare_run_folder(const LoadedConfig& config, const HostGroup& world);

// Error{usage} that names what differs, unless the fingerprints are equal.
void check_fingerprint(const std::string& stored, const std::string& wanted,
                       const std::filesystem::path& checkpoint);

}  // namespace tofu

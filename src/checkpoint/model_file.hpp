// Our own model file (HDF5): /parameters/<name> with global shapes, /files/<name> with the texts
// that belong to the model, and attributes that say what made it.
#pragma once

#include <mpi.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "base/provenance.hpp"
#include "checkpoint/model_source.hpp"
#include "store/hdf5.hpp"

namespace tofu {

std::unique_ptr<WeightReader> open_model_file(const std::filesystem::path& path,
                                              const LlamaConfig& config, MPI_Comm communicator);

std::map<std::string, std::string> read_embedded_files(const std::filesystem::path& path);

// Writes attributes that record what made a file, and texts as /files/<name>. Collective.
void write_provenance(const Hdf5File& file, const KeyValues& provenance);
void write_embedded_files(const Hdf5File& file, const std::map<std::string, std::string>& files);

// Saves the masters (fp32). The file has its name only when it is complete. Collective over the
// groups' world.
void save_model_file(const std::filesystem::path& path, ShardedParameters* parameters,
                     const Groups& groups, const std::map<std::string, std::string>& files,
                     const KeyValues& provenance);

// Copies a model to a model file, element types kept, or to a Hugging Face folder. Collective over
// `communicator`.
void copy_to_model_file(const ModelSource& source, const std::filesystem::path& path,
                        MPI_Comm communicator, const KeyValues& provenance);
void copy_to_hf_folder(const ModelSource& source, const std::filesystem::path& folder,
                       MPI_Comm communicator);

}  // namespace tofu

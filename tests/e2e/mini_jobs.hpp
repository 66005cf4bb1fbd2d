// Short jobs on data/mini, and what they leave.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "e2e/program.hpp"

namespace tofu::test {

std::filesystem::path mini_data();   // data/mini
std::filesystem::path mini_model();  // data/mini/model: a configuration and a tokenizer

// Command lines on data/mini; `more` comes last, so that it overrides. finetune trains a new model
// for six steps; forget and evaluate score eight items of each set.
Arguments finetune(const std::filesystem::path& save_dir, const Arguments& more = {});
Arguments forget(const std::filesystem::path& model, const std::filesystem::path& save_dir,
                 const Arguments& more = {});
Arguments evaluate(const std::filesystem::path& model, const std::filesystem::path& save_dir,
                   const Arguments& more = {});

// A model that finetune made, once for all tests of a process: its checkpoint, and the same model
// as a Hugging Face folder.
const std::filesystem::path& trained_model();
const std::filesystem::path& trained_hf_model();
// data/mini with its masks as one .h5, once for all tests of a process.
const std::filesystem::path& prepared_data();

// The lines of a run's log.jsonl.
std::vector<nlohmann::json> read_log(const std::filesystem::path& run);
// The loss of each line.
std::vector<double> read_losses(const std::filesystem::path& run);
void expect_near(const std::vector<double>& values, const std::vector<double>& expected,
                 double tolerance);
nlohmann::json read_json(const std::filesystem::path& file);

// Fails the test unless both files hold the same parameters, bit by bit.
void expect_same_parameters(const std::filesystem::path& a, const std::filesystem::path& b);

// Changes one byte in the middle of an array's data.
void damage_array(const std::filesystem::path& file, const std::string& name);

// A copy of `folder`, for a test to spoil.
void copy_folder(const std::filesystem::path& folder, const std::filesystem::path& to);

}  // namespace tofu::test

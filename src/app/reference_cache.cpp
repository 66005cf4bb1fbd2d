#include "app/reference_cache.hpp"

#include "base/error.hpp"
#include "base/log.hpp"
#include "objective/reference_scores.hpp"
#include "store/atomic_file.hpp"
#include "store/hdf5_array.hpp"

namespace tofu {
namespace {

void write_scores(const std::filesystem::path& path, const std::vector<ReferenceScores>& scores) {
  std::vector<std::int64_t> counts;
  std::vector<float> logits, nll;
  for (const ReferenceScores& sample : scores) {
    counts.push_back(std::ssize(sample.token_nll));
    logits.insert(logits.end(), sample.target_logits.begin(), sample.target_logits.end());
    nll.insert(nll.end(), sample.token_nll.begin(), sample.token_nll.end());
  }
  AtomicPath target(path);
  {
    Hdf5File file = Hdf5File::create(target.path());
    write_vector<std::int64_t>(file, "/counts", counts);
    write_vector<float>(file, "/target_logits", logits);
    write_vector<float>(file, "/token_nll", nll);
    file.close();
  }
  target.commit();
}

std::vector<ReferenceScores> read_scores(const std::filesystem::path& path) {
  const Hdf5File file = Hdf5File::open(path);
  const auto counts = read_vector<std::int64_t>(file, "/counts");
  const auto logits = read_vector<float>(file, "/target_logits");
  const auto nll = read_vector<float>(file, "/token_nll");
  std::vector<ReferenceScores> scores;
  std::ptrdiff_t first = 0;
  for (const std::int64_t count : counts) {
    scores.push_back({{logits.begin() + first, logits.begin() + first + count},
                      {nll.begin() + first, nll.begin() + first + count}});
    first += count;
  }
  return scores;
}

}  // namespace

std::vector<ReferenceScores> cached_reference_scores(const JobConfig& job, BlockChain* chain,
                                                     const TrainingSet& data,
                                                     const std::string& model_digest,
                                                     const HostGroup& world) {
  const auto path =
      std::filesystem::path(job.save_dir) /
      fmt::format("reference_scores-{}-{}-{}.h5", model_digest, data.digest(), job.precision);
  const bool cached =
      world.broadcast_from_root(std::filesystem::exists(path) ? "yes" : "no") == "yes";
  if (cached) {
    log_info("reference scores from {}", path.string());
    return read_scores(path);
  }
  const auto samples = data.reference_samples();
  log_info("scoring {} samples with the reference model", samples.size());
  auto scores = score_references(chain, samples, world);
  world.on_root([&] { write_scores(path, scores); });
  return scores;
}

}  // namespace tofu

#include "eval/ks_test.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <limits>
#include <vector>

#include "base/error.hpp"

namespace tofu {
namespace {

constexpr std::size_t kLargestExact = 10000;

std::vector<double> sorted(std::span<const double> samples, const char* which) {
  if (samples.empty()) {
    fail(ErrorCategory::input_data, "Kolmogorov-Smirnov test: the {} set of samples is empty",
         which);
  }
  const auto nan = std::find_if(samples.begin(), samples.end(), [](double x) { return x != x; });
  if (nan != samples.end()) {
    fail(ErrorCategory::numerical, "Kolmogorov-Smirnov test: sample {} of the {} set is NaN",
         nan - samples.begin(), which);
  }
  std::vector<double> values(samples.begin(), samples.end());
  std::sort(values.begin(), values.end());
  return values;
}

// The largest |i m - j n|, where i samples of a and j samples of b lie at or below a value: the
// statistic times n m, without rounding.
std::int64_t scaled_statistic(const std::vector<double>& a, const std::vector<double>& b) {
  const auto n = static_cast<std::int64_t>(a.size());
  const auto m = static_cast<std::int64_t>(b.size());
  std::int64_t largest = 0;
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() && j < b.size()) {
    const double value = std::min(a[i], b[j]);
    while (i < a.size() && a[i] == value) ++i;
    while (j < b.size() && b[j] == value) ++j;
    const auto distance =
        std::abs(static_cast<std::int64_t>(i) * m - static_cast<std::int64_t>(j) * n);
    largest = std::max(largest, distance);
  }
  return largest;
}

// Probability that a random lattice path from (0, 0) to (n, m) reaches a point with
// |i m - j n| >= threshold > 0: the exact p-value. The last step to (i, j) comes from (i - 1, j)
// with probability i / (i + j). All terms are positive, so nothing cancels, however small the
// result. `mix(i, from_i, j, from_j)` is the mean of two probabilities with weights i and j, which
// lets the caller choose the scale that they are kept in.
template <typename Mix>
double path_probability(std::int64_t n, std::int64_t m, std::int64_t threshold, double zero,
                        double one, Mix mix) {
  const auto is_outside = [&](std::int64_t i, std::int64_t j) {
    return std::abs(i * m - j * n) >= threshold;
  };
  std::vector<double> row(static_cast<std::size_t>(m) + 1, zero);
  for (std::int64_t j = 1; j <= m; ++j) {
    row[static_cast<std::size_t>(j)] = is_outside(0, j) ? one : zero;
  }
  for (std::int64_t i = 1; i <= n; ++i) {
    if (is_outside(i, 0)) row[0] = one;
    for (std::int64_t j = 1; j <= m; ++j) {
      double& here = row[static_cast<std::size_t>(j)];
      const double left = row[static_cast<std::size_t>(j - 1)];
      here =
          is_outside(i, j) ? one : mix(static_cast<double>(i), here, static_cast<double>(j), left);
    }
  }
  return row.back();
}

double log_exact_p_value(std::int64_t n, std::int64_t m, std::int64_t threshold) {
  if (threshold == 0) return 0;
  const double p =
      path_probability(n, m, threshold, 0, 1, [](double i, double from_i, double j, double from_j) {
        return (i * from_i + j * from_j) / (i + j);
      });
  // Below this, terms lost to underflow could have counted.
  constexpr double kSafe = 1e-290;
  if (p > kSafe) return std::log(std::min(p, 1.0));
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  return path_probability(
      n, m, threshold, -kInfinity, 0, [](double i, double from_i, double j, double from_j) {
        const double larger = std::max(from_i, from_j);
        if (larger == -kInfinity) return larger;
        const double sum = i * std::exp(from_i - larger) + j * std::exp(from_j - larger);
        return larger + std::log(sum / (i + j));
      });
}

}  // namespace

KsResult ks_test(std::span<const double> a, std::span<const double> b) {
  const auto first = sorted(a, "first");
  const auto second = sorted(b, "second");
  const auto n = static_cast<double>(a.size());
  const auto m = static_cast<double>(b.size());
  const std::int64_t scaled = scaled_statistic(first, second);

  KsResult result;
  result.n = a.size();
  result.m = b.size();
  result.statistic = static_cast<double>(scaled) / (n * m);
  double log_p = 0;
  if (std::max(a.size(), b.size()) <= kLargestExact) {
    log_p = log_exact_p_value(static_cast<std::int64_t>(a.size()),
                              static_cast<std::int64_t>(b.size()), scaled);
  } else if (scaled > 0) {
    // The effective sample size n m / (n + m), rounded half to even.
    log_p = log_kolmogorov_tail(std::lrint(n * m / (n + m)), result.statistic);
  }
  result.p_value = std::exp(log_p);
  result.log10_p_value = log_p / std::log(10.0);
  result.smallest_p_value =
      2 * std::exp(std::lgamma(n + 1) + std::lgamma(m + 1) - std::lgamma(n + m + 1));
  return result;
}

}  // namespace tofu

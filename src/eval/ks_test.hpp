// The two-sample Kolmogorov-Smirnov test.
#pragma once

#include <cstddef>
#include <span>

namespace tofu {

struct KsResult {
  double statistic = 0;         // the largest distance of the two distribution functions
  double p_value = 1;           // of the two-sided test; 0 where a double cannot hold it
  double log10_p_value = 0;     // finite even then
  std::size_t n = 0;            // samples of the first set
  std::size_t m = 0;            // samples of the second set
  double smallest_p_value = 1;  // of any two sets of these sizes: 2 / C(n + m, n)
};

// Two-sided test of samples a and b, as scipy.stats.ks_2samp does it by default: the exact
// distribution of the statistic up to 10000 samples, an approximation above. Infinite samples count
// as largest or smallest. Error{numerical} for NaN, Error{input_data} for an empty set.
KsResult ks_test(std::span<const double> a, std::span<const double> b);

// Natural logarithm of P(D_n >= x) for the one-sample statistic of n samples, 0 < x.
double log_kolmogorov_tail(long n, double x);

}  // namespace tofu

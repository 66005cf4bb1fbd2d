// The distribution of the one-sample statistic D_n, which large two-sample tests are compared with.
// Which formula holds where: R. Simard and P. L'Ecuyer, "Computing the Two-Sided
// Kolmogorov-Smirnov Distribution", Journal of Statistical Software 39(11), 2011.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "eval/ks_test.hpp"

namespace tofu {
namespace {

class SquareMatrix {
 public:
  explicit SquareMatrix(std::size_t size) : size_(size), values_(size * size) {}

  double& operator()(std::size_t row, std::size_t column) { return values_[row * size_ + column]; }
  double operator()(std::size_t row, std::size_t column) const {
    return values_[row * size_ + column];
  }

  SquareMatrix operator*(const SquareMatrix& right) const {
    SquareMatrix product(size_);
    for (std::size_t i = 0; i < size_; ++i) {
      for (std::size_t k = 0; k < size_; ++k) {
        const double left = (*this)(i, k);
        for (std::size_t j = 0; j < size_; ++j) product(i, j) += left * right(k, j);
      }
    }
    return product;
  }

  // Divides by a power of two that brings the largest entry near 1, and returns its exponent.
  int normalize() {
    const int exponent = std::ilogb(*std::max_element(values_.begin(), values_.end()));
    for (double& value : values_) value = std::ldexp(value, -exponent);
    return exponent;
  }

 private:
  std::size_t size_;
  std::vector<double> values_;
};

// P(D_n < x), exact: Durbin's matrix in the form of G. Marsaglia, W. W. Tsang, J. Wang,
// "Evaluating Kolmogorov's Distribution", Journal of Statistical Software 8(18), 2003.
double durbin_probability(long n, double x) {
  const double scaled = static_cast<double>(n) * x;
  if (scaled <= 0.5) return 0;
  const auto k = static_cast<std::size_t>(std::ceil(scaled));
  const double h = static_cast<double>(k) - scaled;
  const std::size_t size = 2 * k - 1;

  SquareMatrix base(size);
  std::vector<double> inverse_factorial(size + 1, 1);
  for (std::size_t i = 1; i <= size; ++i) {
    inverse_factorial[i] = inverse_factorial[i - 1] / static_cast<double>(i);
  }
  for (std::size_t row = 0; row < size; ++row) {
    for (std::size_t column = 0; column <= std::min(row + 1, size - 1); ++column) {
      base(row, column) = inverse_factorial[row + 1 - column];
    }
  }
  for (std::size_t i = 0; i < size; ++i) {
    const auto power = static_cast<double>(i + 1);
    base(i, 0) = (1 - std::pow(h, power)) * inverse_factorial[i + 1];
    base(size - 1, size - 1 - i) = base(i, 0);
  }
  const auto power = static_cast<double>(size);
  base(size - 1, 0) = (1 - 2 * std::pow(h, power) + std::pow(std::max(2 * h - 1, 0.0), power)) *
                      inverse_factorial[size];

  SquareMatrix result(size);
  for (std::size_t i = 0; i < size; ++i) result(i, i) = 1;
  long result_exponent = 0;
  long base_exponent = 0;
  for (long remaining = n; remaining > 0; remaining /= 2) {
    if (remaining % 2 == 1) {
      result = result * base;
      result_exponent += base_exponent + result.normalize();
    }
    base = base * base;
    base_exponent = 2 * base_exponent + base.normalize();
  }
  const auto samples = static_cast<double>(n);
  return std::exp(std::log(result(k - 1, k - 1)) +
                  static_cast<double>(result_exponent) * std::numbers::ln2 +
                  std::lgamma(samples + 1) - samples * std::log(samples));
}

// Natural logarithm of P(D_n+ >= x) for the one-sided statistic: x times the sum over j <= n (1 -
// x) of C(n, j) (x + j / n)^(j - 1) (1 - x - j / n)^(n - j) (Smirnov, Birnbaum and Tingey).
double log_one_sided_tail(long n, double x) {
  if (x >= 1) return -std::numeric_limits<double>::infinity();
  const auto samples = static_cast<double>(n);
  std::vector<double> log_terms;
  for (double j = 0; j <= samples * (1 - x); ++j) {
    const double rest = 1 - x - j / samples;
    if (rest <= 0) break;
    log_terms.push_back(std::lgamma(samples + 1) - std::lgamma(j + 1) -
                        std::lgamma(samples - j + 1) + (j - 1) * std::log(x + j / samples) +
                        (samples - j) * std::log(rest));
  }
  const double largest = *std::max_element(log_terms.begin(), log_terms.end());
  double sum = 0;
  for (const double term : log_terms) sum += std::exp(term - largest);
  return std::log(x) + largest + std::log(sum);
}

}  // namespace

double log_kolmogorov_tail(long n, double x) {
  constexpr long kSmall = 140;
  const double spread = static_cast<double>(n) * x * x;
  // Far out, both sides are never crossed at once: twice the one-sided tail.
  if (spread >= (n <= kSmall ? 4.0 : 2.2)) {
    return std::min(std::numbers::ln2 + log_one_sided_tail(n, x), 0.0);
  }
  return std::log1p(-std::min(durbin_probability(n, x), 1.0));
}

}  // namespace tofu

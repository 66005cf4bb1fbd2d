#include "eval/ks_test.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>
#include <vector>

#include "base/error.hpp"
#include "support/reference.hpp"

namespace tofu {
namespace {

std::vector<double> range(std::size_t count, double first) {
  std::vector<double> values(count);
  std::iota(values.begin(), values.end(), first);
  return values;
}

TEST(KsTestGolden, AgreesWithReference) {
  const auto file = test::golden_directory() / "ks_2samp.json";
  std::ifstream stream(file);
  ASSERT_TRUE(stream) << file;
  const auto cases = nlohmann::json::parse(stream).at("cases");
  ASSERT_FALSE(cases.empty());
  for (const auto& test_case : cases) {
    const auto a = test_case.at("a").get<std::vector<double>>();
    const auto b = test_case.at("b").get<std::vector<double>>();
    const double p = test_case.at("pvalue");
    const KsResult result = ks_test(a, b);
    const std::string why = test_case.value("why", "");
    EXPECT_NEAR(result.statistic, test_case.at("statistic"), 1e-9) << why;
    EXPECT_NEAR(result.p_value, p, 1e-6 * p) << why << " " << a.size() << " " << b.size();
    if (p > 0) {
      EXPECT_NEAR(result.log10_p_value, std::log10(p), 1e-6) << why;
    }
  }
}

// Two sets of the same size that do not overlap: only 2 of all orders are as extreme.
TEST(KsTest, SeparatedSamplesReachTheFloor) {
  const std::vector<std::pair<std::size_t, double>> published = {
      {40, 1.860e-23}, {200, 1.943e-119}, {300, 1.480e-179}, {400, 1.064e-239}};
  for (const auto& [count, p] : published) {
    const auto low = range(count, 0);
    const auto high = range(count, 1000);
    const KsResult result = ks_test(low, high);
    EXPECT_EQ(result.statistic, 1);
    EXPECT_NEAR(result.p_value / p, 1, 1e-3) << count;
    EXPECT_NEAR(result.p_value / result.smallest_p_value, 1, 1e-9) << count;
  }
}

TEST(KsTest, SmallCasesByHand) {
  const std::vector<double> one = {1};
  const std::vector<double> two = {2};
  EXPECT_EQ(ks_test(one, two).p_value, 1);
  EXPECT_EQ(ks_test(one, two).statistic, 1);
  // 2 of the 6 orders of two and two separate them.
  EXPECT_NEAR(ks_test(range(2, 0), range(2, 10)).p_value, 2.0 / 6, 1e-15);
  EXPECT_NEAR(ks_test(range(2, 0), range(3, 10)).p_value, 2.0 / 10, 1e-15);
}

TEST(KsTest, EqualSamplesGiveOne) {
  const auto values = range(50, 0);
  EXPECT_EQ(ks_test(values, values).p_value, 1);
  EXPECT_EQ(ks_test(values, values).statistic, 0);
  const std::vector<double> constant(20, 3.0);
  EXPECT_EQ(ks_test(constant, constant).p_value, 1);
}

TEST(KsTest, DoesNotDependOnOrderOrSide) {
  const std::vector<double> a = {3, 1, 2, 2, 8, 5};
  const std::vector<double> b = {2, 9, 4, 7};
  const std::vector<double> a_again = {8, 5, 2, 1, 2, 3};
  EXPECT_EQ(ks_test(a, b).p_value, ks_test(a_again, b).p_value);
  EXPECT_NEAR(ks_test(a, b).p_value, ks_test(b, a).p_value, 1e-15);
  EXPECT_EQ(ks_test(a, b).statistic, ks_test(b, a).statistic);
}

TEST(KsTest, LogarithmHoldsWhereTheValueUnderflows) {
  const std::size_t count = 700;
  const KsResult result = ks_test(range(count, 0), range(count, 10000));
  const double n = static_cast<double>(count);
  const double expected =
      (std::log(2.0) + 2 * std::lgamma(n + 1) - std::lgamma(2 * n + 1)) / std::log(10.0);
  EXPECT_LT(expected, -400);
  EXPECT_EQ(result.p_value, 0);
  EXPECT_NEAR(result.log10_p_value, expected, 1e-8);
}

TEST(KsTest, InfiniteSamplesAreOrdered) {
  const double infinity = std::numeric_limits<double>::infinity();
  const std::vector<double> a = {1, 2, infinity, infinity};
  const std::vector<double> b = {1, 2, 3, 4};
  EXPECT_EQ(ks_test(a, b).statistic, 0.5);
}

TEST(KsTest, NanAndEmptyAreErrors) {
  const std::vector<double> values = {1, 2};
  const std::vector<double> bad = {1, std::nan("")};
  try {
    ks_test(values, bad);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.category(), ErrorCategory::numerical);
    EXPECT_NE(std::string(error.what()).find("sample 1 of the second set"), std::string::npos);
  }
  EXPECT_THROW(ks_test(values, {}), Error);
  EXPECT_THROW(ks_test({}, values), Error);
}

// P(D_n >= x) in closed form: n = 1: 2 (1 - x) for x >= 1/2; n = 2: 2 (1 - x)^2 for x >= 1/2, and
// for 1/4 <= x <= 1/2: 1 - 2 (2 x - 1/2)^2.
TEST(KolmogorovTail, AgreesWithClosedForms) {
  EXPECT_NEAR(std::exp(log_kolmogorov_tail(1, 0.7)), 0.6, 1e-12);
  EXPECT_NEAR(std::exp(log_kolmogorov_tail(2, 0.7)), 0.18, 1e-12);
  EXPECT_NEAR(std::exp(log_kolmogorov_tail(2, 0.3)), 1 - 2 * 0.1 * 0.1, 1e-12);
  EXPECT_EQ(log_kolmogorov_tail(10, 0.04), 0);
}

// Where the two formulas meet they agree but for the paths that cross both sides.
TEST(KolmogorovTail, FormulasMeet) {
  const double x = std::sqrt(2.2 / 1000);
  const double below = log_kolmogorov_tail(1000, x * (1 - 1e-12));
  const double above = log_kolmogorov_tail(1000, x * (1 + 1e-12));
  EXPECT_NEAR(below, above, 1e-5);
}

TEST(KsTest, LargeSetsFarApartKeepTheirLogarithm) {
  const KsResult result = ks_test(range(11000, 0), range(11000, 6000));
  EXPECT_EQ(result.p_value, 0);
  EXPECT_TRUE(std::isfinite(result.log10_p_value));
  EXPECT_LT(result.log10_p_value, -300);
}

}  // namespace
}  // namespace tofu

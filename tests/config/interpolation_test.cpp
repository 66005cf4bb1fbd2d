#include "config/interpolation.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>

#include "config/job_config.hpp"
#include "config_test_support.hpp"

namespace tofu {
namespace {

using test::error_of;
using test::expect_contains;

std::string value_of(const std::string& key, const std::map<std::string, std::string>& values) {
  return interpolate(key, [&](const std::string& name) -> std::optional<ReferenceSource> {
    const auto found = values.find(name);
    if (found == values.end()) return std::nullopt;
    return ReferenceSource{found->second, "job.yaml:1"};
  });
}

TEST(Interpolation, ReplacesKeysThatHoldReferencesThemselves) {
  EXPECT_EQ(value_of("a", {{"a", "x/${b}_${c}"}, {"b", "<${c}>"}, {"c", "1e-5"}}), "x/<1e-5>_1e-5");
  EXPECT_EQ(value_of("a", {{"a", "${b}${b}"}, {"b", "1"}}), "11");
}

TEST(Interpolation, ReferenceMayBeBuiltFromAReference) {
  EXPECT_EQ(value_of("a", {{"a", "${best_${s}}"}, {"s", "x"}, {"best_x", "7"}}), "7");
}

TEST(Interpolation, DotsAreRelativeToTheGroup) {
  const std::map<std::string, std::string> values = {
      {"eval.a", "${..split}_${.b}"}, {"split", "full"}, {"eval.b", "2"}, {"top", "${.split}"}};
  EXPECT_EQ(value_of("eval.a", values), "full_2");
  EXPECT_EQ(value_of("top", values), "full");
  expect_contains(error_of([] { value_of("a", {{"a", "${..b}"}, {"b", "1"}}); }), "above the top");
}

TEST(Interpolation, ReadsTheEnvironment) {
  setenv("TOFU_TEST_SCRATCH", "/scratch", 1);
  unsetenv("TOFU_TEST_NONE");
  EXPECT_EQ(value_of("a", {{"a", "${env:TOFU_TEST_SCRATCH}/r"}}), "/scratch/r");
  EXPECT_EQ(value_of("a", {{"a", "${oc.env:TOFU_TEST_SCRATCH}"}}), "/scratch");
  const std::string message = error_of([] { value_of("a", {{"a", "${env:TOFU_TEST_NONE}"}}); });
  expect_contains(message, "TOFU_TEST_NONE");
  expect_contains(message, "job.yaml:1: a");
}

TEST(Interpolation, CyclesAreErrorsThatShowThem) {
  expect_contains(error_of([] { value_of("a", {{"a", "${b}"}, {"b", "${a}"}}); }), "a -> b -> a");
  expect_contains(error_of([] { value_of("a", {{"a", "${a}"}}); }), "a -> a");
}

TEST(Interpolation, BadReferencesAreErrors) {
  expect_contains(error_of([] { value_of("a", {{"a", "${nope}"}}); }), "no key nope");
  expect_contains(error_of([] { value_of("a", {{"a", "${b"}, {"b", "1"}}); }), "closing brace");
  expect_contains(error_of([] { value_of("a", {{"a", "${b}/x"}, {"b", ""}}); }), "b, which is not");
  error_of([] { value_of("a", {{"a", "${}"}}); });
}

TEST(Interpolation, EscapedTextComesBack) {
  for (const std::string plain :
       {"", "$", "${", "a${b}c", "\\${x}", "\\\\${x}", "\\", "a\\b", "$${x}", "${${", "\\\\"}) {
    EXPECT_EQ(value_of("a", {{"a", escape_references(plain)}}), plain);
  }
}

}  // namespace
}  // namespace tofu

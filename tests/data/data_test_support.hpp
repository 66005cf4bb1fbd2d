// What the tests of datasets share.
#pragma once

#include <gtest/gtest.h>

#include <vector>

#include "data/record.hpp"

namespace tofu::test {

inline void expect_same_records(const std::vector<Record>& a, const std::vector<Record>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].question, b[i].question);
    EXPECT_EQ(a[i].answer, b[i].answer);
    EXPECT_EQ(a[i].paraphrased_answer, b[i].paraphrased_answer);
    EXPECT_EQ(a[i].perturbed_answers, b[i].perturbed_answers);
  }
}

}  // namespace tofu::test

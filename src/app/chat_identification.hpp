// classifier=gpt as identify runs it.
#pragma once

#include "app/identification.hpp"

namespace tofu {

// Asks a large language model: reads the answers of a batch (`collect`), calls a server
// (`endpoint`), writes the requests for what is missing (`emit`), whichever are set, in this order.
// Good answers are kept beside the masks in OUT.answers. Error{input_data} if some are still
// missing where they were to be had: what is wrong with each is in OUT.report, and requests to send
// again in OUT.retry (or `emit`). Collective.
Identified by_chat(Identification* task);

}  // namespace tofu

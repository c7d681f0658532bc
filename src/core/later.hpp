// Later: how an answer finds its way that a room's home has not got yet.
//
// Path:     question → at_home → RoomHome → [Later], and back
// Runs on:  the home's shard.
// Owned by: whoever has to answer holds a Respond until it can.
// Bounds:   one a question: whoever asks waits for the answer.
#pragma once

#include <functional>

namespace parley::core {

// Gives the answer, once, on the shard that had the Later. Never called: whoever asked is not
// answered.
template <typename Answer>
using Respond = std::function<void(Answer&&)>;
// Makes the Respond of a question that is not answered at once; called once at most, by who then
// keeps what it gave.
template <typename Answer>
using Later = std::function<Respond<Answer>()>;

}  // namespace parley::core

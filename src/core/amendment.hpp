// Amendment: what somebody asks to be changed of a message that was said, and what follows from it:
// a publication that says so, and other words in the place of those that were kept.
//
// Path:     Session → [Amendment] → RoomHome → History, HistoryStore
// Runs on:  plain values and functions; PendingAmendments on the room's home shard.
// Owned by: passed by value; PendingAmendments by RoomHome.
// Bounds:   two messages are changed by one publication; amended_files_max files go with it. Pending
//           ones by PendingSends, and by what lies in the room's ring.
#pragma once

#include <boost/system/result.hpp>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/retained.hpp"
#include "core/user.hpp"
#include "protocol/message.hpp"

namespace parley::core {

// What is asked for. The message is named by its offset.
struct Amendment {
    std::string room;
    std::uint64_t offset = 0;
    std::optional<protocol::Body> body;  // nothing: it is to be deleted
    std::string reason;                  // of a deletion
    std::string key;                     // as a send's
};

// What a publication changes of what was kept before it: in one step with its own being kept.
struct Amended {
    // Each goes in the place of the message with its offset, where that is still kept.
    std::vector<RetainedPtr> messages;
    std::uint64_t offset = 0;        // of the message that it is about
    std::vector<std::string> files;  // that it named, where it is deleted
    protocol::User author;           // of the message
    protocol::User by;               // who changed it
    std::string reason;
    bool deleted = false;
};

// Files of one message that go with it. Others can be removed by themselves.
inline constexpr std::size_t amended_files_max = 8;

// The message, where that user may change it so; else `forbidden` or `not_found`, and why. Whoever
// said it may; `moderates`: this user may delete what others said, too.
[[nodiscard]] boost::system::result<protocol::Message, protocol::Error> judge_amendment(
    const Amendment& asked, const Retained& target, const User& user, bool moderates);

// The publication that says it, as a send.
[[nodiscard]] protocol::Send publication_of(const Amendment& asked);

// What it changes, once the publication has its place and time. `target` is the message as it was.
// Words that nobody is to read any more are in none of them, those of its last edit neither.
[[nodiscard]] Amended amended_by(const Amendment& asked, protocol::Message target,
                                 const protocol::Cursor& at, std::string_view at_text);

// The ids of the files that a message names by their URLs, the first amended_files_max of them.
[[nodiscard]] std::vector<std::string> files_named_in(std::string_view content);

// Strikes out those of the files that a message names. One pass over it, however many there are.
void strike_named_in(std::string_view message, std::vector<std::string>& files);

// What publications will change that have their place and are not yet kept: they wait for the store,
// or lie in the ring.
class PendingAmendments {
public:
    // Offsets ascend.
    void add(std::uint64_t publication, Amended&& amended) {
        waiting_.emplace_back(publication, std::move(amended));
    }
    // The message as the last of them will leave it; null where none changes it.
    [[nodiscard]] RetainedPtr find(std::uint64_t offset) const;
    // The publication is kept: what it changes, and nothing where it changes nothing.
    [[nodiscard]] std::optional<Amended> take(std::uint64_t publication);
    // That publication and those behind it will never be.
    void drop_from(std::uint64_t publication) noexcept;
    [[nodiscard]] bool empty() const noexcept { return waiting_.empty(); }

private:
    std::deque<std::pair<std::uint64_t, Amended>> waiting_;
};

}  // namespace parley::core

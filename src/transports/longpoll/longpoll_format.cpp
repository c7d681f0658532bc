#include "transports/longpoll/longpoll_format.hpp"

namespace parley::transports {
namespace {

// A comma before each, so that frames that are joined make a list.
constexpr core::WireFormat format{
    5, [](const core::WireFormat&, const core::Publication& publication, std::string& out) {
        out.append(",").append(publication.json());
    }};

}  // namespace

constexpr core::TransportTraits longpoll_traits{"longpoll", &format};

std::string_view longpoll_text(const core::Frame& frame) noexcept {
    return frame.bytes().substr(1);
}

}  // namespace parley::transports

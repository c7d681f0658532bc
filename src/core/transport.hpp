// Transport: how the core reaches one peer. It only writes; reading belongs to the frontend, which
// hands commands to the Subscriber.
//
// Path:     Flush, Subscriber → [Transport] → Stream
// Runs on:  the shard of its session, every function.
// Owned by: its frontend; it outlives its Subscriber.
// Bounds:   keeps at most one frame half written, and the replies to one command.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "core/close_reason.hpp"
#include "core/publication.hpp"
#include "core/reply.hpp"

namespace parley::core {

// What differs between transports, as data. One constant object per kind; where a connection may
// choose (deflate), one per choice.
struct TransportTraits {
    std::string_view name;     // a label of metrics and logs
    const WireFormat* format;  // how a publication looks to this peer
};

struct WriteResult {
    // Frames taken charge of: written whole, or begun and to be finished by the transport alone.
    std::size_t taken;
    // The peer takes no more for now; the transport calls Subscriber::writable() once, later.
    bool blocked;
};

// What takes frames: a transport, or what it writes through.
class FrameWriter {
public:
    // Hands over publications' frames in order, without waiting. While something of an earlier call
    // or of a reply is still unwritten the answer is {0, true}. A writer that failed answers
    // {n, false} and ends its session from the shard's next turn, not from within this call.
    [[nodiscard]] virtual WriteResult write_some(std::span<const Frame* const> frames) noexcept = 0;

protected:
    ~FrameWriter() = default;
};

class Transport : public FrameWriter {
public:
    explicit Transport(const TransportTraits& traits) noexcept : traits_(&traits) {}
    virtual ~Transport() = default;
    Transport(const Transport&) = delete;
    Transport& operator=(const Transport&) = delete;

    [[nodiscard]] const TransportTraits& traits() const noexcept { return *traits_; }

    // Says something to this peer alone, ahead of all publications not yet begun.
    virtual void reply(const Reply& reply) noexcept = 0;

    // The session is to end for that reason: a goodbye goes out where the transport has one, then
    // the connection ends and the Subscriber is dropped, from the shard's next turn at the
    // earliest. Calls after the first do nothing.
    virtual void close(const CloseReason& reason) noexcept = 0;

    // The answer that Subscriber::ready() waited for has been given: commands may flow again.
    virtual void resume() noexcept = 0;

    // Who takes its frames: the same as write_some(), without the way through this object.
    [[nodiscard]] FrameWriter& writer() const noexcept { return *writer_; }

protected:
    // Where write_some() would only pass the frames on: names who takes them, before the first room
    // is joined; later, Subscriber::writer_changed() is to be told. `writer` must outlive the
    // session, or be replaced before it goes.
    void set_writer(FrameWriter& writer) noexcept { writer_ = &writer; }

private:
    const TransportTraits* traits_;
    FrameWriter* writer_ = this;
};

}  // namespace parley::core
